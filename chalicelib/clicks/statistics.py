"""What an owner is told about a link's clicks."""

import csv
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from io import StringIO
from typing import TYPE_CHECKING, NamedTuple, NotRequired, TypedDict

from chalicelib.clicks.breakdowns import CLICKS, HOURS, LETTERS, ROBOT_HOURS, numbers
from chalicelib.clicks.counters import SORT_KEY, by_day, clicks_in, counters_of, day_of
from chalicelib.clicks.dimensions import OTHER, UNKNOWN
from chalicelib.links.schemas import Code
from chalicelib.schemas import Day

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Item = Mapping[str, AttributeValueTypeDef]


class DayOfClicks(TypedDict):
    """How often a link was followed on a day in UTC."""

    day: Day
    clicks: int


class Statistics(TypedDict):
    """A link's clicks: `total` is of all time, `by_day` newest first and without days that had none."""

    code: Code
    total: int
    by_day: list[DayOfClicks]


class ClicksOfValue(TypedDict):
    """The clicks with a value; null stands for those of which it is not known."""

    value: str | None
    clicks: int


Report = TypedDict(
    "Report",
    {
        "code": Code,
        "from": Day,
        "to": Day,
        "clicks": int,
        "people": int,
        "bots": int,
        "unrecorded": int,
        "by": dict[str, list[ClicksOfValue]],
        "other": dict[str, int],
        "used": NotRequired[int],
    },
)
Report.__doc__ = """A link's clicks on some days in UTC.

`people`, `bots` and `unrecorded` add up to `clicks`. `by` has days and hours newest first and without those that had
no clicks; of every other dimension the people by value, the commonest first and the unknown last, which together with
`other` add up to `people`. `used` is how many of a link's `max_clicks` are used up; without a limit it is left out.
"""


class ClicksOfLink(TypedDict):
    """How often a link was followed."""

    code: Code
    clicks: int


class ClicksOfLinks(TypedDict):
    """Some links and their clicks; `next` is the cursor of the ones after them, or null."""

    items: list[ClicksOfLink]
    next: str | None


class Question(NamedTuple):
    """What a report is about."""

    first: date
    last: date
    by: Collection[str] = ()
    limit: int = 0
    """How many values of each dimension are named."""

    @property
    def days(self) -> tuple[str, str]:
        """The first and the last day."""
        return self.first.isoformat(), self.last.isoformat()


TIMES = ("day", "hour")
"""Dimensions whose values are all named, and of all clicks."""

DIMENSIONS = (*TIMES, *LETTERS)


def statistics(code: str, counts: Mapping[str, int], days: int, today: date) -> Statistics:
    """The total of all time, and the counts of the last `days` days, today's included and newest first.

    `counts` maps days in UTC (2026-05-27) to clicks; a day without clicks is left out.
    """
    since = (today - timedelta(days=days - 1)).isoformat()
    return {
        "code": code,
        "total": sum(counts.values()),
        "by_day": [{"day": day, "clicks": counts[day]} for day in sorted(counts, reverse=True) if day >= since],
    }


def report(code: str, question: Question) -> Report:
    """The clicks of a link as `question` asks, as of now. Each counter adds up at every moment, and so does this."""
    items = [*counters_of(code, question.days, _attributes(question.by))]
    found = numbers(items)
    by: dict[str, list[ClicksOfValue]] = {}
    other: dict[str, int] = {}
    for dimension in question.by:
        if dimension == "day":
            by[dimension] = _newest_first(by_day(items))
        elif dimension == "hour":
            by[dimension] = _newest_first(_by_hour(items))
        else:
            by[dimension], other[dimension] = _commonest_first(found.values(dimension), question.limit)
    first, last = question.days
    return {
        "code": code,
        "from": first,
        "to": last,
        "clicks": found.clicks,
        "people": found.people,
        "bots": found.bots,
        "unrecorded": found.unrecorded,
        "by": by,
        "other": other,
    }


def as_csv(told: Report) -> str:
    """A report as CSV (RFC 4180): what it is about, a value, and its clicks. No cell is a formula to a spreadsheet."""
    text = StringIO()
    rows = csv.writer(text)
    rows.writerow(("dimension", "value", "clicks"))
    for name, clicks in (
        ("total", told["clicks"]),
        ("people", told["people"]),
        ("bots", told["bots"]),
        ("unrecorded", told["unrecorded"]),
    ):
        rows.writerow((name, "", clicks))
    for dimension, values in told["by"].items():
        for each in values:
            rows.writerow((dimension, _no_formula(each["value"] or ""), each["clicks"]))
        if dimension in told["other"]:
            rows.writerow((dimension, "(other)", told["other"][dimension]))
    return text.getvalue()


def _attributes(by: Collection[str]) -> tuple[str, ...]:
    """The attributes of counters that a report needs; none stands for all of them."""
    return () if set(by).difference(TIMES) else (SORT_KEY, CLICKS, *HOURS, *ROBOT_HOURS)


def _by_hour(items: "Iterable[Item]") -> Counter[str]:
    counts: Counter[str] = Counter()
    for item in items:
        day = day_of(item[SORT_KEY]["S"])
        for hour, name in enumerate(HOURS):
            if name in item:
                counts[f"{day}T{hour:02d}:00:00Z"] += int(item[name]["N"])
    return counts


def _newest_first(counts: Mapping[str, int]) -> list[ClicksOfValue]:
    return [{"value": value, "clicks": counts[value]} for value in sorted(counts, reverse=True)]


def _commonest_first(counts: Mapping[str, int], limit: int) -> tuple[list[ClicksOfValue], int]:
    """The `limit` commonest values, then the unknown; and how many clicks had none of these."""
    known: Sequence[tuple[str, int]] = sorted(
        ((value, clicks) for value, clicks in counts.items() if value not in (UNKNOWN, OTHER)),
        key=lambda each: (-each[1], each[0]),
    )
    named: list[ClicksOfValue] = [{"value": value, "clicks": clicks} for value, clicks in known[:limit]]
    if unknown := counts.get(UNKNOWN):
        named.append({"value": None, "clicks": unknown})
    return named, counts.get(OTHER, 0) + sum(clicks for _, clicks in known[limit:])


def _no_formula(value: str) -> str:
    """The text, in a way that no spreadsheet takes it for a formula.

    https://owasp.org/www-community/attacks/CSV_Injection
    """
    return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def clicks_of_links(codes: Iterable[str], days: tuple[str, str]) -> list[ClicksOfLink]:
    """The clicks of each link from the first to the last of `days`, as of now. A query each."""
    return [{"code": code, "clicks": clicks_in(counters_of(code, days, (CLICKS,)))} for code in codes]
