"""The HTTP route of a link's statistics."""

from typing import TYPE_CHECKING
from urllib.parse import unquote

from chalice.app import Blueprint

from chalicelib import clock
from chalicelib.links.link import Status
from chalicelib.parameters import DEFAULT_DAYS, whole_number
from chalicelib.problems import LinkDeleted

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
    from chalicelib.links.store import read_link

    request = routes.current_request
    days = whole_number(request.query_params, "days", DEFAULT_DAYS, MOST_DAYS)
    link = read_link(unquote(code))
    caller: Caller = request.context["caller"]
    caller.require_may_see(link.owner)
    if link.status is Status.DELETED:
        raise LinkDeleted(link.code)
    return statistics(link.code, clicks_by_day(link.code), days, clock.now().date())
