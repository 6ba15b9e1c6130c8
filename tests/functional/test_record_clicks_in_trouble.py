"""record_clicks, when AWS fails: nothing is lost, and nothing counts twice."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib import deliveries
from chalicelib.clicks import recorder
from chalicelib.clicks.click import Click
from chalicelib.clock import LONGEST_PAUSE
from chalicelib.deliveries import BatchFailed
from tests import infrastructure
from tests.builders import LambdaContext, StoppedClock, a_click, a_message, an_sqs_event, clicks
from tests.faults import (
    Fault,
    Faults,
    cancelled,
    lost,
    lost_once,
    refused,
    reset,
    throttled,
    timed_out,
    unavailable,
)

ALL_COUNTED: dict[str, Any] = {"batchItemFailures": []}
ASK, TRANSACT = "BatchGetItem", "TransactWriteItems"
CONFLICT, DUPLICATE, FINE = "TransactionConflict", "ConditionalCheckFailed", "None"

PASSING = [
    throttled(),
    unavailable(),
    timed_out(),
    reset(),
    refused("ProvisionedThroughputExceededException"),
    refused("RequestLimitExceeded"),
    refused("TransactionInProgressException"),
    refused("ServiceUnavailable", status=503),
    refused("SomethingNew", status=500),
]
LASTING = [
    refused("AccessDeniedException"),
    refused("ResourceNotFoundException"),
    refused("UnrecognizedClientException"),
]


def record(*records: dict[str, Any], context: LambdaContext | None = None) -> dict[str, Any]:
    return recorder.record_clicks(an_sqs_event(*records), context or LambdaContext())


def messages(*made: Click) -> list[dict[str, Any]]:
    return [a_message(click) for click in made]


def kept(*records: dict[str, Any]) -> dict[str, Any]:
    """The answer that has Lambda keep these messages."""
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in records]}


def rows_and_count() -> tuple[set[str], int]:
    """The ids of the clicks that have a row, and the sum of all counters."""
    rows = {item["click_id"] for item in infrastructure.items("CLICKS_TABLE")}
    return rows, sum(item["clicks"] for item in infrastructure.items("DAILY_CLICKS_TABLE"))


def each_once(*made: Click) -> tuple[set[str], int]:
    return {str(click.id) for click in made}, len(made)


def put_off(faults: Faults) -> list[list[int]]:
    """The visibility time-outs that were asked for, by call."""
    return [
        [entry["VisibilityTimeout"] for entry in call.params["Entries"]]
        for call in faults.of("ChangeMessageVisibilityBatch")
    ]


# What passes


@pytest.mark.parametrize("fault", PASSING, ids=str)
def test_what_passes_is_tried_again(faults: Faults, clock: StoppedClock, fault: Fault) -> None:
    made = clicks(3)
    faults.plan(fault, operation=TRANSACT, nth=1)

    response = record(*messages(*made))

    assert ALL_COUNTED == response
    assert [ASK, TRANSACT, TRANSACT] == faults.operations
    assert 1 == len(clock.sleeps)
    assert each_once(*made) == rows_and_count()


@pytest.mark.parametrize(
    "fault", [lost(timed_out()), lost(reset()), lost(unavailable()), lost(throttled()), lost_once()], ids=str
)
def test_a_transaction_whose_answer_is_lost_counts_once(faults: Faults, fault: Fault) -> None:
    made = clicks(3)
    faults.plan(fault, operation=TRANSACT, nth=1)

    response = record(*messages(*made))

    assert ALL_COUNTED == response
    assert each_once(*made) == rows_and_count()


def test_a_transaction_whose_every_answer_is_lost_counts_once_when_it_comes_again(faults: Faults) -> None:
    made = messages(*clicks(3))
    faults.plan(lost(timed_out()), operation=TRANSACT)
    with pytest.raises(BatchFailed):
        record(*made, context=LambdaContext(60, 60, deliveries.SECONDS_IN_RESERVE))  # time for one try
    faults.repair()

    response = record(*made)

    assert ALL_COUNTED == response
    assert 3 == rows_and_count()[1]


def test_pauses_between_tries_grow_at_random_and_stay_short(faults: Faults, clock: StoppedClock) -> None:
    faults.plan(throttled(), operation=TRANSACT)

    with pytest.raises(BatchFailed):
        record(a_message())

    assert recorder.MOST_TRIES == len(faults.of(TRANSACT))
    assert all(0 <= pause <= min(LONGEST_PAUSE, 0.05 * 2**tries) for tries, pause in enumerate(clock.sleeps, start=1))
    assert len(set(clock.sleeps)) == len(clock.sleeps)


# Conflicts and duplicates


def test_a_conflict_is_tried_again_and_counted_once(faults: Faults, clock: StoppedClock) -> None:
    made = clicks(2)
    faults.plan(cancelled(CONFLICT, FINE, CONFLICT), operation=TRANSACT, nth=1)

    response = record(*messages(*made))

    assert ALL_COUNTED == response
    assert 1 == len(clock.sleeps)
    assert each_once(*made) == rows_and_count()


def test_a_conflict_is_never_taken_for_a_duplicate(faults: Faults) -> None:
    message = a_message()
    faults.plan(cancelled(CONFLICT, FINE), operation=TRANSACT)

    with pytest.raises(BatchFailed, match=f"busy: {CONFLICT}"):
        record(message)

    assert (set(), 0) == rows_and_count()


def test_a_duplicate_is_dropped_while_a_conflict_beside_it_is_tried_again(faults: Faults) -> None:
    known, new, busy = clicks(3)
    record(a_message(known))
    faults.plan(cancelled(DUPLICATE, FINE, CONFLICT, FINE), operation=TRANSACT, nth=2)

    response = record(*messages(known, new, busy))

    assert ALL_COUNTED == response
    assert each_once(known, new, busy) == rows_and_count()


def test_duplicates_that_show_up_one_by_one_are_no_reason_to_pause_or_give_up(
    faults: Faults, clock: StoppedClock
) -> None:
    known = clicks(recorder.MOST_TRIES + 2)
    record(*messages(*known))
    for nth in range(len(known)):
        left = len(known) - nth
        faults.plan(cancelled(DUPLICATE, *[FINE] * left), operation=TRANSACT, nth=nth + 2)

    response = record(*messages(*known))

    assert ALL_COUNTED == response
    assert [] == clock.sleeps
    assert each_once(*known) == rows_and_count()


@pytest.mark.parametrize("reason", ["ThrottlingError", "ProvisionedThroughputExceeded", "SomethingNew", FINE])
def test_a_cancellation_that_says_nothing_of_the_click_is_tried_again(
    faults: Faults, clock: StoppedClock, reason: str
) -> None:
    click = a_click()
    faults.plan(cancelled(FINE, reason), operation=TRANSACT, nth=1)

    response = record(a_message(click))

    assert ALL_COUNTED == response
    assert 1 == len(clock.sleeps)
    assert each_once(click) == rows_and_count()


def test_a_click_that_dynamodb_will_never_accept_fails_alone(faults: Faults) -> None:
    fine, impossible = clicks(2)
    records = messages(fine, impossible)
    faults.plan(cancelled(FINE, "ValidationError", FINE), operation=TRANSACT, nth=1)

    response = record(*records)

    assert kept(records[1]) == response
    assert each_once(fine) == rows_and_count()
    assert [[deliveries.PERMANENT_FAILURE_PAUSE]] == put_off(faults)


# What does not pass, and what does not pass in time


@pytest.mark.parametrize("fault", LASTING, ids=str)
def test_what_lasts_is_not_tried_again(faults: Faults, clock: StoppedClock, fault: Fault) -> None:
    faults.plan(fault, operation=TRANSACT)

    with pytest.raises(BatchFailed, match=str(fault)):
        record(a_message())

    assert [ASK, TRANSACT, "ChangeMessageVisibilityBatch"] == faults.operations
    assert [] == clock.sleeps


def test_a_transaction_that_fails_does_not_take_another_with_it(faults: Faults) -> None:
    busy, quiet = messages(*clicks(99, code="busy")), messages(*clicks(5, code="quiet"))
    faults.plan(refused("AccessDeniedException"), operation=TRANSACT, nth=1)

    response = record(*busy, *quiet)

    assert kept(*busy) == response
    assert 5 == rows_and_count()[1]


def test_every_copy_of_a_click_that_is_not_counted_is_kept(faults: Faults) -> None:
    click, known = clicks(2, code="my-link")
    copies = messages(click, click, click)
    faults.plan(throttled(), operation=TRANSACT)

    with pytest.raises(BatchFailed):
        record(*copies)
    faults.repair()
    record(*copies, a_message(known))

    assert [[15, 15, 15]] == put_off(faults)
    assert each_once(click, known) == rows_and_count()


def test_who_has_no_time_left_starts_nothing(faults: Faults) -> None:
    with pytest.raises(BatchFailed, match="out of time"):
        record(a_message(), context=LambdaContext(deliveries.SECONDS_IN_RESERVE))

    assert ["ChangeMessageVisibilityBatch"] == faults.operations


def test_what_time_does_not_suffice_for_comes_again(faults: Faults) -> None:
    busy, quiet = messages(*clicks(99, code="busy")), messages(*clicks(5, code="quiet"))

    response = record(*busy, *quiet, context=LambdaContext(60, 60, deliveries.SECONDS_IN_RESERVE))

    assert kept(*quiet) == response
    assert 99 == rows_and_count()[1]
    assert [[15] * 5] == put_off(faults)


def test_trying_again_ends_when_time_does(faults: Faults) -> None:
    faults.plan(throttled(), operation=TRANSACT)

    with pytest.raises(BatchFailed, match="ThrottlingException"):
        record(a_message(), context=LambdaContext(60, 60, 50, 40, deliveries.SECONDS_IN_RESERVE))

    assert 3 == len(faults.of(TRANSACT))


@pytest.mark.parametrize("fault", [*PASSING, *LASTING, lost(timed_out())], ids=str)
def test_while_it_is_unknown_which_links_are_deleted_nothing_is_counted(faults: Faults, fault: Fault) -> None:
    made = clicks(3)
    records = messages(*made, made[0])
    faults.plan(fault, operation=ASK)

    with pytest.raises(BatchFailed):
        record(*records)
    at_first = rows_and_count()
    faults.repair()
    record(*records)

    assert ((set(), 0), [[15] * 4]) == (at_first, put_off(faults))
    assert each_once(*made) == rows_and_count()


def test_what_can_never_be_counted_fails_for_its_own_reason_while_links_cannot_be_asked(
    faults: Faults, logs: Callable[[], list[dict[str, Any]]]
) -> None:
    poison, click = a_message("no click"), a_message()
    faults.plan(throttled(), operation=ASK)

    response = record(poison, click)

    assert kept(poison, click) == response
    [line] = [line for line in logs() if line["message"] == "clicks recorded"]
    assert (2, 0, 0, 2) == (line["messages"], line["ClicksRecorded"], line["ClicksDuplicate"], line["ClicksFailed"])


# What Lambda is told


def test_a_batch_that_fails_for_one_cause_raises_after_its_messages_are_put_off(faults: Faults) -> None:
    records = messages(*clicks(2))
    faults.plan(refused("AccessDeniedException"), operation=TRANSACT)

    with pytest.raises(BatchFailed, match="AccessDeniedException"):
        record(*records)

    assert [[15, 15]] == put_off(faults)
    assert [record["receiptHandle"] for record in records] == [
        entry["ReceiptHandle"] for entry in faults.of("ChangeMessageVisibilityBatch")[0].params["Entries"]
    ]


def test_a_batch_that_fails_for_two_causes_is_reported(faults: Faults) -> None:
    busy, quiet = messages(*clicks(99, code="busy")), messages(*clicks(5, code="quiet"))
    faults.plan(refused("AccessDeniedException"), operation=TRANSACT, nth=1)
    faults.plan(refused("ResourceNotFoundException"), operation=TRANSACT, nth=2)

    assert kept(*busy, *quiet) == record(*busy, *quiet)


def test_a_batch_of_nothing_but_poison_is_reported_since_slowing_down_would_not_help() -> None:
    poison = [a_message("no click"), a_message("{}")]

    assert kept(*poison) == record(*poison)


def test_running_out_of_time_is_no_second_cause(faults: Faults) -> None:
    busy, quiet = messages(*clicks(99, code="busy")), messages(*clicks(5, code="quiet"))
    faults.plan(refused("AccessDeniedException"), operation=TRANSACT, nth=1)

    with pytest.raises(BatchFailed, match="AccessDeniedException"):
        record(*busy, *quiet, context=LambdaContext(60, 60, deliveries.SECONDS_IN_RESERVE))


def test_what_failed_is_logged_with_the_cause(faults: Faults, logs: Callable[[], list[dict[str, Any]]]) -> None:
    click, poison = a_message(), a_message("{")
    faults.plan(refused("AccessDeniedException"), operation=TRANSACT)

    record(click, poison)

    (line,) = [line for line in logs() if line["message"] == "messages failed"]
    assert [
        {"message_id": poison["messageId"], "cause": "undecodable: Input data was truncated"},
        {"message_id": click["messageId"], "cause": "AccessDeniedException"},
    ] == line["failures"]


def test_what_was_not_recorded_is_not_logged_as_recorded(
    faults: Faults, logs: Callable[[], list[dict[str, Any]]]
) -> None:
    busy, quiet = messages(*clicks(99, code="busy")), messages(*clicks(5, code="quiet"))
    faults.plan(refused("AccessDeniedException"), operation=TRANSACT, nth=1)

    record(*busy, *quiet)

    (line,) = [line for line in logs() if line["message"] == "clicks recorded"]
    assert (104, 5, 0, 99) == (line["messages"], line["ClicksRecorded"], line["ClicksDuplicate"], line["ClicksFailed"])


# When it comes again


def test_the_pause_grows_sixfold_with_every_delivery_but_the_last(faults: Faults) -> None:
    records = [a_message(receive_count=count) for count in (1, 2, 3, 4, 5)]
    faults.plan(throttled(), operation=TRANSACT)

    with pytest.raises(BatchFailed):
        record(*records)

    assert [[15, 90, 540, 3240, 2]] == put_off(faults)


def test_poison_comes_again_soon_on_its_way_to_the_dead_letter_queue(faults: Faults) -> None:
    record(*(a_message("no click", receive_count=count) for count in (1, 5)))

    assert [[2, 2]] == put_off(faults)


def test_ten_messages_are_put_off_at_a_time(faults: Faults) -> None:
    record(*(a_message("no click") for _ in range(23)))

    assert [10, 10, 3] == [len(pauses) for pauses in put_off(faults)]
    assert [10, 10, 3] == [
        len({entry["Id"] for entry in call.params["Entries"]}) for call in faults.of("ChangeMessageVisibilityBatch")
    ]


@pytest.mark.parametrize(
    "fault", [throttled(), unavailable(), timed_out(), lost(timed_out()), refused("ReceiptHandleIsInvalid")], ids=str
)
def test_a_message_that_cannot_be_put_off_is_reported_all_the_same(faults: Faults, fault: Fault) -> None:
    click = a_click()
    poison = [a_message("no click") for _ in range(11)]
    faults.plan(fault, operation="ChangeMessageVisibilityBatch")

    response = record(a_message(click), *poison)

    assert kept(*poison) == response
    assert each_once(click) == rows_and_count()


@pytest.mark.parametrize(("fault", "calls"), [(throttled(), 3), (timed_out(), 1), (reset(), 1)], ids=str)
def test_putting_messages_off_ends_with_the_first_call_that_is_not_answered_since_time_is_short(
    faults: Faults, fault: Fault, calls: int
) -> None:
    faults.plan(fault, operation="ChangeMessageVisibilityBatch")

    record(*(a_message("no click") for _ in range(23)))

    assert calls == len(put_off(faults))


def test_poison_ends_in_the_dead_letter_queue_after_five_deliveries() -> None:
    queue = infrastructure.queue_url(infrastructure.CLICK_QUEUE)
    infrastructure.sqs().send_message(QueueUrl=queue, MessageBody="no click")

    deliveries = 0
    while records := infrastructure.receive():
        deliveries += 1
        assert kept(*records) == record(*records)
        infrastructure.sqs().change_message_visibility(  # what waiting would do
            QueueUrl=queue, ReceiptHandle=records[0]["receiptHandle"], VisibilityTimeout=0
        )

    (dead,) = infrastructure.receive(infrastructure.CLICK_DEAD_LETTER_QUEUE)
    assert 5 == deliveries
    assert "no click" == dead["body"]
