"""The HTTP routes of links' statistics."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from chalice.app import Blueprint, MultiDict, Response

from chalicelib import clock
from chalicelib.parameters import DEFAULT_DAYS, day, whole_number
from chalicelib.problems import BadRequest

if TYPE_CHECKING:
    from chalicelib.access.callers import Caller
    from chalicelib.clicks.statistics import ClicksOfLinks, Question

routes = Blueprint(__name__)

MOST_DAYS = 3660
"""That the days of a link are told of without a range."""

MOST_DAYS_IN_RANGE = 366
MOST_DAYS_BROKEN_DOWN = 92
MOST_DAYS_BY_HOUR = 31
"""Days in a range: what a day costs to read grows with what is asked for."""

DEFAULT_VALUES = 20
MOST_VALUES = 1000
"""Of each dimension that are named."""

MOST_LINKS = 200
"""Whose clicks are told at once: a query each."""
DEFAULT_LINKS = 50
MOST_CODES = 50

FORMATS = ("json", "csv")
RANGE = ("from", "to", "by", "limit", "format")
"""Any of these asks for a report."""


@routes.route("/stats/{code}", methods=["GET"])
def get_statistics(code: str) -> Any:
    """Show a link's clicks to its owner."""
    from chalicelib.links.show import visible_link

    request = routes.current_request
    query: Mapping[str, str] = request.query_params or {}
    if any(name in query for name in RANGE):
        return _report(unquote(code), query, request.context["caller"])
    from chalicelib.clicks.counters import clicks_by_day
    from chalicelib.clicks.statistics import statistics

    days = whole_number(query, "days", DEFAULT_DAYS, MOST_DAYS)
    link = visible_link(unquote(code), request.context["caller"])
    return statistics(link.code, clicks_by_day(link.code), days, clock.now().date())


def _report(code: str, query: Mapping[str, str], caller: "Caller") -> Any:
    from chalicelib.clicks.statistics import as_csv, report
    from chalicelib.links.show import visible_link

    if "days" in query:
        raise BadRequest("The parameter 'days' goes with none of " + ", ".join(RANGE) + ".")
    question = _question(query)
    format_ = query.get("format", "json")
    if format_ not in FORMATS:
        raise BadRequest("The parameter 'format' must be json or csv.")
    link = visible_link(code, caller)
    told = report(link.code, question)
    if link.max_clicks is not None:
        from chalicelib.links.allowances import used

        told["used"] = used(link.code)
    if format_ == "json":
        return told
    name = f"{told['code']}-{told['from']}-{told['to']}.csv"
    return Response(
        as_csv(told),
        {"Content-Type": "text/csv; charset=utf-8", "Content-Disposition": f'attachment; filename="{name}"'},
    )


@routes.route("/stats", methods=["GET"])
def get_clicks_of_links() -> "ClicksOfLinks":
    """Tell how often links were followed: the caller's, newest first, those of an owner, or those that are named."""
    from chalicelib.clicks.statistics import clicks_of_links
    from chalicelib.links.listing import list_links, owner_asked_for
    from chalicelib.links.show import visible_links

    request = routes.current_request
    query = request.query_params or MultiDict({})
    caller: Caller = request.context["caller"]
    first, last = _days(query, MOST_DAYS_IN_RANGE)
    days = (first.isoformat(), last.isoformat())
    if "code" in query:
        if others := [name for name in ("owner", "limit", "cursor") if name in query]:
            raise BadRequest(f"The parameter {others[0]!r} does not go with codes.")
        codes = [*dict.fromkeys(query.getlist("code"))]
        if len(codes) > MOST_CODES:
            raise BadRequest(f"At most {MOST_CODES} codes may be named.")
        return {"items": clicks_of_links([link.code for link in visible_links(codes, caller)], days), "next": None}
    owner = owner_asked_for(query, caller)
    page = list_links(owner, whole_number(query, "limit", DEFAULT_LINKS, MOST_LINKS), query.get("cursor"))
    return {"items": clicks_of_links([link.code for link in page.links], days), "next": page.next}


def _question(query: Mapping[str, str]) -> "Question":
    """Raises BadRequest."""
    from chalicelib.clicks.statistics import DIMENSIONS, Question

    by = query["by"].split(",") if "by" in query else []
    if len({*by}) < len(by) or not {*by} <= {*DIMENSIONS}:
        raise BadRequest(f"The parameter 'by' must be some of {', '.join(DIMENSIONS)}, each once, with commas between.")
    most = MOST_DAYS_BY_HOUR if "hour" in by else MOST_DAYS_BROKEN_DOWN if {*by} - {"day"} else MOST_DAYS_IN_RANGE
    first, last = _days(query, most)
    return Question(first, last, by, whole_number(query, "limit", DEFAULT_VALUES, MOST_VALUES))


def _days(query: Mapping[str, str], most: int) -> tuple[date, date]:
    """The first and the last day of a range: without them the last 30 days, with one of them 30 days from or to it.

    Raises BadRequest.
    """
    first, last, today = day(query, "from"), day(query, "to"), clock.now().date()
    month = timedelta(days=DEFAULT_DAYS - 1)
    if last is None:
        last = today if first is None or first > today - month else first + month
    if first is None:
        first = max(last, date.min + month) - month
    if first > last:
        raise BadRequest(f"The range ends, with {last}, before it begins, with {first}.")
    if (last - first).days >= most:
        raise BadRequest(f"The range has {(last - first).days + 1} days; what is asked for is told of at most {most}.")
    return first, last
