"""The recorder: counts the clicks of a batch of messages, each exactly once, however often it is delivered.

What may happen to a message here, and what follows:

    counted, now or before      it is deleted from the queue
    cannot be counted, ever     it fails, and comes back soon: five times, then it waits in the dead-letter queue
    cannot be counted now       it fails, and comes back after a pause that doubles with every try
    unknown (no answer came)    the same transaction again: if the first one was committed, its rows say so

Lambda deletes what is not named in `batchItemFailures`; see docs/adr/0002-one-transaction-per-group.md.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from itertools import islice
from typing import TYPE_CHECKING, Any, Self

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib import aws, clock, config
from chalicelib.clicks.click import Click, UndecodableClick, decode
from chalicelib.clicks.counters import own_shard
from chalicelib.clicks.transactions import Transaction, plan, read_reasons, why_not_countable
from chalicelib.observability import logger

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import ChangeMessageVisibilityBatchRequestEntryTypeDef

MOST_TRIES = 8
"""Tries of one transaction in one invocation; after that its messages wait in the queue instead."""

LONGEST_PAUSE = 2
"""Seconds between two tries, at most."""

SECONDS_IN_RESERVE = 15
"""Left over when trying ends: for a last call that times out (7 seconds), a pause, and putting messages off."""

FIRST_PAUSE = 15
"""Seconds until a message that could not be counted is delivered again; each further pause is twice as long."""

HOPELESS_PAUSE = 2
"""Seconds until a message that can never be counted is delivered again, on its way to the dead-letter queue."""

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
_PASSING_ERRORS = frozenset(
    {
        "InternalServerError",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ThrottlingException",
        "TransactionInProgressException",
    }
)


class BatchFailed(RuntimeError):
    """Every message of a batch failed for one cause. Lambda, seeing an error, polls more slowly."""


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
    """Why a click is not counted: `hopeless` if trying again cannot help."""

    cause: str
    hopeless: bool = False

    def pause(self, receive_count: int) -> int:
        """Seconds until the message is delivered again, after its `receive_count`th delivery."""
        return HOPELESS_PAUSE if self.hopeless else FIRST_PAUSE * 2 ** (receive_count - 1)


OUT_OF_TIME = Failure("out of time")


def record_clicks(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Count the clicks of an SQS event; returns the partial batch response that names the messages to keep.

    `context` is Lambda's, which knows how much time is left. Raises BatchFailed if all failed for one cause, such as
    an unreachable database.
    """

    def seconds_left() -> float:
        return float(context.get_remaining_time_in_millis()) / 1000 - SECONDS_IN_RESERVE

    deliveries = [Delivery.of(record) for record in event["Records"]]
    failures = _count(deliveries, seconds_left)
    if failures:
        _put_off(failures)
        logger.warning(
            "clicks not recorded",
            extra={"failures": [{"message_id": each.message_id, "cause": why.cause} for each, why in failures.items()]},
        )
        causes = set(failures.values()) - {OUT_OF_TIME}
        if len(failures) == len(deliveries) and len(causes) <= 1 and not any(why.hopeless for why in causes):
            raise BatchFailed(f"none of {len(deliveries)} messages could be recorded: {causes or OUT_OF_TIME}")
    return {"batchItemFailures": [{"itemIdentifier": delivery.message_id} for delivery in failures]}


def _count(deliveries: Sequence[Delivery], seconds_left: Callable[[], float]) -> dict[Delivery, Failure]:
    """Count what can be counted; returns the deliveries that must come again, with the reason."""
    now, retention_days = clock.now(), config.click_retention_days()
    failures: dict[Delivery, Failure] = {}
    clicks: dict[tuple[str, str], Click] = {}
    carriers: defaultdict[tuple[str, str], list[Delivery]] = defaultdict(list)
    for delivery in deliveries:
        try:
            click = decode(delivery.body)
        except UndecodableClick as error:
            failures[delivery] = Failure(f"undecodable: {error}", hopeless=True)
            continue
        if reason := why_not_countable(click, now, retention_days):
            failures[delivery] = Failure(reason, hopeless=True)
            continue
        clicks.setdefault(click.key, click)
        carriers[click.key].append(delivery)
    duplicates = sum(map(len, carriers.values())) - len(clicks)
    uncounted = 0
    # One after the other: transactions that touch the same counter would only cancel each other.
    for transaction in plan(clicks.values()):
        outcome = _commit(transaction, retention_days, seconds_left)
        duplicates += outcome.duplicates
        uncounted += len(outcome.failures)
        for click, failure in outcome.failures.items():
            failures |= dict.fromkeys(carriers[click.key], failure)
    logger.info(
        "clicks recorded",
        extra={
            "messages": len(deliveries),
            "recorded": sum(map(len, carriers.values())) - duplicates - uncounted,
            "duplicates": duplicates,
            "failed": len(failures),
        },
    )
    return failures


@dataclass(frozen=True, slots=True)
class _Outcome:
    duplicates: int
    failures: dict[Click, Failure]


def _commit(transaction: Transaction, retention_days: int, seconds_left: Callable[[], float]) -> _Outcome:
    """Commit a transaction, trying again for as long as that can help and time allows."""
    dynamodb = aws.dynamodb()
    duplicates = tries = 0
    failures: dict[Click, Failure] = {}
    failure = OUT_OF_TIME
    while transaction.clicks and tries < MOST_TRIES and seconds_left() > 0:
        try:
            dynamodb.transact_write_items(TransactItems=transaction.actions(own_shard(), retention_days))
            return _Outcome(duplicates, failures)
        except dynamodb.exceptions.TransactionCanceledException as error:
            cancellation = read_reasons(transaction, [each["Code"] for each in error.response["CancellationReasons"]])
            duplicates += len(cancellation.duplicates)
            failures |= dict.fromkeys(cancellation.impossible, Failure("refused by DynamoDB", hopeless=True))
            transaction = cancellation.rest
            if not cancellation.busy:
                continue
            failure = Failure(f"busy: {', '.join(cancellation.busy)}")
        except ClientError as error:
            failure = Failure(error.response["Error"]["Code"])
            if not _will_pass(error):
                break
        except BotoCoreError as error:  # no answer, or half of one: it may have been committed
            failure = Failure(type(error).__name__)
        tries += 1
        clock.sleep(_pause(tries))
    return _Outcome(duplicates, failures | dict.fromkeys(transaction.clicks, failure))


def _will_pass(error: ClientError) -> bool:
    return (
        error.response["Error"]["Code"] in _PASSING_ERRORS
        or error.response["ResponseMetadata"]["HTTPStatusCode"] >= HTTPStatus.INTERNAL_SERVER_ERROR
    )


def _pause(tries: int) -> float:
    # Full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    return random.uniform(0, min(LONGEST_PAUSE, 0.05 * 2**tries))  # noqa: S311 (nobody gains by guessing it)


def _put_off(failures: Mapping[Delivery, Failure]) -> None:
    """Have each message come back after its pause, instead of all at once when the visibility time-out ends."""
    entries: Iterator[ChangeMessageVisibilityBatchRequestEntryTypeDef] = iter(
        {"Id": str(number), "ReceiptHandle": each.receipt_handle, "VisibilityTimeout": why.pause(each.receive_count)}
        for number, (each, why) in enumerate(failures.items())
    )
    while ten := list(islice(entries, 10)):  # the most that one call takes
        try:
            aws.sqs().change_message_visibility_batch(QueueUrl=config.click_queue_url(), Entries=ten)
        except (BotoCoreError, ClientError) as error:
            logger.warning("messages not put off", extra={"reason": str(error)})
