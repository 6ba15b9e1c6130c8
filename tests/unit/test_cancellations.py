"""What the reasons of a cancelled transaction say of each click."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.clicks.transactions import Cancellation, Transaction, read_reasons
from tests.builders import a_click, clicks

FINE, DUPLICATE, CONFLICT = "None", "ConditionalCheckFailed", "TransactionConflict"
THROTTLED, INVALID, TOO_LARGE = "ThrottlingError", "ValidationError", "ItemCollectionSizeLimitExceeded"

A, B = clicks(2, code="one")
C = a_click(code="two")
ABC = Transaction((A, B, C))  # and two counters


@pytest.mark.parametrize(
    ("reasons", "expected"),
    [
        pytest.param(
            [DUPLICATE, FINE, FINE, FINE, FINE],
            Cancellation((A,), (), Transaction((B, C)), busy=()),
            id="a duplicate",
        ),
        pytest.param(
            [DUPLICATE, DUPLICATE, DUPLICATE, FINE, FINE],
            Cancellation((A, B, C), (), Transaction(()), busy=()),
            id="nothing but duplicates",
        ),
        pytest.param(
            [FINE, CONFLICT, FINE, FINE, FINE],
            Cancellation((), (), ABC, busy=(CONFLICT,)),
            id="a conflict over a row",
        ),
        pytest.param(
            [FINE, FINE, FINE, CONFLICT, FINE],
            Cancellation((), (), ABC, busy=(CONFLICT,)),
            id="a conflict over a counter",
        ),
        pytest.param(
            [FINE, FINE, FINE, FINE, THROTTLED],
            Cancellation((), (), ABC, busy=(THROTTLED,)),
            id="throttled",
        ),
        pytest.param(
            [DUPLICATE, CONFLICT, FINE, THROTTLED, FINE],
            Cancellation((A,), (), Transaction((B, C)), busy=(THROTTLED, CONFLICT)),
            id="a duplicate, a conflict and throttled",
        ),
        pytest.param(
            [FINE, INVALID, FINE, FINE, FINE],
            Cancellation((), (B,), Transaction((A, C)), busy=()),
            id="an impossible row",
        ),
        pytest.param(
            [FINE, FINE, FINE, INVALID, FINE],
            Cancellation((), (A, B), Transaction((C,)), busy=()),
            id="an impossible counter",
        ),
        pytest.param(
            [DUPLICATE, FINE, FINE, TOO_LARGE, FINE],
            Cancellation((A,), (B,), Transaction((C,)), busy=()),
            id="a duplicate with an impossible counter",
        ),
        pytest.param(
            [DUPLICATE, INVALID, CONFLICT, FINE, FINE],
            Cancellation((A,), (B,), Transaction((C,)), busy=(CONFLICT,)),
            id="one of each",
        ),
        pytest.param(
            [FINE, FINE, FINE, FINE, FINE],
            Cancellation((), (), ABC, busy=("no reason given",)),
            id="no reason given",
        ),
        pytest.param(
            [FINE, "SomethingNew", FINE, FINE, FINE],
            Cancellation((), (), ABC, busy=("SomethingNew",)),
            id="a reason that nobody knows yet",
        ),
    ],
)
def test_reasons_say_what_becomes_of_each_click(reasons: list[str], expected: Cancellation) -> None:
    assert expected == read_reasons(ABC, reasons)


row_reasons = st.sampled_from([FINE, DUPLICATE, CONFLICT, THROTTLED, INVALID, TOO_LARGE, "SomethingNew"])
counter_reasons = st.sampled_from([FINE, CONFLICT, THROTTLED, INVALID, "SomethingNew"])


@given(rows=st.tuples(*[row_reasons] * 3), counters=st.tuples(*[counter_reasons] * 2))
def test_only_a_failed_condition_makes_a_duplicate(rows: tuple[str, ...], counters: tuple[str, ...]) -> None:
    cancellation = read_reasons(ABC, [*rows, *counters])

    assert tuple(itertools.compress(ABC.clicks, [reason == DUPLICATE for reason in rows])) == cancellation.duplicates


@given(rows=st.tuples(*[row_reasons] * 3), counters=st.tuples(*[counter_reasons] * 2))
def test_every_click_is_a_duplicate_or_impossible_or_tried_again(
    rows: tuple[str, ...], counters: tuple[str, ...]
) -> None:
    cancellation = read_reasons(ABC, [*rows, *counters])

    fates = [*cancellation.duplicates, *cancellation.impossible, *cancellation.rest.clicks]
    assert sorted(click.key for click in ABC.clicks) == sorted(click.key for click in fates)


@given(rows=st.tuples(*[row_reasons] * 3), counters=st.tuples(*[counter_reasons] * 2))
def test_a_transaction_is_smaller_or_there_is_a_reason_to_pause(
    rows: tuple[str, ...], counters: tuple[str, ...]
) -> None:
    cancellation = read_reasons(ABC, [*rows, *counters])

    assert cancellation.busy or len(cancellation.rest.clicks) < len(ABC.clicks)


def test_reasons_that_are_not_one_for_each_action_are_not_guessed_at() -> None:
    with pytest.raises(ValueError, match="zip"):
        read_reasons(ABC, [DUPLICATE])
