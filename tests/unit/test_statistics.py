"""What an owner is told about clicks."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.clicks.statistics import statistics

TODAY = date(2026, 3, 1)


def test_days_come_newest_first_and_only_if_they_had_clicks() -> None:
    counts = {"2026-02-20": 4, "2026-03-01": 2, "2026-02-28": 3}

    assert {
        "code": "my-link",
        "total": 9,
        "by_day": [
            {"day": "2026-03-01", "clicks": 2},
            {"day": "2026-02-28", "clicks": 3},
            {"day": "2026-02-20", "clicks": 4},
        ],
    } == statistics("my-link", counts, days=30, today=TODAY)


@pytest.mark.parametrize(
    ("days", "shown"), [(1, ["2026-03-01"]), (2, ["2026-03-01", "2026-02-28"]), (3, ["2026-03-01", "2026-02-28"])]
)
def test_todays_clicks_are_among_the_days_asked_for(days: int, shown: list[str]) -> None:
    counts = {"2026-03-01": 1, "2026-02-28": 1, "2026-02-26": 1}

    assert shown == [entry["day"] for entry in statistics("my-link", counts, days, TODAY)["by_day"]]


def test_a_link_without_clicks_has_none() -> None:
    assert {"code": "my-link", "total": 0, "by_day": []} == statistics("my-link", {}, days=30, today=TODAY)


@given(
    counts=st.dictionaries(st.dates(date(2010, 1, 1), TODAY).map(date.isoformat), st.integers(1, 10**9)),
    days=st.integers(1, 3660),
)
def test_the_total_is_of_all_time_however_few_days_are_shown(counts: dict[str, int], days: int) -> None:
    told = statistics("my-link", counts, days, TODAY)

    assert sum(counts.values()) == told["total"]
    assert len(told["by_day"]) <= days
