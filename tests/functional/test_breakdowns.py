"""GET /stats/{code} of a range of days, and GET /stats: every answer adds up."""

import csv
from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from io import StringIO
from typing import Any

import pytest

from chalicelib import aws, config
from chalicelib.clicks import recorder
from chalicelib.clicks.counters import SORT_KEY
from chalicelib.links.status import Status
from chalicelib.links.store import insert_link
from tests.builders import FIREFOX, GOOGLEBOT, NOW, LambdaContext, a_click, a_link, a_message, an_sqs_event
from tests.faults import Faults
from tests.functional.visitor import NO_STORE, Answer, Visitor, a_problem

EVERYTHING = "country,referrer,browser,os,device,utm_source"


@pytest.fixture(autouse=True)
def a_link_with_visitors() -> None:
    """Ada's link, followed from Germany and France on two days, by a robot, and once by nobody knows whom."""
    insert_link(a_link(code="my-link", owner="ada"))
    record(country="DE", user_agent=FIREFOX, referrer="https://news.example.com/")
    record(country="DE", user_agent=FIREFOX, referrer="https://www.google.com/", utm_source="Newsletter")
    record(
        country="FR", user_agent=FIREFOX, referrer="https://blog.example.com/", occurred_at=NOW - timedelta(hours=30)
    )
    record(user_agent=GOOGLEBOT)
    record()
    before_breakdowns("2026-05-20", 4)


def record(**visitor: Any) -> None:
    click = a_click(**{"code": "my-link", **visitor})
    assert {"batchItemFailures": []} == recorder.record_clicks(an_sqs_event(a_message(click)), LambdaContext())


def before_breakdowns(day: str, clicks: int, code: str = "my-link") -> None:
    """What a recorder wrote that kept no breakdowns."""
    item = {"code": {"S": code}, SORT_KEY: {"S": f"{day}#12"}, "clicks": {"N": str(clicks)}}
    aws.dynamodb().put_item(TableName=config.daily_clicks_table(), Item=item)


def ask(caller: Visitor, query: str, path: str = "/stats/my-link") -> dict[str, Any]:
    answer = caller.get(f"{path}?{query}")
    assert 200 == answer.status, answer.body
    told: dict[str, Any] = answer.body
    return told


def values(told: Mapping[str, Any], dimension: str) -> dict[str | None, int]:
    return {each["value"]: each["clicks"] for each in told["by"][dimension]}


def test_a_range_is_told_with_people_robots_and_what_was_not_recorded(ada: Visitor) -> None:
    answer = ada.get("/stats/my-link?from=2026-05-01&to=2026-05-27")

    told = {"clicks": 9, "people": 4, "bots": 1, "unrecorded": 4, "by": {}, "other": {}}
    assert Answer(200, NO_STORE, {"code": "my-link", "from": "2026-05-01", "to": "2026-05-27", **told}) == answer


def test_every_dimension_adds_up_to_the_people_and_the_unknown_come_last(ada: Visitor) -> None:
    told = ask(ada, f"from=2026-05-01&to=2026-05-27&by={EVERYTHING}")

    assert [("DE", 2), ("FR", 1), (None, 1)] == [(each["value"], each["clicks"]) for each in told["by"]["country"]]
    assert {"news.example.com": 1, "google.com": 1, "blog.example.com": 1, None: 1} == values(told, "referrer")
    assert {"Firefox": 3, None: 1} == values(told, "browser")
    assert {"Linux": 3, None: 1} == values(told, "os")
    assert {"desktop": 3, None: 1} == values(told, "device")
    assert {"newsletter": 1, None: 3} == values(told, "utm_source")
    assert dict.fromkeys(EVERYTHING.split(","), 4) == {
        dimension: sum(values(told, dimension).values()) + told["other"][dimension] for dimension in told["by"]
    }


def test_what_is_beyond_the_limit_is_other(ada: Visitor) -> None:
    told = ask(ada, "from=2026-05-01&to=2026-05-27&by=country,referrer&limit=1")

    assert [({"DE": 2, None: 1}, 1), ({"blog.example.com": 1, None: 1}, 2)] == [
        (values(told, dimension), told["other"][dimension]) for dimension in ("country", "referrer")
    ]


def test_days_and_hours_are_of_all_clicks_newest_first(ada: Visitor) -> None:
    told = ask(ada, "from=2026-05-01&to=2026-05-27&by=day,hour")

    assert [("2026-05-27", 4), ("2026-05-26", 1), ("2026-05-20", 4)] == [*values(told, "day").items()]
    assert [("2026-05-27T10:00:00Z", 4), ("2026-05-26T04:00:00Z", 1)] == [*values(told, "hour").items()]
    assert {} == told["other"]


@pytest.mark.parametrize(
    ("query", "first", "last", "clicks"),
    [
        ("by=day", "2026-04-28", "2026-05-27", 9),
        ("from=2026-05-26", "2026-05-26", "2026-05-27", 5),
        ("to=2026-05-26", "2026-04-27", "2026-05-26", 5),
        ("from=2026-05-27&to=2026-05-27", "2026-05-27", "2026-05-27", 4),
        ("from=2020-02-01&to=2020-02-29", "2020-02-01", "2020-02-29", 0),
        ("from=2026-05-01&to=2027-05-01", "2026-05-01", "2027-05-01", 9),
        ("to=0001-01-03", "0001-01-01", "0001-01-03", 0),
    ],
)
def test_a_range_that_is_not_given_has_thirty_days(
    ada: Visitor, query: str, first: str, last: str, clicks: int
) -> None:
    told = ask(ada, query)

    assert (first, last, clicks) == (told["from"], told["to"], told["clicks"])


BAD_BY = (
    "The parameter 'by' must be some of day, hour, country, browser, os, device, referrer, utm_source, each once, "
    "with commas between."
)


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("from=yesterday", "The parameter 'from' must be a day such as 2026-05-27."),
        ("from=2026-02-30", "The parameter 'from' must be a day such as 2026-05-27."),
        ("to=20260527", "The parameter 'to' must be a day such as 2026-05-27."),
        ("to=%D9%A2026-05-27", "The parameter 'to' must be a day such as 2026-05-27."),
        ("from=2026-05-27&to=2026-05-26", "The range ends, with 2026-05-26, before it begins, with 2026-05-27."),
        ("from=2026-05-28", "The range ends, with 2026-05-27, before it begins, with 2026-05-28."),
        ("from=9999-12-31&by=day", "The range ends, with 2026-05-27, before it begins, with 9999-12-31."),
        ("by=colour", BAD_BY),
        ("by=", BAD_BY),
        ("by=day,day", BAD_BY),
        ("by=day,", BAD_BY),
        (
            "from=2025-05-26&to=2026-05-27",
            "The range has 367 days; what is asked for is told of at most 366.",
        ),
        (
            "from=2026-01-01&to=2026-04-03&by=country",
            "The range has 93 days; what is asked for is told of at most 92.",
        ),
        (
            "from=2026-05-01&to=2026-06-01&by=hour",
            "The range has 32 days; what is asked for is told of at most 31.",
        ),
        ("by=day&limit=0", "The parameter 'limit' must be a whole number from 1 to 1000."),
        ("by=day&format=xml", "The parameter 'format' must be json or csv."),
        ("by=day&days=3", "The parameter 'days' goes with none of from, to, by, limit, format."),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(ada: Visitor, query: str, detail: str) -> None:
    assert a_problem(HTTPStatus.BAD_REQUEST, "bad-request", detail) == ada.get(f"/stats/my-link?{query}")


@pytest.mark.parametrize("query", ["by=country", "format=csv"])
def test_breakdowns_are_told_to_the_owner_and_to_admins_only(
    ada: Visitor, bob: Visitor, admin: Visitor, anyone: Visitor, query: str
) -> None:
    assert [200, 403, 200, 401] == [who.get(f"/stats/my-link?{query}").status for who in (ada, bob, admin, anyone)]


def test_csv_has_a_row_for_each_number_and_adds_up(ada: Visitor) -> None:
    answer = ada.get("/stats/my-link?from=2026-05-01&to=2026-05-27&by=country,day&limit=1&format=csv")

    assert "text/csv; charset=utf-8" == answer.headers["Content-Type"]
    assert 'attachment; filename="my-link-2026-05-01-2026-05-27.csv"' == answer.headers["Content-Disposition"]
    assert [
        ["dimension", "value", "clicks"],
        ["total", "", "9"],
        ["people", "", "4"],
        ["bots", "", "1"],
        ["unrecorded", "", "4"],
        ["country", "DE", "2"],
        ["country", "", "1"],
        ["country", "(other)", "1"],
        ["day", "2026-05-27", "4"],
        ["day", "2026-05-26", "1"],
        ["day", "2026-05-20", "4"],
    ] == [*csv.reader(StringIO(answer.body))]


@pytest.mark.parametrize("source", ["=1+1", "+49", "-1", "@sum"])
def test_no_cell_of_csv_is_a_formula(ada: Visitor, source: str) -> None:
    record(utm_source=source)

    answer = ada.get("/stats/my-link?by=utm_source&format=csv")

    assert ["utm_source", f"'{source}", "1"] in [*csv.reader(StringIO(answer.body))]
    assert source in values(ask(ada, "by=utm_source"), "utm_source")


def test_totals_are_read_without_breakdowns_and_of_the_range_only(ada: Visitor, faults: Faults) -> None:
    ask(ada, "from=2026-05-27&to=2026-05-27&by=day")

    [question] = [call.params for call in faults.of("Query")]
    names = {*question["ExpressionAttributeNames"].values()}
    assert {"clicks", "h00", "x23"} <= names
    assert not {"v", "cDE"} & names
    assert {":first": {"S": "2026-05-27"}, ":last": {"S": "2026-05-27$"}}.items() <= question[
        "ExpressionAttributeValues"
    ].items()


@pytest.mark.usefixtures("one_item_a_page")
def test_a_range_is_read_to_its_last_page(ada: Visitor) -> None:
    assert 9 == ask(ada, "by=country&from=2026-05-01&to=2026-05-27")["clicks"]


# Of many links


@pytest.fixture
def three_links() -> None:
    """Two more links of ada's, the newer one followed twice; and one of bob's."""
    for minutes, (code, owner) in enumerate([("busy", "ada"), ("quiet", "ada"), ("bobs", "bob")], 1):
        insert_link(a_link(code=code, owner=owner, created_at=NOW + timedelta(minutes=minutes)))
    record(code="busy")
    record(code="busy")
    before_breakdowns("2026-04-01", 7, "busy")


@pytest.mark.usefixtures("three_links")
def test_the_callers_links_are_told_with_their_clicks_newest_first(ada: Visitor) -> None:
    told = ask(ada, "from=2026-05-21&to=2026-05-27", "/stats")

    expected = [{"code": "quiet", "clicks": 0}, {"code": "busy", "clicks": 2}, {"code": "my-link", "clicks": 5}]
    assert {"items": expected, "next": None} == told


@pytest.mark.usefixtures("three_links")
def test_many_links_are_told_a_page_at_a_time(ada: Visitor) -> None:
    first = ask(ada, "limit=2", "/stats")
    second = ask(ada, f"limit=2&cursor={first['next']}", "/stats")

    assert ["quiet", "busy", "my-link"] == [each["code"] for page in (first, second) for each in page["items"]]
    assert second["next"] is None


@pytest.mark.usefixtures("three_links")
def test_links_that_are_named_are_told_in_their_order_and_once(ada: Visitor) -> None:
    told = ask(ada, "code=my-link&code=busy&code=my-link&from=2026-04-01&to=2026-05-27", "/stats")

    expected = [{"code": "my-link", "clicks": 9}, {"code": "busy", "clicks": 9}]
    assert {"items": expected, "next": None} == told


@pytest.mark.usefixtures("three_links")
def test_an_admin_asks_for_the_links_of_anybody(admin: Visitor, bob: Visitor) -> None:
    assert ["bobs"] == [each["code"] for each in ask(admin, "owner=bob", "/stats")["items"]]
    assert 403 == bob.get("/stats?owner=ada").status


@pytest.mark.usefixtures("three_links")
@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("code=my-link&code=bobs", 403),
        ("code=my-link&code=nobodys", 404),
        ("code=my-link&code=%2F", 404),
        ("code=gone", 410),
        ("code=my-link&limit=3", 400),
        ("code=my-link&cursor=x", 400),
        ("code=my-link&owner=ada", 400),
        ("&".join(f"code=link-{number}" for number in range(51)), 400),
        ("limit=201", 400),
        ("cursor=nonsense", 400),
        ("from=2025-05-26&to=2026-05-27", 400),
    ],
)
def test_links_that_may_not_be_seen_and_bad_questions_are_refused(ada: Visitor, query: str, status: int) -> None:
    insert_link(a_link(code="gone", owner="ada", status=Status.DELETED))

    assert status == ada.get(f"/stats?{query}").status


def test_a_link_costs_a_query_and_named_links_one_read(ada: Visitor, faults: Faults) -> None:
    ask(ada, "code=my-link", "/stats")

    assert ["GetItem", "BatchGetItem", "Query"] == [
        operation for operation in faults.operations if operation != "Update"
    ]
