"""What an owner is told about a link's clicks."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any


def statistics(code: str, counts: Mapping[str, int], days: int, today: date) -> dict[str, Any]:
    """The total of all time, and the counts of the last `days` days, today's included and newest first.

    `counts` maps days in UTC (2026-05-27) to clicks; a day without clicks is left out.
    """
    since = (today - timedelta(days=days - 1)).isoformat()
    return {
        "code": code,
        "total": sum(counts.values()),
        "by_day": [{"day": day, "clicks": counts[day]} for day in sorted(counts, reverse=True) if day >= since],
    }
