"""purge_clicks: what was counted of a deleted link is removed, however often the work is interrupted."""

import uuid
from datetime import timedelta
from typing import Any

import pytest

from chalicelib import aws, deliveries
from chalicelib.clicks import counters
from chalicelib.clicks.purge import purge_clicks
from chalicelib.deliveries import BatchFailed
from chalicelib.links.events import LinkEvent, encode
from tests import infrastructure
from tests.builders import NOW, TODAY, LambdaContext, a_message, an_sqs_event
from tests.faults import Fault, Faults, lost, refused, throttled, timed_out

EVENT_ID = uuid.uuid4()


def deleted(code: str) -> str:
    """The event that a link was deleted."""
    url = "https://x.example/"
    return encode(LinkEvent(v=1, id=EVENT_ID, type="link.deleted", code=code, url=url, version=2, occurred_at=NOW))


def given_counted(code: str, number: int, day: str = TODAY) -> None:
    """As many rows, and a counter."""
    environment, put = infrastructure.environment(), infrastructure.dynamodb().put_item
    for index in range(number):
        row: dict[str, Any] = {"code": {"S": code}, "click_id": {"S": str(index)}}
        put(TableName=environment["CLICKS_TABLE"], Item=row)
    given_counter(code, number, day)


def given_counter(code: str, number: int, day: str = TODAY) -> None:
    counter: dict[str, Any] = {"code": {"S": code}, "day#shard": {"S": f"{day}#07"}, "clicks": {"N": str(number)}}
    infrastructure.dynamodb().put_item(TableName=infrastructure.environment()["DAILY_CLICKS_TABLE"], Item=counter)


@pytest.fixture(autouse=True)
def counted_clicks() -> None:
    given_counted("gone", 60)
    given_counted("stays", 3)


def moved() -> dict[str, int]:
    """The counters of deleted links, by day."""
    return {
        item["day#shard"].partition("#")[0]: int(item["clicks"])
        for item in infrastructure.items("DAILY_CLICKS_TABLE")
        if item["code"] == counters.DELETED_LINKS
    }


def left(code: str) -> tuple[int, int]:
    """How many rows and counters a link has left."""
    rows, counters = (
        [item for item in infrastructure.items(table) if item["code"] == code]
        for table in ("CLICKS_TABLE", "DAILY_CLICKS_TABLE")
    )
    return len(rows), len(counters)


def purge(context: LambdaContext | None = None, code: str = "gone") -> dict[str, Any]:
    return purge_clicks(an_sqs_event(a_message(deleted(code))), context or LambdaContext())


def test_rows_and_counters_of_the_deleted_link_are_removed_and_no_others() -> None:
    response = purge()

    assert {"batchItemFailures": []} == response
    assert ((0, 0), (3, 1)) == (left("gone"), left("stays"))


def test_running_it_twice_is_harmless() -> None:
    purge()

    assert {"batchItemFailures": []} == purge()


def test_how_many_clicks_a_day_had_stays_known() -> None:
    given_counted("gone", 60, day="2026-05-26")
    given_counted("gone-too", 5)

    purge()
    purge(code="gone-too")

    assert {"2026-05-26": 60, TODAY: 65} == moved()


def test_more_counters_than_one_transaction_takes_are_moved() -> None:
    days = [(NOW.date() - timedelta(days=back)).isoformat() for back in range(120)]
    for day in days:
        given_counted("gone", 2, day=day)

    purge()

    assert (0, 0) == left("gone")
    assert dict.fromkeys(days, 2) == moved()


def test_a_counter_that_grows_meanwhile_is_moved_as_it_is_then() -> None:
    grown = iter([True])

    def grow(**_: Any) -> None:
        if next(grown, False):
            given_counter("gone", 61)

    aws.dynamodb().meta.events.register("before-call.dynamodb.TransactWriteItems", grow)

    purge()

    assert (0, 0) == left("gone")
    assert {TODAY: 61} == moved()


def test_when_time_runs_out_a_new_message_goes_on_with_what_is_left() -> None:
    # Asked before the message, before the first step, and before each call of the step: time for one call.
    response = purge(LambdaContext(60, 60, 60, deliveries.SECONDS_IN_RESERVE))

    assert {"batchItemFailures": []} == response
    assert (35, 1) == left("gone")
    [message] = infrastructure.receive("DeletedLinksQueue")
    assert deleted("gone") == message["body"]
    purge_clicks(an_sqs_event(message), LambdaContext())
    assert (0, 0) == left("gone")


@pytest.mark.parametrize(
    "fault", [throttled(), refused("AccessDeniedException"), timed_out(), lost(timed_out())], ids=str
)
def test_whichever_call_breaks_the_message_comes_again_and_finishes(faults: Faults, fault: Fault) -> None:
    for number in faults.each_call(fault):
        code = f"gone-{number}"
        before = sum(moved().values())
        given_counted(code, 30)
        try:
            purge(code=code)
        except BatchFailed:
            faults.repair()
            purge(code=code)

        assert (0, 0) == left(code)
        assert 30 == sum(moved().values()) - before


def test_a_message_that_is_no_event_fails_alone_and_removes_nothing() -> None:
    poison = a_message("{}")

    response = purge_clicks(an_sqs_event(poison), LambdaContext())

    assert {"batchItemFailures": [{"itemIdentifier": poison["messageId"]}]} == response
    assert (60, 1) == left("gone")
