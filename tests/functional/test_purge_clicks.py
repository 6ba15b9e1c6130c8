"""purge_clicks: what was counted of a deleted link is removed, however often the work is interrupted."""

import uuid
from typing import Any

import pytest

from chalicelib import deliveries
from chalicelib.clicks.purge import purge_clicks
from chalicelib.deliveries import BatchFailed
from chalicelib.links.events import LinkEvent, encode
from tests import infrastructure
from tests.builders import NOW, LambdaContext, a_message, an_sqs_event
from tests.faults import Fault, Faults, lost, refused, throttled, timed_out

DELETED = encode(
    LinkEvent(
        v=1, id=uuid.uuid4(), type="link.deleted", code="gone", url="https://x.example/", version=2, occurred_at=NOW
    )
)


def given_counted(code: str, number: int) -> None:
    """As many rows, and a counter."""
    environment, put = infrastructure.environment(), infrastructure.dynamodb().put_item
    for index in range(number):
        row: dict[str, Any] = {"code": {"S": code}, "click_id": {"S": str(index)}}
        put(TableName=environment["CLICKS_TABLE"], Item=row)
    counter: dict[str, Any] = {"code": {"S": code}, "day#shard": {"S": "2026-05-27#07"}, "clicks": {"N": str(number)}}
    put(TableName=environment["DAILY_CLICKS_TABLE"], Item=counter)


@pytest.fixture(autouse=True)
def counted_clicks() -> None:
    given_counted("gone", 60)
    given_counted("stays", 3)


def left(code: str) -> tuple[int, int]:
    """How many rows and counters a link has left."""
    rows, counters = (
        [item for item in infrastructure.items(table) if item["code"] == code]
        for table in ("CLICKS_TABLE", "DAILY_CLICKS_TABLE")
    )
    return len(rows), len(counters)


def purge(context: LambdaContext | None = None) -> dict[str, Any]:
    return purge_clicks(an_sqs_event(a_message(DELETED)), context or LambdaContext())


def test_rows_and_counters_of_the_deleted_link_are_removed_and_no_others() -> None:
    response = purge()

    assert {"batchItemFailures": []} == response
    assert ((0, 0), (3, 1)) == (left("gone"), left("stays"))


def test_running_it_twice_is_harmless() -> None:
    purge()

    assert {"batchItemFailures": []} == purge()


def test_when_time_runs_out_a_new_message_goes_on_with_what_is_left() -> None:
    # Asked before the message, before the first step, and before each call of the step: time for one call.
    response = purge(LambdaContext(60, 60, 60, deliveries.SECONDS_IN_RESERVE))

    assert {"batchItemFailures": []} == response
    assert (35, 1) == left("gone")
    [message] = infrastructure.receive("DeletedLinksQueue")
    assert DELETED == message["body"]
    purge_clicks(an_sqs_event(message), LambdaContext())
    assert (0, 0) == left("gone")


@pytest.mark.parametrize(
    "fault", [throttled(), refused("AccessDeniedException"), timed_out(), lost(timed_out())], ids=str
)
def test_whichever_call_breaks_the_message_comes_again_and_finishes(faults: Faults, fault: Fault) -> None:
    for _ in faults.each_call(fault):
        given_counted("gone", 30)
        try:
            purge()
        except BatchFailed:
            faults.repair()
            purge()

        assert (0, 0) == left("gone")


def test_a_message_that_is_no_event_fails_alone_and_removes_nothing() -> None:
    poison = a_message("{}")

    response = purge_clicks(an_sqs_event(poison), LambdaContext())

    assert {"batchItemFailures": [{"itemIdentifier": poison["messageId"]}]} == response
    assert (60, 1) == left("gone")
