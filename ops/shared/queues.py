"""Queues: what waits in them, and a look through the messages of a dead-letter queue.

While it is looked through, its messages are hidden from others, and put back at the end. SQS shows messages only by
handing them out, at most ten in a call and in no order; one that is not deleted comes again when it was hidden for long
enough. So a look must be over before the first message that it hid comes back, or it might never end.
"""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ops.shared.aws import client
from ops.shared.errors import OperatorError
from ops.shared.stacks import stack_name

SECONDS_HIDDEN = 900
"""For so long a message is not handed out again. The dead-letter queues of infra/template.yaml do so by themselves."""

SECONDS_TO_LOOK = 840
"""For as long as this at most messages are received: the first of them are hidden still."""

MOST_MESSAGES = 110_000
"""SQS hides some 120,000 messages of a queue, and hands out no more then:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
"""

RECEIVERS = 10
"""At work at once. From far away a call takes a tenth of a second, and 100,000 messages are 10,000 calls."""

SECONDS_OF_A_POLL = 1
"""A long poll, since a short one asks only some of SQS's servers, and finds a queue empty that is not."""

T = TypeVar("T")

Message = dict[str, Any]
"""As SQS hands it out, with its attribute SentTimestamp."""


class LookFailed(OperatorError):
    """There are more messages than can be looked through; what the text says must be done first."""


def waiting_messages(stage: str) -> dict[str, int]:
    """How many messages are in each queue of a stage, by the queue's name; empty queues are left out."""
    waiting = {name: queue_depth(url) for name, url in queue_urls(stage).items()}
    return {name: count for name, count in waiting.items() if count}


def queue_urls(stage: str) -> dict[str, str]:
    """The URL of each queue of a stage, by the queue's name."""
    pages = client("sqs").get_paginator("list_queues").paginate(QueueNamePrefix=f"{stack_name(stage)}-")
    return {url.rpartition("/")[2]: url for url in sorted(url for page in pages for url in page.get("QueueUrls", []))}


def message_counts(url: str) -> tuple[int, int, int]:
    """About how many messages are in a queue: visible, hidden, delayed."""
    visible, hidden, delayed = (f"ApproximateNumberOfMessages{state}" for state in ("", "NotVisible", "Delayed"))
    names = [visible, hidden, delayed]
    attributes = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return int(attributes[visible]), int(attributes[hidden]), int(attributes[delayed])


def queue_depth(url: str) -> int:
    """About how many messages are in a queue, whatever their state."""
    return sum(message_counts(url))


@dataclass
class Look:
    """Messages of a queue that nobody else gets meanwhile."""

    url: str
    workers: ThreadPoolExecutor
    """What can be done with ten messages at a time is done by these."""
    _sqs: Any
    _hidden: dict[str, str] = field(default_factory=dict)
    """The receipt of each message that is to be put back, by the message's id."""
    _seen: set[str] = field(default_factory=set)

    def rounds(self, most: int | None = None) -> Iterator[list[Message]]:
        """The messages, up to a hundred at a time and each once, until none is new or `most` were given."""
        receivers = min(RECEIVERS, 1 + queue_depth(self.url) // 10)
        while most is None or len(self._seen) < most:
            wanted = 10 * receivers if most is None else min(10 * receivers, most - len(self._seen))
            received = [
                message for batch in self.workers.map(self._receive, map(len, tens(range(wanted)))) for message in batch
            ]
            news = {message["MessageId"]: message for message in received if message["MessageId"] not in self._seen}
            if not news:
                return
            self._seen.update(news)
            yield list(news.values())

    def messages(self, most: int | None = None) -> Iterator[Message]:
        """The same one by one, all of them or `most`. Raises LookFailed if they do not end in time."""
        deadline = time.monotonic() + SECONDS_TO_LOOK
        for some in self.rounds(most):
            yield from some
            if time.monotonic() > deadline or len(self._hidden) >= MOST_MESSAGES:
                raise LookFailed(
                    f"{self.url.rpartition('/')[2]} holds more messages than can be looked through, which is "
                    f"{MOST_MESSAGES:,} at once, or as many as come in {SECONDS_TO_LOOK // 60} minutes: "
                    f"{len(self._seen):,} were seen. Send some of them back first: python -m ops dlq redrive"
                )

    def delete(self, messages: Sequence[Message]) -> int:
        """Delete up to ten messages; returns how many of them SQS did not."""
        entries = [{"Id": str(number), "ReceiptHandle": each["ReceiptHandle"]} for number, each in enumerate(messages)]
        answer = self._sqs.delete_message_batch(QueueUrl=self.url, Entries=entries)
        for deleted in answer.get("Successful", []):
            del self._hidden[messages[int(deleted["Id"])]["MessageId"]]
        return len(answer.get("Failed", []))

    def put_back(self) -> None:
        """Let others have what was not deleted. A message that cannot be put back comes back by itself."""
        with ThreadPoolExecutor(RECEIVERS) as workers:
            list(workers.map(self._show_again, tens(list(self._hidden.values()))))

    def _receive(self, number: int) -> list[Message]:
        found: list[Message] = self._sqs.receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=number,
            VisibilityTimeout=SECONDS_HIDDEN,
            WaitTimeSeconds=SECONDS_OF_A_POLL,
            AttributeNames=["SentTimestamp"],
        ).get("Messages", [])
        self._hidden.update({message["MessageId"]: message["ReceiptHandle"] for message in found})
        return found

    def _show_again(self, receipts: Sequence[str]) -> None:
        entries = [
            {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
            for number, receipt in enumerate(receipts)
        ]
        self._sqs.change_message_visibility_batch(QueueUrl=self.url, Entries=entries)


@contextmanager
def looked_at(url: str) -> Iterator[Look]:
    """A look at a queue. What it hides is put back in the end, whatever happens, unless it is deleted."""
    look = Look(url, ThreadPoolExecutor(RECEIVERS), client("sqs"))
    try:
        with look.workers:  # which ends when they have done what they had begun
            yield look
    finally:
        look.put_back()


def tens(items: Sequence[T]) -> list[Sequence[T]]:
    """The items in tens, the most that SQS takes or gives in one call."""
    return [items[start : start + 10] for start in range(0, len(items), 10)]
