"""What counting costs in write units through a day, while counters grow by their breakdowns: a model.

Rows, groups, updates and which names are admitted are the recorder's own; when clicks come, which recorder gets them,
and DynamoDB's part in it are modelled. Links do not share counters, so each is followed through the day alone, and of
10,000 links some, between which the units of a click are interpolated.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import groupby, pairwise
from math import log
from typing import Any

from bench.crowd import Crowd
from chalicelib.clicks.admission import MOST_BYTES, MOST_FAILURES, NOTHING, Admission, Known, admit, known_from
from chalicelib.clicks.breakdowns import CLICKS, OPEN_BYTES, attributes_of, is_open
from chalicelib.clicks.click import Click
from chalicelib.clicks.counters import SHARDS, SORT_KEY, sort_key
from chalicelib.clicks.transactions import Transaction, plan
from ops.watching.costs import BATCH, CONSUMERS, DAYS, WINDOW_SECONDS, WriteUnits, item_bytes, transaction_units

MONTHS = (10_000, 1_000_000, 10_000_000, 100_000_000)
LINKS = 10_000
RANKS = (1, 3, 10, 30, 100, 300, 1000, 3000, LINKS)
"""The links that are followed through the day: the first is the busiest."""
MOST_CLICKS = 4_000
"""On one of them, of which the units are looked at, evenly over the day; of the others, counters only learn."""
VISITORS_AN_HOUR = 300
SHIFTS = 12
"""How often in a day each recorder is replaced by a new one, which draws its shard and knows no names."""
CODE, DAY = "my-link", datetime(2026, 5, 27, tzinfo=UTC)
_SECONDS = 24 * 60 * 60


class _Item:
    """A counter's item, and its size."""

    def __init__(self, shard: int) -> None:
        self.numbers: dict[str, int] = {}
        self.bytes = item_bytes({"code": {"S": CODE}, SORT_KEY: {"S": sort_key(DAY.date().isoformat(), shard)}})

    def fits(self, admission: Admission) -> bool:
        """Whether the conditions of an update hold."""
        if admission.as_read is not None:
            return admission.as_read == str(self.numbers.get(CLICKS, 0))
        room = self.numbers.get(OPEN_BYTES, 0) <= MOST_BYTES - admission.bytes if admission.bytes else True
        return room and all(name in self.numbers for name in admission.there)

    def update(self, admission: Admission) -> None:
        for name, amount in admission.amounts.items():
            self._put(name, self.numbers.get(name, 0) + amount)
        if admission.bytes:
            before = 0 if admission.as_read is not None else self.numbers.get(OPEN_BYTES, 0)
            self._put(OPEN_BYTES, before + admission.bytes)

    def learn(self, names: Iterable[str]) -> None:
        """Add to names without a look at what that costs."""
        for name in names:
            self._put(name, self.numbers.get(name, 0) + 1)

    def read(self) -> Known:
        return known_from({name: {"N": str(number)} for name, number in self.numbers.items()})

    def _put(self, name: str, number: int) -> None:
        if name not in self.numbers:
            self.bytes += item_bytes({name: {"N": "0"}}) - 2
        else:
            self.bytes -= _bytes_of(self.numbers[name])
        self.bytes += _bytes_of(number)
        self.numbers[name] = number


def _bytes_of(number: int) -> int:
    return (len(str(number)) + 1) // 2 + 1


class Visitors:
    """Clicks on one link to draw from, by their hour, with the units of their rows."""

    def __init__(self, random_numbers: random.Random) -> None:
        crowd = Crowd(random_numbers)
        self.random = random_numbers
        self._by_hour = [
            [crowd.click(CODE, DAY + timedelta(hours=hour)) for _ in range(VISITORS_AN_HOUR)] for hour in range(24)
        ]
        self._rows = {click: _row_units(click) for clicks in self._by_hour for click in clicks}
        self._closed = [
            [[name for name in attributes_of(click) if not is_open(name)] for click in clicks]
            for clicks in self._by_hour
        ]

    def come(self, second: float, number: int) -> list[Click]:
        """So many clicks at a time of day."""
        return self.random.choices(self._by_hour[int(second // 3600)], k=number)

    def names(self, second: float, number: int) -> list[list[str]]:
        """What so many clicks at a time of day add to in any case, which is all but the names that are bounded."""
        return self.random.choices(self._closed[int(second // 3600)], k=number)

    def rows(self, clicks: Sequence[Click]) -> int:
        """The write units of their rows."""
        return sum(self._rows[click] for click in clicks)


def _row_units(click: Click) -> int:
    row: Any = Transaction((click,)).actions(0, 90, {})[0]
    return transaction_units(item_bytes(row["Put"]["Item"]))


class _Link:
    """A link's counters through a day, and the recorders that add to them."""

    def __init__(self, visitors: Visitors, shifts: int) -> None:
        self._visitors = visitors
        self._shifts = shifts
        self._items = [_Item(shard) for shard in range(SHARDS)]
        self._memories: dict[tuple[int, int], dict[int, Known]] = {}
        self._shards: dict[tuple[int, int], int] = {}
        self.clicks = self.plain = self.broken_down = 0

    def count(self, second: float, number: int) -> None:
        """Count the clicks that one batch has of this link."""
        chance = self._visitors.random
        recorder = (chance.randrange(CONSUMERS), int(second * self._shifts / _SECONDS))
        shard = self._shards.setdefault(recorder, chance.randrange(SHARDS))
        memory = self._memories.setdefault(recorder, {})
        for transaction in plan(self._visitors.come(second, number)):
            rows = self._visitors.rows(transaction.clicks)
            self.clicks += len(transaction.clicks)
            self.plain += rows + transaction_units(1)
            self.broken_down += self._commit(transaction, rows, shard, memory)

    @property
    def numbers(self) -> list[dict[str, int]]:
        """What each counter has."""
        return [item.numbers for item in self._items]

    def learn(self, second: float, number: int) -> None:
        """Have counters grow as by one batch, without a look at what that costs."""
        chance = self._visitors.random
        for names in self._visitors.names(second, number):
            self._items[chance.randrange(SHARDS)].learn(names)

    def _commit(self, transaction: Transaction, rows: int, shard: int, memory: dict[int, Known]) -> int:
        """What it costs, with the tries before it: DynamoDB charges for a transaction that a condition cancels too."""
        [amounts] = transaction.counters.values()
        item, known, units = self._items[shard], memory.get(shard, NOTHING), 0
        for failures in range(MOST_FAILURES + 1):
            admission = admit(amounts, known if failures < MOST_FAILURES else Known(full=True))
            if fits := item.fits(admission):
                item.update(admission)
                if admission.afterwards != NOTHING:
                    memory[shard] = admission.afterwards
            else:
                known = item.read()
            units += rows + transaction_units(item.bytes)
            if fits:
                break
        return units


@cache
def model() -> tuple[Mapping[int, WriteUnits], WriteUnits]:
    """Of clicks on 10,000 links, by how many there are in a month; and on one link, in full batches."""
    visitors = Visitors(random.Random(2026))  # noqa: S311 (the same clicks every time)
    return {clicks: spread(clicks, visitors) for clicks in MONTHS}, hot(visitors)


def spread(clicks_a_month: int, visitors: Visitors) -> WriteUnits:
    """Of clicks on 10,000 links, of which the n-th is followed 1/n times as often as the first."""
    clicks = clicks_a_month / DAYS
    share = 1 / sum(1 / rank for rank in range(1, LINKS + 1))
    batches = max(CONSUMERS * _SECONDS / WINDOW_SECONDS, clicks / BATCH)
    found = [(rank, _of_a_link(clicks * share / rank, batches, visitors)) for rank in RANKS]
    sums = [0.0, 0.0]
    for (rank, here), (next_rank, there) in pairwise(found):
        for between in range(rank, next_rank + (next_rank == LINKS)):
            way = log(between / rank) / log(next_rank / rank)
            for which in (0, 1):
                sums[which] += share / between * (here[which] + way * (there[which] - here[which]))
    return WriteUnits(*sums)


def _of_a_link(clicks: float, batches: float, visitors: Visitors) -> WriteUnits:
    """Of a click on a link with so many a day, each in one of so many batches, by chance."""
    days = max(1, round(100 / clicks))  # of a seldom followed link, until there are a hundred or so
    units = [0, 0, 0]
    for _ in range(days):
        link = _Link(visitors, SHIFTS)
        one_in = max(1, round(clicks / MOST_CLICKS))  # all of a busy link would take too long
        times = sorted(visitors.random.randrange(int(batches)) for _ in range(_near(clicks, visitors.random)))
        for place, (batch, same) in enumerate(groupby(times)):
            count = link.learn if place % one_in else link.count
            count(batch / batches * _SECONDS, len([*same]))
        units = [so_far + more for so_far, more in zip(units, (link.clicks, link.plain, link.broken_down), strict=True)]
    return WriteUnits(units[1] / units[0], units[2] / units[0])


def counters(clicks: int, visitors: Visitors) -> list[dict[str, int]]:
    """The numbers of a link's counters at the end of a day with so many clicks: of each shard, by attribute."""
    link = _Link(visitors, SHIFTS)
    for click in range(clicks):
        (link.learn if click >= MOST_CLICKS else link.count)(click / clicks * _SECONDS, 1)
    return link.numbers


def hot(visitors: Visitors, batches: int = 100) -> WriteUnits:
    """Of clicks on one link, in so many full batches through the day.

    There would be thousands. What recorders learn at first must weigh no more than then, so they are the same all day.
    """
    link = _Link(visitors, 1)
    for batch in range(batches):
        link.count(batch / batches * _SECONDS, BATCH)
    return WriteUnits(link.plain / link.clicks, link.broken_down / link.clicks)


def _near(number: float, random_numbers: random.Random) -> int:
    """A whole number next to this one, by chance, so that it is right on average."""
    return int(number) + (random_numbers.random() < number % 1)
