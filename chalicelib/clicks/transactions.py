"""Which writes count a set of clicks, and what it means when DynamoDB refuses them. Nothing here calls AWS.

A transaction holds a `Put` for each click and an `ADD` for each counter that they change, breakdowns included. It
happens as a whole or not at all, so a click's row is there if and only if the click is in its counter, and in each of
its breakdowns.
"""

import uuid
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from chalicelib import clock, config
from chalicelib.clicks.admission import MOST_BYTES, Admission, Item
from chalicelib.clicks.breakdowns import CLICKS, attributes_of
from chalicelib.clicks.click import Click
from chalicelib.clicks.counters import SORT_KEY, sort_key
from chalicelib.clicks.message import LONGEST_REFERRER, LONGEST_USER_AGENT, LONGEST_VALUE, UTM

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import (
        AttributeValueTypeDef,
        TransactWriteItemTypeDef,
    )

MOST_ACTIONS = 100
"""DynamoDB's limit for one transaction."""

MOST_ATTRIBUTES = 150
"""That one update adds to. An expression may have 4 KB and 300 operators, and nowhere is written whether these count.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
"""

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
    plain: frozenset[CounterKey] = frozenset()
    """Counters whose breakdowns DynamoDB refused: they only count."""
    attributes: Mapping[Click, tuple[str, ...]] = field(default_factory=dict, compare=False, repr=False)
    """What clicks add to, of those that were looked at already: to look takes longer than to remember."""

    @property
    def counters(self) -> dict[CounterKey, Counter[str]]:
        """How much each counter grows, by attribute."""
        counters: dict[CounterKey, Counter[str]] = {}
        for click in self.clicks:
            key = CounterKey(click.code, click.day)
            amounts = counters.setdefault(key, Counter())
            for name in (CLICKS,) if key in self.plain else self.attributes.get(click) or attributes_of(click):
                amounts[name] += 1
        return counters

    def actions(
        self, shard: int, retention_days: int, admissions: Mapping[CounterKey, Admission]
    ) -> "list[TransactWriteItemTypeDef]":
        """The TransactItems: the rows in the order of `clicks`, then the counters in the order of `counters`."""
        return [
            *(_put_row(click, retention_days) for click in self.clicks),
            *(_add_to_counter(key, admission, shard) for key, admission in admissions.items()),
        ]

    def without(self, clicks: Iterable[Click]) -> "Transaction":
        """The same transaction with some clicks dropped, and so with lower counters."""
        dropped = {click.key for click in clicks}
        return replace(self, clicks=tuple(click for click in self.clicks if click.key not in dropped))

    def plainly(self, counters: Iterable[CounterKey]) -> "Transaction":
        """The same transaction without the breakdowns of some counters."""
        return replace(self, plain=self.plain.union(counters))


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
    """The transactions that count `clicks`, each but the last one with 99 or 100 actions, unless an update is full.

    Clicks on one link and day stay together and the busiest come first, so that a hot link pays for one counter update
    in 99 clicks.
    """
    groups: defaultdict[CounterKey, list[Click]] = defaultdict(list)
    attributes: dict[Click, tuple[str, ...]] = {}
    for click in clicks:
        groups[CounterKey(click.code, click.day)].append(click)
        attributes[click] = attributes_of(click)
    transactions: list[Transaction] = []
    chosen: list[Click] = []
    room = MOST_ACTIONS
    for group in sorted(groups.values(), key=len, reverse=True):
        rest = group
        while rest:
            if room < 2:  # not even one click and its counter
                transactions.append(Transaction(tuple(chosen), attributes=attributes))
                chosen, room = [], MOST_ACTIONS
            fitting = _fit_in_one_update(attributes[click] for click in rest[: room - 1])
            taken, rest = rest[:fitting], rest[fitting:]
            chosen += taken
            # A transaction touches a counter once.
            room = 0 if rest else room - len(taken) - 1
    return [*transactions, Transaction(tuple(chosen), attributes=attributes)] if chosen else transactions


def _fit_in_one_update(attributes: Iterable[Collection[str]]) -> int:
    """How many clicks on one link and day, by their attributes and from the first on, an update can hold."""
    names: set[str] = set()
    fitting = 0
    for of_a_click in attributes:
        names.update(of_a_click)
        if len(names) > MOST_ATTRIBUTES:
            break
        fitting += 1
    return fitting


Reason = Mapping[str, Any]
"""A CancellationReason: its Code, and maybe the Item that a condition met."""


class Cancellation(NamedTuple):
    """What the reasons of a cancelled transaction say."""

    duplicates: tuple[Click, ...]
    """Counted before, by a transaction that was committed."""
    impossible: tuple[Click, ...]
    """DynamoDB will never accept these."""
    rest: Transaction
    """Neither counted nor refused: to be tried again."""
    crowded: dict[CounterKey, Item | None]
    """Counters whose open names were not where they were thought to be, or had no room; with their items if told."""
    busy: tuple[str, ...]
    """Why to pause before trying again: somebody else was at work on the same items, or the table was too busy."""
    counter_in_conflict: bool
    """Whether another consumer was at a counter."""


def read_reasons(transaction: Transaction, reasons: Sequence[Reason]) -> Cancellation:
    """Read the CancellationReasons, one for each action in its order.

    Only a row's ConditionalCheckFailed means that a click was counted; a counter's, that names have no room there. A
    TransactionConflict means that the item was busy, and says nothing about whether its click was counted. If a counter
    is invalid, it is the breakdown that is too much: it goes again without.
    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
    """
    codes = [reason["Code"] for reason in reasons]
    rows = codes[: len(transaction.clicks)]
    counters = dict(zip(transaction.counters, reasons[len(rows) :], strict=True))
    too_much = {key for key, reason in counters.items() if reason["Code"] == _INVALID and key not in transaction.plain}
    crowded = {key: reason.get("Item") for key, reason in counters.items() if reason["Code"] == _CONDITION_FAILED}
    duplicates = tuple(click for click, code in zip(transaction.clicks, rows, strict=True) if code == _CONDITION_FAILED)
    impossible = tuple(
        click
        for click, code in zip(transaction.clicks, rows, strict=True)
        if code != _CONDITION_FAILED and (code in _IMPOSSIBLE or _is_impossible(click, counters, too_much))
    )
    busy = {*codes} - {"None", _CONDITION_FAILED, *_IMPOSSIBLE}
    told = duplicates or impossible or crowded or too_much
    return Cancellation(
        duplicates,
        impossible,
        rest=transaction.without((*duplicates, *impossible)).plainly(too_much),
        crowded=crowded,
        busy=tuple(sorted(busy)) or (() if told else ("no reason given",)),
        counter_in_conflict=any(reason["Code"] == "TransactionConflict" for reason in counters.values()),
    )


_CONDITION_FAILED = "ConditionalCheckFailed"
_INVALID = "ValidationError"
_IMPOSSIBLE = {_INVALID, "ItemCollectionSizeLimitExceeded"}


def _is_impossible(click: Click, counters: Mapping[CounterKey, Reason], too_much: set[CounterKey]) -> bool:
    key = CounterKey(click.code, click.day)
    return key not in too_much and counters[key]["Code"] in _IMPOSSIBLE


def _put_row(click: Click, retention_days: int) -> "TransactWriteItemTypeDef":
    code, click_id = click.key
    expires_at = int(click.occurred_at.timestamp()) + retention_days * 24 * 60 * 60
    item: dict[str, AttributeValueTypeDef] = {
        "code": {"S": code},
        "click_id": {"S": click_id},
        "occurred_at": {"S": clock.rfc3339(click.occurred_at)},
        "expires_at": {"N": str(expires_at)},
    }
    for name, most in _SEEN.items():
        if value := getattr(click, name):
            item[name] = {"S": value.encode()[:most].decode(errors="ignore")}
    return {
        "Put": {
            "TableName": config.clicks_table(),
            "Item": item,
            "ConditionExpression": "attribute_not_exists(click_id)",
        }
    }


def click_in(row: Item) -> Click:
    """The click that a row is of, with what the row keeps of it."""
    return Click(
        v=1,
        id=uuid.UUID(row["click_id"]["S"]),
        code=row["code"]["S"],
        occurred_at=datetime.fromisoformat(row["occurred_at"]["S"]),
        **{name: row[name]["S"] if name in row else None for name in _SEEN},
    )


_SEEN = {
    "referrer": LONGEST_REFERRER,
    "user_agent": LONGEST_USER_AGENT,
    "country": 2,
    **dict.fromkeys(UTM, LONGEST_VALUE),
}
"""What a row keeps of a visitor, and how many bytes of it."""


def _add_to_counter(key: CounterKey, admission: Admission, shard: int) -> "TransactWriteItemTypeDef":
    names = {name: f"#{number}" for number, name in enumerate(admission.amounts)}
    # A value is named like what it is: there are fewer of them than of names.
    adds = [f"{names[name]} :{amount}" for name, amount in admission.amounts.items()]
    values = {f":{amount}": {"N": str(amount)} for amount in admission.amounts.values()}
    conditions = [f"attribute_exists({names[name]})" for name in admission.there]
    sets = ""
    if admission.as_read is not None:
        sets = "SET v = :v "
        values |= {":v": {"N": str(admission.bytes)}, ":as_read": {"N": admission.as_read}}
        conditions = ["clicks = :as_read"]
    elif admission.bytes:
        adds.append("v :v")
        values |= {":v": {"N": str(admission.bytes)}, ":room": {"N": str(MOST_BYTES - admission.bytes)}}
        conditions.append("(attribute_not_exists(v) OR v <= :room)")
    update: dict[str, Any] = {
        "TableName": config.daily_clicks_table(),
        "Key": {"code": {"S": key.code}, SORT_KEY: {"S": sort_key(key.day, shard)}},
        "UpdateExpression": f"{sets}ADD {', '.join(adds)}",
        "ExpressionAttributeNames": {placeholder: name for name, placeholder in names.items()},
        "ExpressionAttributeValues": values,
    }
    if conditions:
        update |= {
            "ConditionExpression": " AND ".join(conditions),
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    return {"Update": update}  # type: ignore[typeddict-item]
