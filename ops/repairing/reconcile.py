"""Reconcile the clicks of a day: each that was accepted is counted, waits, is dead or is in the log for replay.

What was accepted is known from the redirect's log, one line a click, with the click's id; what was counted, from the
counters. Different functions wrote them in different places, so each can prove the other wrong. A counter's breakdowns
have to add up to its clicks, too.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from chalicelib import aws, config
from chalicelib.batches import read_all
from chalicelib.clicks.breakdowns import numbers
from chalicelib.clicks.click import UndecodableClick, decode
from chalicelib.clicks.counters import SORT_KEY
from chalicelib.links.deleted import deleted_among
from ops.shared.log_lines import json_lines, lines_of_redirects
from ops.shared.queues import looked_at, queue_depth

_LATEST_LINE = timedelta(minutes=1)
"""A click's line is written within the redirect's time-out of 10 seconds."""


class Key(NamedTuple):
    """What tells a click from every other one: the key of its row."""

    code: str
    click_id: str


@dataclass(frozen=True)
class Day:
    """The clicks of a day."""

    day: str
    accepted: tuple[int, int]
    """According to the log: before everything else was looked up, and afterwards."""
    counted: int
    dead: int
    """In the dead-letter queue, and not counted."""
    replayable: int
    """In the log because the queue could not be reached, and neither counted nor dead."""
    untellable: int
    """Of a deleted link: the recorder did not count them, or they are as those two, and with its rows purged they may
    have been counted."""

    @property
    def missing(self) -> int:
        """Clicks that are none of these. They may wait in the queue."""
        return max(0, self.accepted[0] - self.counted - self.dead - self.replayable - self.untellable)

    @property
    def surplus(self) -> int:
        """Clicks that are counted, dead or replayable, but were not accepted."""
        return max(0, self.counted + self.dead + self.replayable - self.accepted[1])


class Wrong(NamedTuple):
    """A counter whose numbers do not add up to each other."""

    code: str
    day: str
    shard: str
    why: str


@dataclass(frozen=True)
class Balance:
    """The clicks of some days, and what waits in the queue, of whichever day."""

    days: list[Day]
    waiting: int
    wrong: tuple[Wrong, ...] = ()
    """Of the counters of these days."""

    @property
    def missing(self) -> int:
        """Accepted clicks that are nowhere to be found."""
        return max(0, sum(each.missing for each in self.days) - self.waiting)

    @property
    def surplus(self) -> int:
        """Clicks beyond those that were accepted."""
        return sum(each.surplus for each in self.days)

    @property
    def holds(self) -> bool:
        """Whether every click is accounted for."""
        return not self.missing and not self.surplus


def balance_until(stage: str, days: list[date], seconds: float) -> Balance:
    """The balance, looked up again for some seconds if it does not hold: log lines and queue depths come late."""
    deadline = time.monotonic() + seconds
    while not (found := balance(stage, days)).holds and time.monotonic() < deadline:
        time.sleep(2)
    return found


def balance(stage: str, days: list[date]) -> Balance:
    """The balance of some days in UTC. `stage` is one that the process is connected to. Raises LookFailed."""
    names = {day.isoformat() for day in days}
    # From where clicks come to where they end: one that moves meanwhile is not missed.
    before = _logged(stage, days)
    waiting = queue_depth(config.click_queue_url())
    dead = _dead()
    elsewhere = before.unqueued | dead
    lost = without_rows(elsewhere)
    passed_over = {key: day for key, day in _passed_over(stage, days).items() if key in before.accepted[day]}
    elsewhere |= passed_over
    untellable = _of_deleted_links(lost) | without_rows(passed_over)
    counted, wrong = _counted(names)
    after = _logged(stage, days)
    found = [
        Day(
            day=day,
            accepted=(len(before.accepted[day]), len(after.accepted[day])),
            counted=counted[day],
            dead=sum(elsewhere[key] == day for key in lost & dead.keys() - untellable),
            replayable=sum(elsewhere[key] == day for key in lost - dead.keys() - untellable),
            untellable=sum(elsewhere[key] == day for key in untellable),
        )
        for day in sorted(names)
    ]
    return Balance(found, waiting, tuple(wrong))


def uncounted(stage: str, days: list[date]) -> set[Key]:
    """Which of the clicks that were accepted have no row. Looks each of them up, which takes a while."""
    return without_rows(set().union(*_logged(stage, days).accepted.values()))


class _Logged(NamedTuple):
    """The clicks in the redirect's log."""

    accepted: defaultdict[str, set[Key]]
    """By day."""
    unqueued: dict[Key, str]
    """Those of them that SQS seemed not to accept, each with its day."""


def _logged(stage: str, days: list[date]) -> _Logged:
    found = _Logged(defaultdict(set), {})
    start = datetime.combine(min(days), datetime.min.time(), UTC)
    end = datetime.combine(max(days), datetime.min.time(), UTC) + timedelta(days=1) + _LATEST_LINE
    for line in lines_of_redirects(stage, start.timestamp(), "occurred_at", end.timestamp()):
        with suppress(KeyError, TypeError, AttributeError, UndecodableClick):  # a line that only mentions one
            if "unqueued_click" in line:
                click = decode(line["unqueued_click"])
                key, day = Key(*click.key), click.day
                found.unqueued[key] = day
            else:
                key, day = Key(line["code"], line["click_id"]), line["occurred_at"][:10]
            found.accepted[day].add(key)
    return found


def _passed_over(stage: str, days: list[date]) -> dict[Key, str]:
    """The clicks that the recorder did not count, since their links were deleted, each with its day."""
    found = {}
    start = datetime.combine(min(days), datetime.min.time(), UTC)
    for line in json_lines(stage, "record_clicks", start.timestamp(), "uncounted_clicks"):
        for click in line.get("uncounted_clicks", []):
            found[Key(click["code"], click["click_id"])] = click["occurred_at"][:10]
    return found


def _dead() -> dict[Key, str]:
    """The clicks in the dead-letter queue, each with its day. Raises LookFailed."""
    found = {}
    with looked_at(f"{config.click_queue_url()}-dlq") as look:
        for message in look.messages():
            with suppress(UndecodableClick):  # it never was a click
                click = decode(message["Body"])
                found[Key(*click.key)] = click.day
    return found


def _counted(days: Collection[str]) -> tuple[Counter[str], list[Wrong]]:
    """The clicks counted on each of some days, of all links, the deleted ones too; and the counters that are wrong."""
    counts: Counter[str] = Counter()
    wrong: list[Wrong] = []
    pages = (
        aws.dynamodb()
        .get_paginator("scan")
        .paginate(
            TableName=config.daily_clicks_table(),
            FilterExpression="#sort_key >= :since",
            ExpressionAttributeNames={"#sort_key": SORT_KEY},
            ExpressionAttributeValues={":since": {"S": min(days)}},
            ConsistentRead=True,
        )
    )
    for page in pages:
        for item in page["Items"]:
            day, _, shard = item[SORT_KEY]["S"].partition("#")
            if day in days:
                found = numbers([item])
                counts[day] += found.clicks
                if why := found.why_wrong():
                    wrong.append(Wrong(item["code"]["S"], day, shard, why))
    return counts, wrong


def without_rows(clicks: Iterable[Key]) -> set[Key]:
    """Which of some clicks have no row, as of now."""
    keys = {key: {"code": {"S": key.code}, "click_id": {"S": key.click_id}} for key in clicks}
    rows = read_all(config.clicks_table(), list(keys.values()), attributes=("code", "click_id"))
    return keys.keys() - {Key(row["code"]["S"], row["click_id"]["S"]) for row in rows}


def replayable(clicks: Iterable[Key]) -> set[Key]:
    """Which of some clicks that could not be queued are not counted, and of a link that was not deleted since."""
    lost = without_rows(clicks)
    return lost - _of_deleted_links(lost)


def _of_deleted_links(clicks: set[Key]) -> set[Key]:
    deleted = deleted_among({key.code for key in clicks})
    return {key for key in clicks if key.code in deleted}
