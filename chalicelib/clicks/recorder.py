"""The recorder: counts the clicks of a batch of messages, each exactly once, however often it is delivered.

What may happen to a click here, and what follows:

    counted, now or before      its message is deleted from the queue
    of a deleted link           its message is deleted, and one line of the log names it
    cannot be counted, ever     its message fails for good (chalicelib/deliveries.py)
    cannot be counted now       its message fails, and comes back after a pause
    unknown (no answer came)    the same transaction again: if the first one was committed, its rows say so

Why the count is exact: docs/adr/0002-one-transaction-per-group.md.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib import aws, clock, config
from chalicelib.clicks.admission import OpenNames
from chalicelib.clicks.click import Click, UndecodableClick, decode
from chalicelib.clicks.counters import draw_another_shard, own_shard
from chalicelib.clicks.transactions import Cancellation, Transaction, plan, read_reasons, why_not_countable
from chalicelib.deliveries import OUT_OF_TIME, Delivery, Failure, respond, seconds_left
from chalicelib.links.deleted import deleted_among
from chalicelib.observability import logger, measured

MOST_TRIES = 8
"""Tries of one transaction in one invocation; after that its messages wait in the queue instead."""

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
_TRANSIENT_ERRORS = frozenset(
    {
        "InternalServerError",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ThrottlingException",
        "TransactionInProgressException",
    }
)


@dataclass(frozen=True, slots=True)
class _Result:
    """What became of some clicks. Those of deleted links are in none of these."""

    recorded: set[Click] = field(default_factory=set)
    lags: list[int] = field(default_factory=list)
    """Of those that were recorded: milliseconds from the click to its commit."""
    duplicates: set[Click] = field(default_factory=set)
    """Counted before."""
    failures: dict[Click, Failure] = field(default_factory=dict)


def record_clicks(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Count the clicks of an SQS event; returns the partial batch response that names the messages to keep.

    `context` is Lambda's, which knows how much time is left. Raises BatchFailed if all failed for one cause, such as
    an unreachable database.
    """
    deliveries = [Delivery.of(record) for record in event["Records"]]
    copies, failures = _read(deliveries)
    result = _count(copies.keys(), seconds_left(context))
    for click, failure in result.failures.items():
        failures |= dict.fromkeys(copies[click], failure)
    counted = sum(len(copies[click]) for click in result.recorded | result.duplicates)
    _log_batch(len(deliveries), counted - len(result.recorded), len(failures), result)
    return respond(deliveries, failures, config.click_queue_url())


def _log_batch(messages: int, duplicates: int, failures: int, result: _Result) -> None:
    """Write the one line that a batch costs. It names no click: a row says of a click that it is counted."""
    counts = measured(
        ClicksRecorded=len(result.recorded),
        ClicksDuplicate=duplicates,
        ClicksFailed=failures,
        **({"ClickLag": result.lags} if result.lags else {}),
    )
    logger.info("clicks recorded", extra={"messages": messages, **counts})


def _read(deliveries: Sequence[Delivery]) -> tuple[dict[Click, list[Delivery]], dict[Delivery, Failure]]:
    """The clicks that may be counted, each with the deliveries that carry it; and why the others carry none."""
    now, retention_days = clock.now(), config.click_retention_days()
    clicks: dict[tuple[str, str], Click] = {}
    copies: defaultdict[Click, list[Delivery]] = defaultdict(list)
    failures: dict[Delivery, Failure] = {}
    for delivery in deliveries:
        try:
            click = decode(delivery.body)
        except UndecodableClick as error:
            failures[delivery] = Failure(f"undecodable: {error}", permanent=True)
            continue
        if reason := why_not_countable(click, now, retention_days):
            failures[delivery] = Failure(reason, permanent=True)
            continue
        copies[clicks.setdefault(click.key, click)].append(delivery)
    return copies, failures


def _count(clicks: Collection[Click], left: Callable[[], float]) -> _Result:
    """Count what can be counted of some clicks, each a different one."""
    result = _Result()
    try:
        living = _of_living_links(clicks, left)
    except (BotoCoreError, ClientError) as error:  # then it is not known of any
        result.failures.update(dict.fromkeys(clicks, Failure.of(error)))
        return result
    # One after the other: transactions that touch the same counter would only cancel each other.
    for transaction in plan(living):
        _commit(transaction, result, left)
    return result


def _of_living_links(clicks: Collection[Click], left: Callable[[], float]) -> list[Click]:
    """Those clicks whose links are not deleted; the others are logged.

    What is counted after this is there before a purge of its link begins, and goes with it: docs/exactness.md.
    """
    if left() <= 0:
        return [*clicks]  # none of which will be counted now
    deleted = deleted_among(dict.fromkeys(click.code for click in clicks))
    if uncounted := [click for click in clicks if click.code in deleted]:
        logger.info("clicks of deleted links not counted", extra={"uncounted_clicks": [*map(_described, uncounted)]})
    return [click for click in clicks if click.code not in deleted]


def _described(click: Click) -> dict[str, str]:
    return {"click_id": str(click.id), "code": click.code, "occurred_at": clock.rfc3339(click.occurred_at)}


def _commit(transaction: Transaction, result: _Result, left: Callable[[], float]) -> None:
    """Commit a transaction, trying again for as long as that can help and time allows; adds to the result."""
    names = OpenNames()
    tries = 0
    failure = OUT_OF_TIME
    while transaction.clicks and tries < MOST_TRIES and left() > 0:
        try:
            _write(transaction, names)
        except aws.dynamodb().exceptions.TransactionCanceledException as error:
            cancellation = read_reasons(transaction, error.response["CancellationReasons"])
            _learn(cancellation, result, names)
            transaction = cancellation.rest
            if not cancellation.busy:
                continue
            failure = Failure(f"busy: {', '.join(cancellation.busy)}")
        except ClientError as error:
            failure = Failure.of(error)
            if plainer := _without_breakdowns(transaction, error):
                transaction = plainer
                continue
            if not _is_transient(error):
                break
        except BotoCoreError as error:  # no answer, or half of one: it may have been committed
            failure = Failure.of(error)
        else:
            result.recorded.update(transaction.clicks)
            result.lags.extend(_lags(transaction))
            return
        tries += 1
        _pause(tries)
    result.failures.update(dict.fromkeys(transaction.clicks, failure))


def _write(transaction: Transaction, names: OpenNames) -> None:
    shard = own_shard()
    admissions = names.admit(transaction.counters, shard)
    aws.dynamodb().transact_write_items(
        TransactItems=transaction.actions(shard, config.click_retention_days(), admissions)
    )
    names.written()


def _learn(cancellation: Cancellation, result: _Result, names: OpenNames) -> None:
    result.duplicates.update(cancellation.duplicates)
    refused = Failure("refused by DynamoDB", permanent=True)
    result.failures.update(dict.fromkeys(cancellation.impossible, refused))
    names.found(cancellation.crowded)
    if cancellation.counter_in_conflict:
        draw_another_shard()


def _without_breakdowns(transaction: Transaction, error: ClientError) -> Transaction | None:
    """The same transaction without breakdowns, if DynamoDB finds it invalid and it has some; they may be the reason."""
    plain = transaction.plainly(transaction.counters)
    return plain if error.response["Error"]["Code"] == "ValidationException" and plain != transaction else None


def _pause(tries: int) -> None:
    if tries < MOST_TRIES:
        clock.back_off(tries)


def _lags(committed: Transaction) -> list[int]:
    """How many milliseconds passed between each click and now, its commit."""
    now = clock.now()
    return [(now - click.occurred_at) // timedelta(milliseconds=1) for click in committed.clicks]


def _is_transient(error: ClientError) -> bool:
    return (
        error.response["Error"]["Code"] in _TRANSIENT_ERRORS
        or error.response["ResponseMetadata"]["HTTPStatusCode"] >= HTTPStatus.INTERNAL_SERVER_ERROR
    )
