"""The click queue and its dead-letter queue, in memory. test_models.py holds them against moto.

SQS promises to keep a message until it is deleted or too old, and to deliver it at least once; neither an order nor
that one consumer at a time has it. Who uses the model as a client sees the queue at its best; the adversary asks it for
the rest: messages twice, and deleted ones again.
"""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests import infrastructure
from tests.infrastructure import CLICK_DEAD_LETTER_QUEUE, CLICK_QUEUE

_SETTINGS = infrastructure.properties(CLICK_QUEUE)
VISIBILITY_SECONDS: int = _SETTINGS["VisibilityTimeout"]
MOST_RECEIVES: int = _SETTINGS["RedrivePolicy"]["maxReceiveCount"]

_URL, _DEAD_LETTER_URL = infrastructure.queue_url(CLICK_QUEUE), infrastructure.queue_url(CLICK_DEAD_LETTER_QUEUE)


@dataclass(eq=False)
class Message:
    body: str
    id: str
    visible_at: datetime
    receives: int = 0
    receipts: list[str] = field(default_factory=list)


class Queues:
    """Stands in for botocore's client. `now` says what time it is."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._ids = _uuids(1)
        self.waiting: list[Message] = []
        """What the click queue keeps, visible or not."""
        self.dead: list[Message] = []
        self.deleted: list[Message] = []

    # What the app calls, and Lambda on its behalf

    def send_message(self, *, QueueUrl: str, MessageBody: str) -> dict[str, Any]:  # noqa: N803 (AWS)
        message = Message(MessageBody, next(self._ids), self._now())
        self._of(QueueUrl).append(message)
        return {"MessageId": message.id}

    def receive_message(
        self,
        *,
        QueueUrl: str,  # noqa: N803 (AWS)
        MaxNumberOfMessages: int,  # noqa: N803 (AWS)
        AttributeNames: list[str],  # noqa: ARG002, N803 (AWS)
    ) -> dict[str, Any]:
        of = self._of(QueueUrl)
        found = [message for message in of if message.visible_at <= self._now()]
        received = [message for message in found if of is self.dead or not self._bury(message)][:MaxNumberOfMessages]
        return {
            "Messages": [
                {
                    "MessageId": record["messageId"],
                    "ReceiptHandle": record["receiptHandle"],
                    "Attributes": record["attributes"],
                    "Body": record["body"],
                }
                for record in map(self._record, received)
            ]
        }

    def delete_message(self, *, QueueUrl: str, ReceiptHandle: str) -> dict[str, Any]:  # noqa: N803 (AWS)
        of = self._of(QueueUrl)
        for message in [each for each in of if ReceiptHandle in each.receipts]:
            of.remove(message)
            self.deleted.append(message)
        return {}

    def change_message_visibility_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 (AWS)
        answer: dict[str, Any] = {"Successful": [], "Failed": []}
        for entry in Entries:
            found = [each for each in self._of(QueueUrl) if entry["ReceiptHandle"] in each.receipts]
            for message in found:
                message.visible_at = self._now() + timedelta(seconds=entry["VisibilityTimeout"])
            answer["Successful" if found else "Failed"].append({"Id": entry["Id"]})
        return answer

    # What the adversary can make of them

    def visible(self) -> list[Message]:
        return [message for message in self.waiting if message.visible_at <= self._now()]

    def hidden(self) -> list[Message]:
        return [message for message in self.waiting if message.visible_at > self._now()]

    def take(self, message: Message) -> dict[str, Any] | None:
        """The record of a message that is delivered, visible or not; None if it goes to the dead letters instead."""
        return None if self._bury(message) else self._record(message)

    def redrive(self) -> int:
        """Send the dead letters back, under new message ids; returns how many."""
        dead, self.dead = self.dead, []
        self.waiting += [Message(message.body, next(self._ids), self._now()) for message in dead]
        return len(dead)

    def revive(self, message: Message) -> None:
        """Deliver a deleted message again: one of the servers that kept it was away when it was deleted."""
        self.deleted.remove(message)
        self.waiting.append(message)

    def _of(self, url: str) -> list[Message]:
        return {_URL: self.waiting, _DEAD_LETTER_URL: self.dead}[url]

    def _bury(self, message: Message) -> bool:
        if message.receives < MOST_RECEIVES:
            return False
        self.waiting.remove(message)
        message.visible_at = self._now()
        self.dead.append(message)
        return True

    def _record(self, message: Message) -> dict[str, Any]:
        message.receives += 1
        message.receipts.append(next(self._ids))
        message.visible_at = self._now() + timedelta(seconds=VISIBILITY_SECONDS)
        return {
            "messageId": message.id,
            "receiptHandle": message.receipts[-1],
            "attributes": {"ApproximateReceiveCount": str(message.receives)},
            "body": message.body,
        }


def _uuids(first: int) -> Iterator[str]:
    # Not drawn at random: a run must replay to the letter.
    number = first
    while True:
        yield str(uuid.UUID(int=number, version=4))
        number += 1
