"""DynamoDB is away for an hour, with the pauses of a deployed stage: what failed meanwhile is counted afterwards."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib import aws
from chalicelib.clicks import counters, queue, recorder
from chalicelib.deliveries import BatchFailed
from tests import infrastructure
from tests.builders import NOW, TODAY, StoppedClock, a_click, a_click_message, an_sqs_event
from tests.faults import Fault, refused, throttled, timed_out, unavailable
from tests.properties.adversary import CLICK_QUEUE_URL, RECORDER_SECONDS
from tests.properties.queues import Queues
from tests.properties.tables import Tables

BEGIN, END = NOW, NOW + timedelta(hours=1)


class Outage(Tables):
    """A DynamoDB that answers every call of a recorder with `fault` until it is over."""

    def __init__(self, clock: StoppedClock, fault: Fault) -> None:
        super().__init__()
        self._clock = clock
        self._fault = fault

    def batch_get_item(self, **request: Any) -> dict[str, Any]:
        self._fail("BatchGetItem")
        return super().batch_get_item(**request)

    def transact_write_items(self, **request: Any) -> dict[str, Any]:
        self._fail("TransactWriteItems")
        return super().transact_write_items(**request)

    def _fail(self, operation: str) -> None:
        if self._clock.now() < END:
            if str(self._fault) == str(timed_out()):
                self._clock.sleep(7)
            raise self._fault.error(infrastructure.dynamodb(), operation)


class Invocation:
    """Lambda's context of a recorder that starts now."""

    def __init__(self, clock: StoppedClock) -> None:
        self._clock = clock
        self._deadline = clock.now() + timedelta(seconds=RECORDER_SECONDS)

    def get_remaining_time_in_millis(self) -> float:
        return (self._deadline - self._clock.now()) / timedelta(milliseconds=1)


@pytest.mark.parametrize("fault", [unavailable(), throttled(), timed_out(), refused("AccessDeniedException")], ids=str)
def test_an_outage_of_an_hour_ends_in_no_dead_letter_and_with_every_click_counted(
    monkeypatch: pytest.MonkeyPatch, clock: StoppedClock, fault: Fault
) -> None:
    tables, queues = Outage(clock, fault), Queues(clock.now)
    monkeypatch.setattr(aws, "dynamodb", lambda *_: tables)
    monkeypatch.setattr(aws, "sqs", lambda *_: queues)
    to_come = list(minutes(BEGIN, END))

    while to_come or queues.waiting:
        clock.time = max(clock.time, min([*to_come[:1], *(message.visible_at for message in queues.waiting)]))
        if to_come and to_come[0] <= clock.time:
            queue.enqueue(a_click_message(a_click(occurred_at=to_come.pop(0))))
        deliver(queues, clock)

    assert [] == queues.dead
    assert {TODAY: 61} == counters.clicks_by_day("my-link")
    assert clock.time < END + timedelta(hours=1)


def minutes(first: datetime, last: datetime) -> Iterator[datetime]:
    while first <= last:
        yield first
        first += timedelta(minutes=1)


def deliver(queues: Queues, clock: StoppedClock) -> None:
    """Hand what is visible to a recorder, and delete what it does not report."""
    records = [record for message in queues.visible() if (record := queues.take(message))]
    if not records:
        return
    invocation = Invocation(clock)
    try:
        response = recorder.record_clicks(an_sqs_event(*records), invocation)
    except BatchFailed:
        return
    finally:
        assert invocation.get_remaining_time_in_millis() >= 0
    failed = {failure["itemIdentifier"] for failure in response["batchItemFailures"]}
    for record in records:
        if record["messageId"] not in failed:
            queues.delete_message(QueueUrl=CLICK_QUEUE_URL, ReceiptHandle=record["receiptHandle"])
