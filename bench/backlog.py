"""A minute of clicks on their way through the queue and the recorders: who gets in whose way, and how far counts lag.

Batches are planned by the recorder's own code, and spread over its shards. SQS, Lambda's pollers and what DynamoDB does
about transactions at the same counter are modelled; how long work takes is assumed (ops/watching/scale.py).
"""

import random
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from heapq import heappop, heappush
from itertools import pairwise
from math import ceil, log
from typing import Any, NamedTuple

from bench import day
from bench.crowd import Crowd, Zipf
from chalicelib.clicks.click import Click
from chalicelib.clicks.counters import SHARDS, SORT_KEY, sort_key
from chalicelib.clicks.recorder import MOST_TRIES
from chalicelib.clicks.transactions import Transaction, plan
from ops.shared.percentiles import percentile
from ops.watching.costs import BATCH, CONSUMERS, WINDOW_SECONDS, item_bytes, transaction_units
from ops.watching.scale import (
    CORE,
    DAY_SECONDS,
    LINKS,
    LOADS,
    MIXES,
    ONE_LINK,
    RETRY_PAUSE_SECONDS,
    ZIPF,
    Recorder,
    Shape,
    longest_pause,
)

SECONDS = 60
"""That the clicks keep coming."""
POLL_SECONDS = 0.02
"""Between two looks of a poller that gathers a batch."""
POOL = 5_000
"""Different clicks, of which batches are drawn."""
FULL_BATCHES = 20
"""Different ones; full batches are these, again and again."""
JITTER = 0.5
"""By how much work takes longer or shorter than it does on average."""
SIZES = (8, 80, 800, 8_000, 24_000)
"""Clicks of a link on a day after which its counters are looked at."""
MOMENT = datetime(2026, 5, 27, 12, tzinfo=UTC)


@dataclass
class Minute:
    """What became of a minute's clicks."""

    batches: int = 0
    tries: int = 0
    conflicts: int = 0
    """Tries that were cancelled, since somebody was at one of their counters."""
    lags: list[float] = field(default_factory=list)
    """Seconds from each click to its commit."""
    ended: float = 0
    """Seconds from the first click until the last one was counted."""

    def lag(self, percent: float) -> float:
        """The lag that so many of a hundred clicks do not exceed."""
        return percentile(self.lags, percent)


@cache
def _pool(mix: str) -> Sequence[Click]:
    chance = random.Random(2026)  # noqa: S311 (the same clicks every time)
    crowd = Crowd(chance)
    codes = Zipf(range(LINKS if mix == ZIPF else 1))
    return [crowd.click(f"l{codes.draw(chance):06}", MOMENT) for _ in range(POOL)]


class _Planned(NamedTuple):
    """A transaction: how many clicks it counts, and for which links."""

    clicks: int
    codes: frozenset[str]


def _planned(mix: str, clicks: int, chance: random.Random) -> Sequence[_Planned]:
    """A batch of so many clicks."""
    transactions = plan(chance.sample(_pool(mix), clicks))
    return [_Planned(len(each.clicks), frozenset(click.code for click in each.clicks)) for each in transactions]


@cache
def _full_batches(mix: str) -> Sequence[Sequence[_Planned]]:
    chance = random.Random(2026)  # noqa: S311 (the same batches every time)
    return [_planned(mix, BATCH, chance) for _ in range(FULL_BATCHES)]


class _Queue:
    """The clicks of a minute, the oldest first."""

    def __init__(self, load: float, seconds: float) -> None:
        self._load = load
        self._clicks = int(load * seconds)
        self._taken = 0
        self._put_off: list[tuple[float, float]] = []

    @property
    def empty(self) -> bool:
        """Whether there is nothing to come either."""
        return self._taken == self._clicks and not self._put_off

    def take(self, now: float, room: int, pollers: int) -> list[float]:
        """A poller's share of what is there: the moments of the clicks."""
        there = min(self._clicks, int(now * self._load) + 1) - self._taken
        number = min(room, ceil(there / pollers))
        moments = [click / self._load for click in range(self._taken, self._taken + number)]
        self._taken += number
        while self._put_off and self._put_off[0][0] <= now and len(moments) < room:
            moments.append(heappop(self._put_off)[1])
        return moments

    def put_off(self, moments: Sequence[float], until: float) -> None:
        """Have clicks come back."""
        for moment in moments:
            heappush(self._put_off, (until, moment))


@dataclass
class _Environment:
    """An execution environment of the recorder, and the links whose counters its transaction is at."""

    shard: int
    gathers: bool = False
    codes: frozenset[str] = frozenset()


class _World:
    def __init__(self, mix: str, load: float, recorder: Recorder, seconds: float) -> None:
        self.now = 0.0
        self._chance = random.Random(2026)  # noqa: S311 (the same minute every time)
        self._mix, self._recorder = mix, recorder
        self._queue = _Queue(load, seconds)
        self._environments = [_Environment(self._chance.randrange(recorder.shards)) for _ in range(recorder.consumers)]
        self.minute = Minute()

    def run(self) -> Minute:
        """Let time pass until every click is counted."""
        works = [self._work(environment) for environment in self._environments]
        due = [(self._chance.uniform(0, WINDOW_SECONDS), number) for number in range(len(works))]
        due.sort()
        while due:
            self.now, number = heappop(due)
            if (then := next(works[number], None)) is not None:
                heappush(due, (then, number))
        self.minute.lags.sort()
        return self.minute

    def _work(self, own: _Environment) -> Generator[float]:
        """Yields the moments at which it goes on."""
        while not self._queue.empty:
            moments = yield from self._gather(own)
            if moments:
                self.minute.batches += 1
            for clicks, codes in self._plan(len(moments)):
                taken, moments = moments[:clicks], moments[clicks:]
                yield self.now + self._about(self._recorder.cpu_seconds(clicks, self._mix))
                yield from self._commit(codes, taken, own)

    def _gather(self, own: _Environment) -> Generator[float, None, list[float]]:
        moments: list[float] = []
        own.gathers, until = True, self.now + WINDOW_SECONDS
        while len(moments) < BATCH and self.now < until and not self._queue.empty:
            pollers = sum(environment.gathers for environment in self._environments)
            moments += self._queue.take(self.now, BATCH - len(moments), pollers)
            if len(moments) < BATCH:
                yield self.now + POLL_SECONDS
        own.gathers = False
        return moments

    def _plan(self, clicks: int) -> Sequence[_Planned]:
        if clicks == BATCH:
            return self._chance.choice(_full_batches(self._mix))
        return _planned(self._mix, clicks, self._chance)

    def _about(self, seconds: float) -> float:
        """As long on average; if all took equally long, they would keep out of each other's way for ever."""
        return seconds * self._chance.uniform(1 - JITTER, 1 + JITTER)

    def _commit(self, codes: frozenset[str], moments: Sequence[float], own: _Environment) -> Generator[float]:
        for tries in range(1, MOST_TRIES + 1):
            self.minute.tries += 1
            free = not any(
                other.shard == own.shard and other.codes & codes for other in self._environments if other is not own
            )
            own.codes = codes if free else frozenset()
            yield self.now + self._about(self._recorder.answer_seconds)
            own.codes = frozenset()
            if free:
                self.minute.lags += [self.now - moment for moment in moments]
                self.minute.ended = self.now
                return
            self.minute.conflicts += 1
            own.shard = (own.shard + 1 + self._chance.randrange(self._recorder.shards - 1)) % self._recorder.shards
            if tries < MOST_TRIES:
                yield self.now + self._chance.uniform(0, longest_pause(tries))
        self._queue.put_off(moments, self.now + RETRY_PAUSE_SECONDS)


@cache
def minute(mix: str, load: float, recorder: Recorder | None = None, seconds: float = SECONDS) -> Minute:
    """A minute of so many clicks a second, after which none come, until the last one is counted."""
    return _World(mix, load, recorder or Recorder(), seconds).run()


@cache
def shape(mix: str, load: float) -> Shape:
    """What a batch is made of at so many clicks a second."""
    clicks = min(BATCH, max(1, round(load * WINDOW_SECONDS / CONSUMERS)))
    transactions = _transactions(mix, clicks)
    updates, units = _updates(mix, clicks, load, transactions)
    return Shape(clicks, transactions, updates, row_units(), units)


@cache
def _transactions(mix: str, clicks: int) -> float:
    """In how many a batch is counted, on average."""
    if clicks == BATCH:
        return sum(map(len, _full_batches(mix))) / FULL_BATCHES
    chance = random.Random(2026)  # noqa: S311 (the same batches every time)
    return sum(len(_planned(mix, clicks, chance)) for _ in range(FULL_BATCHES)) / FULL_BATCHES


@cache
def row_units() -> float:
    """The write units of a click's row, on average."""
    rows: list[Any] = [Transaction((click,)).actions(0, 90, {})[0] for click in _pool(ONE_LINK)[:500]]
    return sum(transaction_units(item_bytes(row["Put"]["Item"])) for row in rows) / len(rows)


def _updates(mix: str, clicks: int, load: float, transactions: float) -> tuple[float, float]:
    """How many counters a batch updates, and their write units, at the end of a day at this load.

    A link with a part p of all clicks is in a batch of n with the chance 1 - (1-p)^n.
    """
    units = counter_units()
    if mix == ONE_LINK:
        return transactions, transactions * units(load * DAY_SECONDS)
    updates = in_units = 0.0
    for first, after in pairwise(
        sorted({round(1.05**power) for power in range(285) if 1.05**power < LINKS} | {LINKS + 1})
    ):
        part = MIXES[ZIPF].hottest / ((first + after - 1) / 2)
        there = (after - first) * (1 - (1 - part) ** clicks)
        updates += there
        in_units += there * units(load * DAY_SECONDS * part)
    return updates, in_units


@cache
def counter_units() -> Callable[[float], float]:
    """The write units of an update, by how many clicks the link has had on that day."""
    visitors = day.Visitors(random.Random(2026))  # noqa: S311 (the same visitors every time)
    found = [(0.0, float(transaction_units(1)))]
    for clicks in SIZES:
        key = {"code": {"S": day.CODE}, SORT_KEY: {"S": sort_key("2026-05-27", 0)}}
        items = [
            key | {name: {"N": str(number)} for name, number in numbers.items()}
            for numbers in day.counters(clicks, visitors)
        ]
        found.append((log(clicks), sum(transaction_units(item_bytes(item)) for item in items) / len(items)))

    def units(clicks: float) -> float:
        size = log(max(1, clicks))
        for (before, here), (after, there) in pairwise(found):
            if size <= after:
                return here + (there - here) * (size - before) / (after - before)
        return found[-1][1]

    return units


SCENES = (
    (5_000, Recorder(megabytes=CORE)),
    (5_000, Recorder(SHARDS, CORE)),
    (10_000, Recorder(SHARDS, CORE)),
    (10_000, Recorder(2 * SHARDS, CORE)),
    (10_000, Recorder(2 * SHARDS, CORE, shards=2 * SHARDS)),
)
"""Other recorders than there are, at which loads."""


def minutes_table() -> str:
    """A minute of each load, as Linkly is set."""
    return _table((mix, load, Recorder()) for mix in MIXES for load in LOADS)


def scenes_table() -> str:
    """A minute with other recorders."""
    return _table(
        (mix, load, recorder) for mix in MIXES for load, recorder in sorted(SCENES, key=lambda scene: scene[0])
    )


def _table(scenes: Iterable[tuple[str, float, Recorder]]) -> str:
    rows = [
        [
            "clicks on",
            "a second",
            "recorders",
            "memory",
            "shards",
            "cancelled",
            "half within",
            "99 % within",
            "all within",
        ],
        ["---", *["---:"] * 8],
    ]
    for mix, load, recorder in scenes:
        found = minute(mix, load, recorder)
        rows.append(
            [
                mix,
                f"{load:,}",
                f"{recorder.consumers}",
                f"{recorder.megabytes:,} MB",
                f"{recorder.shards}",
                f"{found.conflicts / found.tries:.1%}",
                *(f"{found.lag(percent):,.1f} s" for percent in (50, 99, 100)),
            ]
        )
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)
