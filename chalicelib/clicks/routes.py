"""The HTTP route of a link's statistics."""

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from chalice.app import Blueprint

from chalicelib import clock
from chalicelib.clicks.counters import clicks_by_day
from chalicelib.clicks.statistics import statistics
from chalicelib.links.store import read_link
from chalicelib.problems import BadRequest

if TYPE_CHECKING:
    from chalicelib.access.callers import Caller

routes = Blueprint(__name__)

DEFAULT_DAYS = 30
MOST_DAYS = 3660


@routes.route("/stats/{code}", methods=["GET"])
def get_statistics(code: str) -> dict[str, Any]:
    """Show a link's clicks to its owner."""
    request = routes.current_request
    days = _days(request.query_params.get("days") if request.query_params else None)
    link = read_link(unquote(code))
    caller: Caller = request.context["caller"]
    caller.require_may_see(link.owner)
    return statistics(link.code, clicks_by_day(link.code), days, clock.now().date())


def _days(text: str | None) -> int:
    if text is None:
        return DEFAULT_DAYS
    if not (text.isascii() and text.isdecimal() and len(text) <= 4 and 1 <= int(text) <= MOST_DAYS):
        raise BadRequest(f"The parameter 'days' must be a whole number from 1 to {MOST_DAYS}.")
    return int(text)
