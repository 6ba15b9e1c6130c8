"""How a counter's item breaks its clicks down: one number an attribute, under the update that counts the clicks.

    clicks          all clicks
    h00 … h23       all clicks, by hour in UTC
    x00 … x23       those of robots, by hour
    c b o d r u     and a value: people by country, browser, system, device, referrer's host and utm_source;
                    without a value: it is not known; with `*`: it is none of those that are named
    v               an upper bound of the bytes that open names take (admission.py)

So of every item: Σh - Σx = Σc = Σb = Σo = Σd = Σr = Σu, the people, and clicks - Σh were counted by code that kept no
breakdowns. An item is written and read as a whole, so the sums hold at every moment. docs/exactness.md says why.
"""

from collections import Counter
from datetime import UTC
from typing import TYPE_CHECKING, NamedTuple

from chalicelib.clicks.click import Click
from chalicelib.clicks.dimensions import KNOWN_HOSTS, OTHER, dimensions_of
from chalicelib.observability import logger

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

CLICKS = "clicks"
OPEN_BYTES = "v"

LETTERS = {"country": "c", "browser": "b", "os": "o", "device": "d", "referrer": "r", "utm_source": "u"}
"""What the attributes of a dimension begin with."""

HOURS = tuple(f"h{hour:02d}" for hour in range(24))
ROBOT_HOURS = tuple(f"x{hour:02d}" for hour in range(24))

_KNOWN = frozenset(LETTERS["referrer"] + host for host in KNOWN_HOSTS)


def attributes_of(click: Click) -> tuple[str, ...]:
    """The attributes that a click adds one to, `clicks` first. A click that cannot be broken down only has that one."""
    hour = click.occurred_at.astimezone(UTC).hour
    try:
        seen = dimensions_of(click)
    except Exception:  # noqa: BLE001 (no mistake in a breakdown may cost a click)
        logger.exception("click not broken down", extra={"code": click.code, "click_id": str(click.id)})
        return (CLICKS,)
    if seen.robot:
        return (CLICKS, HOURS[hour], ROBOT_HOURS[hour])
    return (
        CLICKS,
        HOURS[hour],
        "c" + seen.country,
        "b" + seen.browser,
        "o" + seen.os,
        "d" + seen.device,
        "r" + seen.referrer,
        "u" + seen.utm_source,
    )


def is_open(attribute: str) -> bool:
    """Whether anyone could have made this name up: a host that is not well known, or a source."""
    return attribute[0] in "ru" and attribute[1:] not in ("", OTHER) and attribute not in _KNOWN


def in_place_of(attribute: str) -> str:
    """What counts the clicks of an open name that is not admitted: `r*` or `u*`."""
    return attribute[0] + OTHER


class Numbers(NamedTuple):
    """What some items of counters say together."""

    amounts: Counter[str]

    @property
    def clicks(self) -> int:
        """All clicks."""
        return self.amounts[CLICKS]

    @property
    def bots(self) -> int:
        """Those of robots."""
        return sum(self.amounts[name] for name in ROBOT_HOURS)

    @property
    def people(self) -> int:
        """Those of people."""
        return sum(self.amounts[name] for name in HOURS) - self.bots

    @property
    def unrecorded(self) -> int:
        """Those of which nothing but the day is known."""
        return self.clicks - self.people - self.bots

    def values(self, dimension: str) -> Counter[str]:
        """The people by a dimension's values, UNKNOWN and OTHER among them."""
        letter = LETTERS[dimension]
        return Counter(
            {name[1:]: amount for name, amount in self.amounts.items() if name[0] == letter and name != CLICKS}
        )

    def why_wrong(self) -> str | None:
        """Which sum is not right, in words; None if all are."""
        if self.unrecorded < 0 or self.bots < 0:
            return f"{self.clicks} clicks, of which {self.people} by people and {self.bots} by robots"
        for dimension in LETTERS:
            if (total := self.values(dimension).total()) != self.people:
                return f"{self.people} people, and {total} by {dimension}"
        return None


def numbers(items: "Iterable[Mapping[str, AttributeValueTypeDef]]") -> Numbers:
    """The numbers of some counters' items, added up."""
    amounts: Counter[str] = Counter()
    for item in items:
        for name, value in item.items():
            if "N" in value and name != OPEN_BYTES:
                amounts[name] += int(value["N"])
    return Numbers(amounts)
