"""What the counting of a click costs in DynamoDB: by its rules, not by the clock."""

import random

import pytest

from bench import recorder


@pytest.fixture
def chance() -> random.Random:
    return random.Random(2026)  # noqa: S311 (the same clicks every time)


def test_a_click_on_a_hot_link_costs_little_more_than_its_row(chance: random.Random) -> None:
    cost = recorder.units(recorder.hot(chance, 4))

    assert cost.write_units <= 2.1
    assert cost.read_units <= 0.01
    assert 1 / cost.transactions >= 90


def test_a_click_on_one_of_many_links_costs_less_than_a_transaction_of_its_own(chance: random.Random) -> None:
    cost = recorder.units(recorder.zipf(chance, 20))

    assert cost.write_units <= 3.2
    assert cost.read_units <= 0.3
    assert 1 / cost.transactions >= 50
