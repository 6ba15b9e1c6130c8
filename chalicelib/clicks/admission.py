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
from typing import Any, NamedTuple

from chalicelib.clicks.breakdowns import CLICKS, in_place_of, is_open

MOST_BYTES = 512
"""Of the names of an item, each with its number."""

MOST_FAILURES = 3
"""Conditions of one counter that may fail in one transaction; then its open names count as other."""

_MOST_REMEMBERED = 4096
"""Items; the longest unused is forgotten first."""

_NUMBER = 7
"""Bytes of a number of up to 12 digits.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
"""

Item = Mapping[str, Any]
"""Attributes by their names, as DynamoDB writes them."""

Where = tuple[str, str, int]
"""An item: code, day and shard."""


class Known(NamedTuple):
    """What is known of the open names in an item."""

    names: frozenset[str] = frozenset()
    as_read: str | None = None
    """`clicks` of the item that was read; while it has that, `names` are all that there are."""
    full: bool = False
    """Whether a name that is not there finds no room."""


NOTHING = Known()
CROWDED = Known(full=True)


class Admission(NamedTuple):
    """How a counter's update is written."""

    amounts: Mapping[str, int]
    """By attribute, with what is not admitted under other."""
    there: tuple[str, ...] = ()
    """Open names that have to be in the item."""
    new: frozenset[str] = frozenset()
    """Open names that are not in it, as far as is known."""
    bytes: int = 0
    """What `new` takes; with `as_read`, what all open names take."""
    as_read: str | None = None
    """What `clicks` has to be, if `bytes` are to be the truth."""
    afterwards: Known = NOTHING
    """What is known once the update has been written."""


def admit(amounts: Mapping[str, int], known: Known) -> Admission:
    """How to add `amounts`, by attribute, to an item of which this much is known."""
    wanted = Counter({name: amount for name, amount in amounts.items() if is_open(name)})
    if not wanted:
        return Admission(amounts)
    there = tuple(name for name in wanted if name in known.names)
    taken = size_of(known.names) if known.as_read is not None else 0
    new: dict[str, int] = {}
    full = known.full
    for name, _ in wanted.most_common():
        if name in known.names or known.full:
            continue
        size = size_of((name,))
        if taken + size + sum(new.values()) <= MOST_BYTES:
            new[name] = size
        elif known.as_read is not None:
            full = True
    admitted = new.keys() | {*there}
    written: Counter[str] = Counter()
    for name, amount in amounts.items():
        written[name if name in admitted or name not in wanted else in_place_of(name)] += amount
    return Admission(
        written,
        there,
        frozenset(new),
        bytes=sum(new.values()) + taken,
        as_read=known.as_read if new else None,
        afterwards=Known(known.names.union(new), full=full),
    )


def known_from(item: Item) -> Known:
    """What an item, as it was read, says of its open names."""
    names = frozenset(name for name, value in item.items() if "N" in value and is_open(name))
    return Known(names, as_read=item[CLICKS]["N"])


def size_of(names: Iterable[str]) -> int:
    """The bytes that open names take in an item, at most."""
    return sum(len(name.encode()) + _NUMBER for name in names)


def recall(where: Where) -> Known:
    """What this execution environment knows of an item."""
    memory = _memory()
    if where not in memory:
        return NOTHING
    memory.move_to_end(where)
    return memory[where]


def remember(where: Where, known: Known) -> None:
    """Keep what an update that was written tells of its item."""
    memory = _memory()
    memory[where] = known
    memory.move_to_end(where)
    if len(memory) > _MOST_REMEMBERED:
        memory.popitem(last=False)


def _memory() -> OrderedDict[Where, Known]:
    return _MEMORY


_MEMORY: OrderedDict[Where, Known] = OrderedDict()
