"""What the reasons of a cancelled transaction say of each click."""

import itertools
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.clicks.admission import Item
from chalicelib.clicks.click import Click
from chalicelib.clicks.transactions import Cancellation, CounterKey, Transaction, read_reasons
from tests.builders import TODAY, a_click, clicks

FINE, DUPLICATE, CONFLICT = "None", "ConditionalCheckFailed", "TransactionConflict"
THROTTLED, INVALID, TOO_LARGE = "ThrottlingError", "ValidationError", "ItemCollectionSizeLimitExceeded"

A, B = clicks(2, code="one")
C = a_click(code="two")
ABC = Transaction((A, B, C))  # and two counters
ONE, TWO = CounterKey("one", TODAY), CounterKey("two", TODAY)
ITEM: Item = {"clicks": {"N": "3"}}


def read(reasons: Sequence[str], transaction: Transaction = ABC, item: Item | None = None) -> Cancellation:
    """What these reasons say; those whose conditions fail hand over the item."""
    told: list[Any] = [
        {"Code": code, "Item": item} if item and code == DUPLICATE else {"Code": code} for code in reasons
    ]
    return read_reasons(transaction, told)


def cancellation(  # noqa: PLR0913 (as many as it has fields)
    duplicates: tuple[Click, ...] = (),
    impossible: tuple[Click, ...] = (),
    rest: Transaction = ABC,
    busy: tuple[str, ...] = (),
    crowded: dict[CounterKey, Item | None] | None = None,
    *,
    counter_in_conflict: bool = False,
) -> Cancellation:
    return Cancellation(duplicates, impossible, rest, crowded or {}, busy, counter_in_conflict)


@pytest.mark.parametrize(
    ("reasons", "expected"),
    [
        pytest.param(
            [DUPLICATE, FINE, FINE, FINE, FINE],
            cancellation((A,), (), Transaction((B, C)), busy=()),
            id="a duplicate",
        ),
        pytest.param(
            [DUPLICATE, DUPLICATE, DUPLICATE, FINE, FINE],
            cancellation((A, B, C), (), Transaction(()), busy=()),
            id="nothing but duplicates",
        ),
        pytest.param(
            [FINE, CONFLICT, FINE, FINE, FINE],
            cancellation((), (), ABC, busy=(CONFLICT,)),
            id="a conflict over a row",
        ),
        pytest.param(
            [FINE, FINE, FINE, CONFLICT, FINE],
            cancellation((), (), ABC, busy=(CONFLICT,), counter_in_conflict=True),
            id="a conflict over a counter",
        ),
        pytest.param(
            [FINE, FINE, FINE, FINE, THROTTLED],
            cancellation((), (), ABC, busy=(THROTTLED,)),
            id="throttled",
        ),
        pytest.param(
            [DUPLICATE, CONFLICT, FINE, THROTTLED, FINE],
            cancellation((A,), (), Transaction((B, C)), busy=(THROTTLED, CONFLICT)),
            id="a duplicate, a conflict and throttled",
        ),
        pytest.param(
            [FINE, INVALID, FINE, FINE, FINE],
            cancellation((), (B,), Transaction((A, C)), busy=()),
            id="an impossible row",
        ),
        pytest.param(
            [FINE, FINE, FINE, INVALID, FINE],
            cancellation(rest=ABC.plainly({ONE})),
            id="a breakdown that is too much",
        ),
        pytest.param(
            [DUPLICATE, FINE, FINE, INVALID, DUPLICATE],
            cancellation((A,), (), Transaction((B, C)).plainly({ONE}), crowded={TWO: None}),
            id="a duplicate, a breakdown that is too much, and a counter without room",
        ),
        pytest.param(
            [DUPLICATE, FINE, FINE, TOO_LARGE, FINE],
            cancellation((A,), (B,), Transaction((C,)), busy=()),
            id="a duplicate with an impossible counter",
        ),
        pytest.param(
            [DUPLICATE, INVALID, CONFLICT, FINE, FINE],
            cancellation((A,), (B,), Transaction((C,)), busy=(CONFLICT,)),
            id="one of each",
        ),
        pytest.param(
            [FINE, FINE, FINE, FINE, FINE],
            cancellation((), (), ABC, busy=("no reason given",)),
            id="no reason given",
        ),
        pytest.param(
            [FINE, "SomethingNew", FINE, FINE, FINE],
            cancellation((), (), ABC, busy=("SomethingNew",)),
            id="a reason that nobody knows yet",
        ),
    ],
)
def test_reasons_say_what_becomes_of_each_click(reasons: list[str], expected: Cancellation) -> None:
    assert expected == read(reasons)


row_reasons = st.sampled_from([FINE, DUPLICATE, CONFLICT, THROTTLED, INVALID, TOO_LARGE, "SomethingNew"])
counter_reasons = st.sampled_from([FINE, DUPLICATE, CONFLICT, THROTTLED, INVALID, "SomethingNew"])


@given(rows=st.tuples(*[row_reasons] * 3), counters=st.tuples(*[counter_reasons] * 2))
def test_only_a_failed_condition_makes_a_duplicate(rows: tuple[str, ...], counters: tuple[str, ...]) -> None:
    found = read([*rows, *counters])

    assert tuple(itertools.compress(ABC.clicks, [reason == DUPLICATE for reason in rows])) == found.duplicates


@given(rows=st.tuples(*[row_reasons] * 3), counters=st.tuples(*[counter_reasons] * 2))
def test_every_click_is_a_duplicate_or_impossible_or_tried_again(
    rows: tuple[str, ...], counters: tuple[str, ...]
) -> None:
    found = read([*rows, *counters])

    fates = [*found.duplicates, *found.impossible, *found.rest.clicks]
    assert sorted(click.key for click in ABC.clicks) == sorted(click.key for click in fates)


@given(rows=st.tuples(*[row_reasons] * 3), counters=st.tuples(*[counter_reasons] * 2))
def test_a_transaction_is_smaller_or_there_is_a_reason_to_pause(
    rows: tuple[str, ...], counters: tuple[str, ...]
) -> None:
    found = read([*rows, *counters])

    assert found.busy or found.crowded or found.rest != ABC


def test_a_counter_that_is_impossible_without_its_breakdown_takes_its_clicks_with_it() -> None:
    plain = ABC.plainly({ONE, TWO})

    found = read([FINE, FINE, FINE, INVALID, FINE], plain)

    assert cancellation((), (A, B), Transaction((C,), plain.plain)) == found


def test_the_items_of_counters_without_room_are_handed_on() -> None:
    found = read([FINE, FINE, FINE, FINE, DUPLICATE], item=ITEM)

    assert cancellation(crowded={TWO: ITEM}) == found


def test_reasons_that_are_not_one_for_each_action_are_not_guessed_at() -> None:
    with pytest.raises(ValueError, match="zip"):
        read([DUPLICATE])
