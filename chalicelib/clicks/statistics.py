"""What an owner is told about a link's clicks."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import TypedDict

from chalicelib.links.schemas import Code
from chalicelib.schemas import Day


class DayOfClicks(TypedDict):
    """How often a link was followed on a day in UTC."""

    day: Day
    clicks: int


class Statistics(TypedDict):
    """A link's clicks: `total` is of all time, `by_day` newest first and without days that had none."""

    code: Code
    total: int
    by_day: list[DayOfClicks]


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
