"""The HTTP route of the operator's numbers."""

from typing import TYPE_CHECKING, TypedDict

from chalice.app import Blueprint

from chalicelib import clock
from chalicelib.analytics.daily_links import DayOfLinks, links_by_day
from chalicelib.parameters import DEFAULT_DAYS, whole_number

if TYPE_CHECKING:
    from chalicelib.access.callers import Caller

routes = Blueprint(__name__)

MOST_DAYS = 100


class LinksByDay(TypedDict):
    """The links that were created on the last days, newest first and without days that had none."""

    by_day: list[DayOfLinks]


@routes.route("/analytics/links", methods=["GET"])
def get_links_by_day() -> LinksByDay:
    """Show an admin how many links were created per day."""
    request = routes.current_request
    caller: Caller = request.context["caller"]
    caller.require_admin()
    days = whole_number(request.query_params, "days", DEFAULT_DAYS, MOST_DAYS)
    return {"by_day": links_by_day(days, clock.now().date())}
