"""The HTTP route of a link's statistics."""

from typing import TYPE_CHECKING
from urllib.parse import unquote

from chalice.app import Blueprint

from chalicelib import clock
from chalicelib.parameters import DEFAULT_DAYS, whole_number

if TYPE_CHECKING:
    from chalicelib.access.callers import Caller
    from chalicelib.clicks.statistics import Statistics

routes = Blueprint(__name__)

MOST_DAYS = 3660


@routes.route("/stats/{code}", methods=["GET"])
def get_statistics(code: str) -> "Statistics":
    """Show a link's clicks to its owner."""
    from chalicelib.clicks.counters import clicks_by_day
    from chalicelib.clicks.statistics import statistics
    from chalicelib.links.show import visible_link

    request = routes.current_request
    days = whole_number(request.query_params, "days", DEFAULT_DAYS, MOST_DAYS)
    caller: Caller = request.context["caller"]
    link = visible_link(unquote(code), caller)
    return statistics(link.code, clicks_by_day(link.code), days, clock.now().date())
