"""purge_clicks: what was counted of a deleted link is removed, however often the work is interrupted."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chalicelib import aws, deliveries
from chalicelib.clicks import counters, purge
from chalicelib.clicks.purge import purge_clicks
from chalicelib.deliveries import BatchFailed
from chalicelib.links.events import EventType, LinkEvent, encode
from chalicelib.links.status import Status
from chalicelib.links.store import insert_link, replace_link
from tests import infrastructure
from tests.builders import NOW, TODAY, LambdaContext, StoppedClock, a_link, a_message, an_sqs_event
from tests.faults import Fault, Faults, cancelled, lost, refused, throttled, timed_out

EVENT_ID = uuid.uuid4()
CONFLICT = "TransactionConflict"

Lines = Callable[[], list[dict[str, Any]]]


def an_event(code: str, kind: EventType = "link.deleted", version: int = 2) -> str:
    url = "https://x.example/"
    return encode(LinkEvent(v=1, id=EVENT_ID, type=kind, code=code, url=url, version=version, occurred_at=NOW))


def given_deleted(code: str, clicks: int) -> None:
    """A link that was deleted as its second version, and its clicks."""
    insert_link(a_link(code=code, status=Status.DELETED, version=2))
    given_counted(code, clicks)


def given_counted(code: str, number: int, day: str = TODAY) -> None:
    """As many rows, and a counter."""
    environment, put = infrastructure.environment(), infrastructure.dynamodb().put_item
    for index in range(number):
        row: dict[str, Any] = {"code": {"S": code}, "click_id": {"S": str(index)}}
        put(TableName=environment["CLICKS_TABLE"], Item=row)
    given_counter(code, number, day)


def given_counter(code: str, number: int, day: str = TODAY, shard: int = 7) -> None:
    key = counters.sort_key(day, shard)
    counter: dict[str, Any] = {"code": {"S": code}, "day#shard": {"S": key}, "clicks": {"N": str(number)}}
    infrastructure.dynamodb().put_item(TableName=infrastructure.environment()["DAILY_CLICKS_TABLE"], Item=counter)


@pytest.fixture(autouse=True)
def counted_clicks() -> None:
    given_deleted("gone", 60)
    insert_link(a_link(code="stays", version=2))
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


def deliver(event: str = an_event("gone"), context: LambdaContext | None = None) -> dict[str, Any]:
    return purge_clicks(an_sqs_event(a_message(event)), context or LambdaContext())


def restore(code: str = "gone") -> None:
    """Bring a deleted link back, as its next version."""
    replace_link(a_link(code=code), 2)


def test_rows_and_counters_of_the_deleted_link_are_removed_and_no_others() -> None:
    response = deliver()

    assert {"batchItemFailures": []} == response
    assert ((0, 0), (3, 1)) == (left("gone"), left("stays"))


def test_running_it_twice_is_harmless() -> None:
    deliver()

    assert {"batchItemFailures": []} == deliver()
    assert {TODAY: 60} == moved()


def test_how_many_clicks_a_day_had_stays_known() -> None:
    given_counted("gone", 60, day="2026-05-26")
    given_deleted("gone-too", 5)

    deliver()
    deliver(an_event("gone-too"))

    assert {"2026-05-26": 60, TODAY: 65} == moved()


@pytest.mark.usefixtures("one_item_a_page")
def test_all_counters_of_all_days_are_moved(faults: Faults) -> None:
    days = [(NOW.date() - timedelta(days=back)).isoformat() for back in range(5)]
    for day in days:
        for shard in range(counters.SHARDS):
            given_counter("gone", 2, day, shard)

    deliver()

    assert (0, 0) == left("gone")
    assert dict.fromkeys(days, 2 * counters.SHARDS) == moved()
    assert all(len(call.params["TransactItems"]) <= 100 for call in faults.of("TransactWriteItems"))


def test_rows_are_removed_ninety_nine_at_a_time(faults: Faults) -> None:
    given_counted("gone", 250)

    deliver()

    sizes = [len(call.params["TransactItems"]) for call in faults.of("TransactWriteItems")]
    assert [100, 100, 53, 3] == sizes


def test_a_counter_that_grows_meanwhile_is_moved_as_it_is_then(faults: Faults) -> None:
    grown = iter([True])

    def grow(**_: Any) -> None:
        if next(grown, False):
            given_counter("gone", 61)

    faults.handle(aws.dynamodb(), "before-call.dynamodb.TransactWriteItems", grow)

    deliver()

    assert (0, 0) == left("gone")
    assert {TODAY: 61} == moved()


def test_when_time_runs_out_a_new_message_goes_on_with_what_is_left() -> None:
    given_counted("gone", 160)

    # Asked before the message and before each transaction: time for one.
    response = deliver(context=LambdaContext(60, 60, deliveries.SECONDS_IN_RESERVE))

    assert {"batchItemFailures": []} == response
    assert (61, 1) == left("gone")
    [message] = infrastructure.receive("DeletedLinksQueue")
    assert an_event("gone") == message["body"]
    purge_clicks(an_sqs_event(message), LambdaContext())
    assert (0, 0) == left("gone")


def test_busy_items_are_tried_again_after_pauses_until_time_runs_out(faults: Faults, clock: StoppedClock) -> None:
    faults.plan(cancelled(CONFLICT, *["None"] * 60), operation="TransactWriteItems")

    response = deliver(context=LambdaContext(60, 60, 60, 60, deliveries.SECONDS_IN_RESERVE))

    assert {"batchItemFailures": []} == response
    assert 3 == len(clock.sleeps) == len(set(clock.sleeps))
    assert (60, 1) == left("gone")
    assert [an_event("gone")] == [message["body"] for message in infrastructure.receive("DeletedLinksQueue")]


@pytest.mark.parametrize("nth", [1, 2])
def test_busy_items_are_purged_when_they_are_free_again(faults: Faults, nth: int) -> None:
    faults.plan(cancelled("None", CONFLICT, "ThrottlingError"), operation="TransactWriteItems", nth=nth)

    deliver()

    assert (0, 0) == left("gone")
    assert {TODAY: 60} == moved()


@pytest.mark.parametrize(
    "fault", [throttled(), refused("AccessDeniedException"), timed_out(), lost(timed_out())], ids=str
)
def test_whichever_call_breaks_the_message_comes_again_and_finishes(faults: Faults, fault: Fault) -> None:
    for _ in faults.each_call(fault):
        before = sum(moved().values())
        given_counted("gone", 30)
        try:
            deliver()
        except BatchFailed:
            faults.repair()
            deliver()

        assert (0, 0) == left("gone")
        assert 30 == sum(moved().values()) - before

    assert {"Query", "TransactWriteItems"} == {call.operation for call in faults.broken}


def test_a_message_that_is_no_event_fails_alone_and_removes_nothing() -> None:
    poison = a_message("{}")

    response = purge_clicks(an_sqs_event(poison), LambdaContext())

    assert {"batchItemFailures": [{"itemIdentifier": poison["messageId"]}]} == response
    assert (60, 1) == left("gone")


# Links that are not deleted, whatever the message says


@pytest.mark.parametrize("kind", ["link.created", "link.updated"])
def test_an_event_of_another_type_removes_nothing_and_is_let_go(faults: Faults, lines: Lines, kind: EventType) -> None:
    response = deliver(an_event("gone", kind))

    assert {"batchItemFailures": []} == response
    assert (60, 1) == left("gone")
    assert [] == faults.calls
    [line] = lines()
    assert ("event of another type", "gone", kind) == (line["message"], line["code"], line["type"])


def the_kept(lines: Lines) -> tuple[str, int, int]:
    """Of what the log says that clicks were kept, and how many had been removed before."""
    [line] = [line for line in lines() if line["message"] == "clicks kept, since the link is not deleted"]
    return line["code"], line["version"], line["RowsPurged"]


@pytest.mark.parametrize("version", [1, 2, 3, 10**18 - 1])
def test_a_message_about_a_living_link_removes_nothing(lines: Lines, version: int) -> None:
    response = deliver(an_event("stays", version=version))

    assert {"batchItemFailures": []} == response
    assert (3, 1) == left("stays")
    assert ("stays", version, 0) == the_kept(lines)


def test_a_link_that_was_restored_keeps_its_clicks_when_the_old_deletion_comes(lines: Lines) -> None:
    restore()

    response = deliver()

    assert {"batchItemFailures": []} == response
    assert (60, 1) == left("gone")
    assert ("gone", 2, 0) == the_kept(lines)


def test_a_link_that_was_restored_and_deleted_again_is_purged_by_its_last_deletion_only() -> None:
    restore()
    replace_link(a_link(code="gone", status=Status.DELETED), 3)

    deliver()
    after_the_old_one = left("gone")
    deliver(an_event("gone", version=4))

    assert ((60, 1), (0, 0)) == (after_the_old_one, left("gone"))


def test_clicks_of_a_link_that_is_not_there_are_kept(lines: Lines) -> None:
    given_counted("nobodys", 5)

    response = deliver(an_event("nobodys"))

    assert {"batchItemFailures": []} == response
    assert (5, 1) == left("nobodys")
    assert ("nobodys", 2, 0) == the_kept(lines)


@pytest.mark.parametrize("nth", range(1, 8))
def test_before_whichever_transaction_a_link_is_restored_it_loses_nothing_more(
    faults: Faults, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    monkeypatch.setattr(purge, "_ROWS", 20)
    for day in ("2026-05-25", "2026-05-26"):
        for shard in (1, 2):
            given_counter("gone", 5, day, shard)

    def restore_in_between(**_: Any) -> None:
        if nth == len(faults.of("TransactWriteItems")):
            restore()

    faults.handle(aws.dynamodb(), "before-call.dynamodb.TransactWriteItems", restore_in_between)

    deliver()

    # Three transactions of rows and one for each day; of a day, all clicks count or none.
    rows = 60 - 20 * min(nth - 1, 3)
    days = {"2026-05-25": 10, "2026-05-26": 10, TODAY: 60}
    gone = dict(list(days.items())[: max(0, nth - 4)])
    kept = {day: clicks for day, clicks in days.items() if day not in gone}
    assert (rows, kept) == (left("gone")[0], counters.clicks_by_day("gone"))
    assert gone == moved()
