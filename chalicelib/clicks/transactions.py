"""Which writes count a set of clicks, and what it means when DynamoDB refuses them. Nothing here calls AWS.

A transaction holds a `Put` for each click and an `ADD` for each counter that they change. It happens as a whole or not
at all, so a click's row is there if and only if the click is in its counter.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from chalicelib import clock, config
from chalicelib.clicks.click import Click
from chalicelib.clicks.counters import SORT_KEY, sort_key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef

MOST_ACTIONS = 100
"""DynamoDB's limit for one transaction."""

# A row is deleted some time after it expires, never before; the margin covers clocks that differ.
_EXPIRY_MARGIN = timedelta(hours=1)


class CounterKey(NamedTuple):
    """What a counter counts: a link's clicks on a day in UTC."""

    code: str
    day: str


@dataclass(frozen=True, slots=True)
class Transaction:
    """Clicks that are counted together, each a different one."""

    clicks: tuple[Click, ...]

    @property
    def counters(self) -> dict[CounterKey, int]:
        """How much each counter grows."""
        return Counter(CounterKey(click.code, click.day) for click in self.clicks)

    def actions(self, shard: int, retention_days: int) -> "list[TransactWriteItemTypeDef]":
        """The TransactItems: the rows in the order of `clicks`, then the counters in the order of `counters`."""
        return [
            *(_put_row(click, retention_days) for click in self.clicks),
            *(_add_to_counter(key, amount, shard) for key, amount in self.counters.items()),
        ]

    def without(self, clicks: Iterable[Click]) -> "Transaction":
        """The same transaction with some clicks dropped, and so with lower counters."""
        dropped = {click.key for click in clicks}
        return Transaction(tuple(click for click in self.clicks if click.key not in dropped))


def why_not_countable(click: Click, now: datetime, retention_days: int) -> str | None:
    """Why this click must not be counted at `now`, or None if it may.

    A click older than its row may live cannot be told from one that was counted and whose row has expired since.
    """
    age = now - click.occurred_at
    if age >= timedelta(days=retention_days) - _EXPIRY_MARGIN:
        return "older than rows are kept: it may have been counted and forgotten"
    if age <= -timedelta(days=1):
        return "from the future"
    return None


def plan(clicks: Iterable[Click]) -> list[Transaction]:
    """The transactions that count `clicks`, each but the last one with 99 or 100 actions.

    Clicks on one link and day stay together and the busiest come first, so that a hot link pays for one counter update
    in 99 clicks.
    """
    groups: defaultdict[CounterKey, list[Click]] = defaultdict(list)
    for click in clicks:
        groups[CounterKey(click.code, click.day)].append(click)
    transactions: list[Transaction] = []
    chosen: list[Click] = []
    room = MOST_ACTIONS
    for group in sorted(groups.values(), key=len, reverse=True):
        rest = group
        while rest:
            if room < 2:  # not even one click and its counter
                transactions.append(Transaction(tuple(chosen)))
                chosen, room = [], MOST_ACTIONS
            taken, rest = rest[: room - 1], rest[room - 1 :]
            chosen += taken
            room -= len(taken) + 1
    return [*transactions, Transaction(tuple(chosen))] if chosen else transactions


class Cancellation(NamedTuple):
    """What the reasons of a cancelled transaction say."""

    duplicates: tuple[Click, ...]
    """Counted before, by a transaction that was committed."""
    impossible: tuple[Click, ...]
    """DynamoDB will never accept these."""
    rest: Transaction
    """Neither counted nor refused: to be tried again."""
    busy: tuple[str, ...]
    """Why to pause before trying again: somebody else was at work on the same items, or the table was too busy."""


def read_reasons(transaction: Transaction, reasons: Sequence[str]) -> Cancellation:
    """Read the codes of CancellationReasons, one for each action in its order.

    Only ConditionalCheckFailed means that a row exists. A TransactionConflict means that the item was busy, and says
    nothing about whether its click was counted.
    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
    """
    rows = reasons[: len(transaction.clicks)]
    counters = dict(zip(transaction.counters, reasons[len(rows) :], strict=True))
    duplicates = tuple(
        click for click, reason in zip(transaction.clicks, rows, strict=True) if reason == "ConditionalCheckFailed"
    )
    impossible = tuple(
        click
        for click, reason in zip(transaction.clicks, rows, strict=True)
        if _IMPOSSIBLE & {reason, counters[CounterKey(click.code, click.day)]} and click not in duplicates
    )
    busy = {*reasons} - {"None", "ConditionalCheckFailed", *_IMPOSSIBLE}
    return Cancellation(
        duplicates,
        impossible,
        rest=transaction.without((*duplicates, *impossible)),
        busy=tuple(sorted(busy)) or (() if duplicates or impossible else ("no reason given",)),
    )


_IMPOSSIBLE = {"ValidationError", "ItemCollectionSizeLimitExceeded"}


def _put_row(click: Click, retention_days: int) -> "TransactWriteItemTypeDef":
    code, click_id = click.key
    expires_at = int(click.occurred_at.timestamp()) + retention_days * 24 * 60 * 60
    item: dict[str, AttributeValueTypeDef] = {
        "code": {"S": code},
        "click_id": {"S": click_id},
        "occurred_at": {"S": clock.rfc3339(click.occurred_at)},
        "expires_at": {"N": str(expires_at)},
    }
    seen = {"referrer": click.referrer, "user_agent": click.user_agent, "country": click.country}
    item |= {name: {"S": value} for name, value in seen.items() if value}
    return {
        "Put": {
            "TableName": config.clicks_table(),
            "Item": item,
            "ConditionExpression": "attribute_not_exists(click_id)",
        }
    }


def _add_to_counter(key: CounterKey, amount: int, shard: int) -> "TransactWriteItemTypeDef":
    return {
        "Update": {
            "TableName": config.daily_clicks_table(),
            "Key": {"code": {"S": key.code}, SORT_KEY: {"S": sort_key(key.day, shard)}},
            "UpdateExpression": "ADD clicks :amount",
            "ExpressionAttributeValues": {":amount": {"N": str(amount)}},
        }
    }
