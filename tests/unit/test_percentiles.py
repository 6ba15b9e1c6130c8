"""A percentile is one of the values, and never between two."""

import math

import pytest

from ops.shared.percentiles import percentile


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [
        ([7.4], 99, 7.4),
        ([3, 1, 2], 50, 2),
        ([4, 3, 1, 2], 50, 2),
        (range(100, 0, -1), 7, 7),
        (range(100, 0, -1), 99, 99),
        (range(100, 0, -1), 100, 100),
        (range(100, 0, -1), 0, 1),
        (range(1, 102), 99, 100),
    ],
)
def test_a_percentile_is_one_of_the_values(values: list[float], percent: float, expected: float) -> None:
    assert expected == percentile(values, percent)


def test_of_no_values_there_is_no_percentile() -> None:
    assert math.isnan(percentile([], 50))
