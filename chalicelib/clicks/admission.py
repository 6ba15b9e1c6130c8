"""Which open names a counter's item has room for: hosts and sources, which anyone can make up (breakdowns.py).

An item has at most MOST_BYTES of them; what finds no room counts as other. `v` in the item is an upper bound of what
they take. Each execution environment remembers which names it has seen in which item, so that most updates ask for no
room at all:

1. A name that is remembered to be there is added to on the condition that it is.
2. New names add their bytes to `v`, on the condition that there is room.
3. If a condition fails, DynamoDB's answer has the item: what fits is admitted and `v` set to the truth, on the
   condition that nothing was counted since.
4. Without an item in the answer, everything is new. After MOST_FAILURES, it is all other, without a condition.

So a name gets into an item only within its bounds, whatever is remembered, lost or deleted meanwhile, and a click waits
for it three times at most.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

from chalicelib.clicks.breakdowns import CLICKS, in_place_of, is_open

MOST_BYTES = 512
"""Of the open names of an item, each with its number."""

MOST_FAILURES = 3
"""Conditions of one item that may fail in one transaction; then its open names count as other."""

_MOST_REMEMBERED = 4096
"""Items; the longest unused is forgotten first."""

_NUMBER = 6
"""Bytes of a number of up to ten digits.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
"""

Item = Mapping[str, Any]
"""Attributes by their names, as DynamoDB writes them."""

Where = tuple[str, str, int]
"""An item: code, day and shard."""

Counts = TypeVar("Counts", bound=tuple[str, str])
"""What a counter counts: a link's code and a day."""


class Known(NamedTuple):
    """What is known of the open names in an item."""

    names: frozenset[str] = frozenset()
    as_read: str | None = None
    """`clicks` of the item that was read; while it has that, `names` are all that there are."""
    full: bool = False
    """Whether a name that is not there finds no room."""


NOTHING = Known()
_NO_ROOM = Known(full=True)


class Admission(NamedTuple):
    """How a counter's update is written."""

    amounts: Mapping[str, int]
    """By attribute, with what is not admitted under other."""
    there: tuple[str, ...] = ()
    """Open names that have to be in the item."""
    bytes: int = 0
    """What open names add to the item; with `as_read`, what all of them take. 0 if there is none that is new."""
    as_read: str | None = None
    """What `clicks` has to be, if `bytes` are to be the truth."""
    afterwards: Known = NOTHING
    """What is known once the update has been written."""


def admit(amounts: Mapping[str, int], known: Known) -> Admission:
    """How to add `amounts`, by attribute, to an item of which this much is known. Of new names, the commonest first."""
    wanted = Counter({name: amount for name, amount in amounts.items() if is_open(name)})
    if not wanted:
        return Admission(amounts)
    there = tuple(name for name in wanted if name in known.names)
    room = MOST_BYTES - (size_of(known.names) if known.as_read else 0)
    new: list[str] = []
    full = known.full
    for name, _ in wanted.most_common():
        if full or name in known.names:
            continue
        if size_of([name]) <= room:
            new.append(name)
            room -= size_of([name])
        elif known.as_read:
            full = True
    admitted = {*there, *new}
    written: Counter[str] = Counter()
    for name, amount in amounts.items():
        written[in_place_of(name) if name in wanted and name not in admitted else name] += amount
    afterwards = Known(known.names.union(new), full=full)
    if not new:
        return Admission(written, there, afterwards=afterwards)
    return Admission(written, there, MOST_BYTES - room, known.as_read, afterwards)


def known_from(item: Item) -> Known:
    """What an item, as it was read, says of its open names."""
    names = frozenset(name for name, value in item.items() if "N" in value and is_open(name))
    return Known(names, as_read=item[CLICKS]["N"])


def size_of(names: Iterable[str]) -> int:
    """The bytes that open names take in an item, at most."""
    return sum(len(name.encode()) + _NUMBER for name in names)


class OpenNames:
    """What one transaction learns of the items of its counters, on top of what is remembered."""

    def __init__(self) -> None:
        self._found: dict[Where, list[Known]] = {}
        self._admitted: dict[Where, Known] = {}
        """What is known of each item once the updates are written that were admitted last."""
        self._shard = -1

    def admit(self, counters: Mapping[Counts, Mapping[str, int]], shard: int) -> dict[Counts, Admission]:
        """How to add to each counter's item in a shard, by what DynamoDB has told of it or what is remembered."""
        self._shard = shard
        self._admitted.clear()
        return {key: self._admit(amounts, (*key, shard)) for key, amounts in counters.items()}

    def found(self, items: Mapping[Counts, Item | None]) -> None:
        """Conditions on the items that were asked for last have failed. DynamoDB has told how they are, or not."""
        for key, item in items.items():
            self._found.setdefault((*key, self._shard), []).append(known_from(item) if item else NOTHING)

    def written(self) -> None:
        """The updates that were admitted last have been written."""
        for where, known in self._admitted.items():
            _remember(where, known)

    def _admit(self, amounts: Mapping[str, int], where: Where) -> Admission:
        found = self._found.get(where, ())
        if len(found) >= MOST_FAILURES:
            return admit(amounts, _NO_ROOM)
        admission = admit(amounts, found[-1] if found else _recall(where))
        if admission.afterwards != NOTHING:
            self._admitted[where] = admission.afterwards
        return admission


def forget() -> None:
    """Empty this process's memory."""
    _memory().clear()


def _recall(where: Where) -> Known:
    memory = _memory()
    if where not in memory:
        return NOTHING
    memory.move_to_end(where)
    return memory[where]


def _remember(where: Where, known: Known) -> None:
    memory = _memory()
    memory[where] = known
    memory.move_to_end(where)
    if len(memory) > _MOST_REMEMBERED:
        memory.popitem(last=False)


def _memory() -> OrderedDict[Where, Known]:
    """What this execution environment knows of items, the longest unused first."""
    return _MEMORY


_MEMORY: OrderedDict[Where, Known] = OrderedDict()
