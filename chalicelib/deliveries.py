"""Messages as SQS delivers them to a function, and how those that fail come back.

A function answers a batch with `batchItemFailures`; Lambda deletes every message that is not named there. What fails
for a passing reason comes back after pauses that grow with every delivery, and span an outage of an hour; what can
never succeed comes back soon. After its fifth delivery either waits in the dead-letter queue.
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from math import ceil
from typing import TYPE_CHECKING, Any, Self

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib import aws, config
from chalicelib.observability import logger

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import ChangeMessageVisibilityBatchRequestEntryTypeDef

SECONDS_IN_RESERVE = 7 + 2 + 3
"""Left over when work ends: for a last call to DynamoDB that is not answered, in botocore's two attempts of 3 seconds
with a pause of at most one between them; for the recorder's longest pause; and for putting messages off, which is 50
calls of some hundredths of a second for the largest batch, or one that SQS does not answer, in two attempts of one.
"""

MOST_DELIVERIES = 5
"""Of a message: `maxReceiveCount` of each queue in infra/template.yaml."""

GROWTH: float = 6
"""Of the pause, from one delivery to the next: 15, 90, 540 and 3,240 seconds are an hour and four minutes."""

PERMANENT_FAILURE_PAUSE = 2
"""Seconds until a message that is not tried again, or to no avail, goes on its way to the dead-letter queue."""

LONGEST_DELAY = 11 * 60 * 60
"""Seconds. SQS hides a message for 12 hours at most, counted from when it was received, and refuses more:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
"""


class BatchFailed(RuntimeError):
    """Every message of a batch failed for one cause: a fault that should show among the function's errors."""


class PermanentFailure(ValueError):
    """A message that can never succeed; the text says why."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message, as delivered this time."""

    message_id: str
    receipt_handle: str
    receive_count: int
    body: str

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Self:
        """The delivery in a record of an SQS event."""
        return cls(
            record["messageId"],
            record["receiptHandle"],
            int(record["attributes"]["ApproximateReceiveCount"]),
            record["body"],
        )


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a message must come again: `permanent` if that cannot help."""

    cause: str
    permanent: bool = False

    @classmethod
    def of(cls, error: BotoCoreError | ClientError) -> Self:
        """The failure that an error of an AWS call is."""
        return cls(error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__)

    def pause(self, receive_count: int) -> int:
        """Whole seconds until the message is delivered again, after its `receive_count`th delivery."""
        if self.permanent or receive_count >= MOST_DELIVERIES:
            return PERMANENT_FAILURE_PAUSE
        return min(ceil(config.retry_pause_seconds() * GROWTH ** (receive_count - 1)), LONGEST_DELAY)


OUT_OF_TIME = Failure("out of time")


def seconds_left(context: Any) -> Callable[[], float]:
    """How many seconds a Lambda context leaves for work, less the reserve; asked again and again."""
    return lambda: float(context.get_remaining_time_in_millis()) / 1000 - SECONDS_IN_RESERVE


def handle_each(
    event: Mapping[str, Any], context: Any, queue_url: str, handle: Callable[[Delivery, Callable[[], float]], None]
) -> dict[str, Any]:
    """Have `handle` work on each message of an SQS event, and answer for the batch as `respond` does.

    `handle` is told how to ask for the seconds left. Its message comes back if it raises PermanentFailure or
    botocore's errors.
    """
    deliveries = [Delivery.of(record) for record in event["Records"]]
    left = seconds_left(context)
    failures: dict[Delivery, Failure] = {}
    for delivery in deliveries:
        if left() <= 0:
            failures[delivery] = OUT_OF_TIME
            continue
        try:
            handle(delivery, left)
        except PermanentFailure as error:
            failures[delivery] = Failure(str(error), permanent=True)
        except (BotoCoreError, ClientError) as error:
            failures[delivery] = Failure.of(error)
    return respond(deliveries, failures, queue_url)


def respond(deliveries: Sequence[Delivery], failures: Mapping[Delivery, Failure], queue_url: str) -> dict[str, Any]:
    """The partial batch response that keeps the messages that failed, each put off for its pause.

    Raises BatchFailed if all failed for one cause that may pass, such as an unreachable database.
    """
    if failures:
        _put_off(failures, queue_url)
        logger.warning(
            "messages failed",
            extra={"failures": [{"message_id": each.message_id, "cause": why.cause} for each, why in failures.items()]},
        )
        causes = set(failures.values()) - {OUT_OF_TIME}
        if len(failures) == len(deliveries) and len(causes) <= 1 and not any(why.permanent for why in causes):
            raise BatchFailed(f"all of {len(deliveries)} messages failed: {causes or OUT_OF_TIME}")
    return {"batchItemFailures": [{"itemIdentifier": delivery.message_id} for delivery in failures]}


def _put_off(failures: Mapping[Delivery, Failure], queue_url: str) -> None:
    """Have each message come back after its pause, instead of all at once when the visibility time-out ends."""
    entries: Iterator[ChangeMessageVisibilityBatchRequestEntryTypeDef] = iter(
        {"Id": str(number), "ReceiptHandle": each.receipt_handle, "VisibilityTimeout": why.pause(each.receive_count)}
        for number, (each, why) in enumerate(failures.items())
    )
    while ten := list(islice(entries, 10)):  # the most that one call takes
        try:
            aws.sqs().change_message_visibility_batch(QueueUrl=queue_url, Entries=ten)
        except ClientError as error:
            logger.warning("messages not put off", extra={"reason": str(error)})
        except BotoCoreError as error:  # no answer: the next call would wait as long, and only one is in reserve
            logger.warning("messages not put off", extra={"reason": str(error)})
            return
