"""Promises 1 and 2: whatever happens on the way, each accepted click is counted once, or waits to be.

A run that fails is printed step by step, made as short as hypothesis can. The runs are the same every time; to look
where nobody has looked before: `.venv/bin/python -m pytest tests/properties --hypothesis-profile=hunt`.
"""

from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from tests.properties import tally
from tests.properties.adversary import NotExact, Run
from tests.properties.mutants import MUTANTS, Mutant

HUNTING = settings.get_current_profile_name() == "hunt"
RUNS = 20_000 if HUNTING else 200
MOST_RUNS_TO_CATCH_A_MUTANT = 1_000

choices = st.randoms(note_method_calls=False)
"""Whatever is chosen with one of them is hypothesis's choice. The trace says more than the calls would."""


def attack(chooser: Random) -> None:
    """One run. Raises NotExact, and says how it came to that."""
    run = Run(chooser.randrange)
    try:
        run.go()
    finally:
        note("\n".join(run.trace))


@pytest.mark.timeout(0 if HUNTING else 600)  # hypothesis takes up to five minutes to shorten a failure
@settings(
    max_examples=RUNS,
    derandomize=not HUNTING,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(chooser=choices)
def test_every_accepted_click_counts_once_whatever_happens_on_the_way(chooser: Random) -> None:
    attack(chooser)


@settings(
    max_examples=MOST_RUNS_TO_CATCH_A_MUTANT,
    derandomize=True,
    phases=[Phase.generate],  # nobody reads how it was caught: no need to make it short
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(chooser=choices)
def attack_again_and_again(chooser: Random) -> None:
    attack(chooser)


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_a_recorder_a_purge_or_a_recount_with_a_mistake_is_caught(
    mutant: Mutant, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutant.plant(monkeypatch)
    runs_before = tally.done["runs"]

    with pytest.raises(NotExact):
        attack_again_and_again()
    tally.caught[str(mutant)] = tally.done["runs"] - runs_before
