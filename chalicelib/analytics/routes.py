"""The HTTP route of the operator's numbers."""

from typing import TYPE_CHECKING

from chalice.app import Blueprint

from chalicelib import clock
from chalicelib.parameters import DEFAULT_DAYS, whole_number

if TYPE_CHECKING:
    from chalicelib.access.callers import Caller
    from chalicelib.analytics.daily_links import LinksByDay

routes = Blueprint(__name__)

MOST_DAYS = 100


@routes.route("/analytics/links", methods=["GET"])
def get_links_by_day() -> "LinksByDay":
    """Show an admin how many links were created per day."""
    from chalicelib.analytics.daily_links import links_by_day

    request = routes.current_request
    caller: Caller = request.context["caller"]
    caller.require_admin()
    days = whole_number(request.query_params, "days", DEFAULT_DAYS, MOST_DAYS)
    return links_by_day(days, clock.now().date())
