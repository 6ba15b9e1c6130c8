"""record_clicks and the breakdowns: they ride in the counter's update, always add up, and never cost a click."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib import aws, config
from chalicelib.clicks import admission, breakdowns, recorder, transactions
from chalicelib.clicks.admission import MOST_BYTES, known_from, size_of
from chalicelib.clicks.breakdowns import Numbers, numbers
from chalicelib.clicks.click import Click
from chalicelib.clicks.counters import SORT_KEY, counters_of, sort_key
from chalicelib.clicks.dimensions import Dimensions, dimensions_of
from tests.builders import FIREFOX, GOOGLEBOT, NOW, TODAY, LambdaContext, a_click, a_message, an_sqs_event, clicks
from tests.faults import Faults, refused

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 "
    "Mobile/15E148 Safari/604.1"
)
TRANSACT = "TransactWriteItems"


@pytest.fixture(autouse=True)
def shard_seven(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "own_shard", lambda: 7)


def record(*made: Click) -> None:
    response = recorder.record_clicks(an_sqs_event(*map(a_message, made)), LambdaContext())
    assert {"batchItemFailures": []} == response


def told(code: str = "my-link") -> Numbers:
    return numbers(counters_of(code))


def from_host(host: str, **given: Any) -> Click:
    return a_click(referrer=f"https://{host}/", **given)


def junk(number: int) -> Click:
    return from_host(f"{number:05}.{'junk' * 10}.example.com")


def items() -> list[Any]:
    return [*counters_of("my-link")]


def test_what_is_known_of_people_is_counted_and_of_robots_only_that_they_came() -> None:
    record(
        a_click(user_agent=FIREFOX, country="DE", referrer="https://news.example.com/a", utm_source="newsletter"),
        a_click(user_agent=IPHONE, country="FR", occurred_at=NOW - timedelta(hours=3)),
        a_click(user_agent=GOOGLEBOT, country="US", referrer="https://www.google.com/"),
        a_click(),
    )

    found = told()
    assert (4, 3, 1, 0) == (found.clicks, found.people, found.bots, found.unrecorded)
    assert {
        "country": {"DE": 1, "FR": 1, "": 1},
        "browser": {"Firefox": 1, "Safari": 1, "": 1},
        "os": {"Linux": 1, "iOS": 1, "": 1},
        "device": {"desktop": 1, "mobile": 1, "": 1},
        "referrer": {"news.example.com": 1, "": 2},
        "utm_source": {"newsletter": 1, "": 2},
    } == {dimension: found.values(dimension) for dimension in breakdowns.LETTERS}
    assert {"h07": 1, "h10": 3, "x10": 1} == {name: found.amounts[name] for name in ("h07", "h10", "x10")}


def test_a_click_that_was_counted_before_is_in_no_breakdown_again() -> None:
    known, new = a_click(country="DE"), a_click(country="FR")
    record(known)

    record(known, new)

    assert {"DE": 1, "FR": 1} == told().values("country")


def test_what_was_counted_before_there_were_breakdowns_is_unrecorded() -> None:
    key = {"code": {"S": "my-link"}, SORT_KEY: {"S": sort_key(TODAY, 7)}}
    aws.dynamodb().put_item(TableName=config.daily_clicks_table(), Item={**key, "clicks": {"N": "5"}})

    record(a_click(country="DE"))

    found = told()
    assert (6, 1, 0, 5) == (found.clicks, found.people, found.bots, found.unrecorded)
    assert found.why_wrong() is None


@pytest.mark.parametrize("cause", ["ValidationError", "ValidationException"])
def test_a_breakdown_that_dynamodb_refuses_costs_no_click(faults: Faults, cause: str) -> None:
    made = [from_host("news.example.com"), a_click(code="another", country="DE")]
    refusal = refused(cause)
    if cause == "ValidationError":  # of the counter of the first link
        reasons = [{"Code": code} for code in ("None", "None", "ValidationError", "None")]
        refusal = refused("TransactionCanceledException", CancellationReasons=reasons)
    faults.plan(refusal, operation=TRANSACT, nth=1)

    record(*made)

    assert (1, 1) == (told().clicks, told().unrecorded)
    assert (1, cause == "ValidationException") == (told("another").clicks, bool(told("another").unrecorded))


def test_a_mistake_in_a_breakdown_costs_no_click(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Click) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(breakdowns, "dimensions_of", fail)

    record(a_click())

    assert (1, 1) == (told().clicks, told().unrecorded)


def test_a_click_is_looked_at_once_however_often_it_is_tried(monkeypatch: pytest.MonkeyPatch, faults: Faults) -> None:
    looked_at: list[Click] = []

    def look(click: Click) -> Dimensions:
        looked_at.append(click)
        return dimensions_of(click)

    monkeypatch.setattr(breakdowns, "dimensions_of", look)
    faults.plan(refused("ThrottlingException"), operation=TRANSACT, nth=1)
    made = clicks(3)

    record(*made)

    assert (made, 2) == (looked_at, len(faults.of(TRANSACT)))


def test_names_that_are_known_to_be_there_ask_for_no_room(faults: Faults) -> None:
    record(from_host("news.example.com"))
    record(from_host("news.example.com"), from_host("google.com"))

    _, update = (call.params["TransactItems"][-1]["Update"] for call in faults.of(TRANSACT))

    [name] = [key for key, value in update["ExpressionAttributeNames"].items() if value == "rnews.example.com"]
    assert f"attribute_exists({name})" == update["ConditionExpression"]
    assert {"news.example.com": 2, "google.com": 1} == told().values("referrer")


def test_a_name_that_is_remembered_and_gone_is_admitted_anew(faults: Faults) -> None:
    record(from_host("news.example.com"))
    key = {"code": {"S": "my-link"}, SORT_KEY: {"S": sort_key(TODAY, 7)}}
    aws.dynamodb().delete_item(TableName=config.daily_clicks_table(), Key=key)

    record(from_host("news.example.com"))

    [item] = items()
    assert [1, 2] == [int(item["clicks"]["N"]), len(faults.of(TRANSACT)) - 1]
    assert size_of(known_from(item).names) == int(item["v"]["N"])


def test_what_finds_no_room_is_other_and_well_known_hosts_always_do() -> None:
    for number in range(40):
        record(junk(number), from_host("google.com"))

    [item] = items()
    found = told().values("referrer")
    assert size_of(known_from(item).names) <= MOST_BYTES
    assert (40, found.total() - 40) == (found["google.com"], 40)
    assert found["*"] == 40 - len(known_from(item).names)


def test_an_upper_bound_that_is_too_high_is_put_right() -> None:
    for _ in range(30):  # as by environments that each have seen the name for the first time
        admission.forget()
        record(from_host("news.example.com"))

    [item] = items()
    assert int(item["v"]["N"]) <= MOST_BYTES
    assert {"news.example.com": 30} == told().values("referrer")


def test_an_update_has_at_most_150_attributes() -> None:
    made = [
        from_host(
            f"{number}.example.com", utm_source=f"source-{number}", occurred_at=NOW - timedelta(hours=number % 10)
        )
        for number in range(99)
    ]

    planned = transactions.plan(made)
    record(*made)

    assert [True] * len(planned) == [
        len(amounts) <= transactions.MOST_ATTRIBUTES
        for transaction in planned
        for amounts in transaction.counters.values()
    ]
    assert (99, 99) == (told().clicks, told().people)


def test_all_clicks_of_a_group_share_an_update_while_it_has_room() -> None:
    [transaction] = transactions.plan(clicks(99, user_agent=FIREFOX))

    assert 99 == len(transaction.clicks)
