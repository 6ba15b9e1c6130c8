"""Which limit comes first: docs/scale.md says what the model does, and the model what the code and the template do."""

import random
import re
from itertools import pairwise

import pytest

from bench import backlog
from bench.recorder import batch_size
from chalicelib import clock
from chalicelib.clicks.counters import SHARDS
from chalicelib.clicks.transactions import MOST_ACTIONS
from ops import PROJECT
from ops.watching import costs, scale
from ops.watching.scale import LOADS, MIXES, ONE_LINK, Recorder
from tests import infrastructure

PAGE = (PROJECT / "docs" / "scale.md").read_text()
BLOCKS = {
    "what it takes": lambda: scale.summary(backlog.shape),
    "what comes first": lambda: scale.first_table(backlog.shape),
    "every limit": lambda: scale.limits_table(backlog.shape),
    "each load": lambda: scale.loads_table(backlog.shape),
    "other recorders": lambda: scale.recorders_table(backlog.shape),
    "what to ask for": lambda: scale.asks(LOADS[-1], backlog.shape),
    "what is assumed": scale.assumptions,
    "the quotas": scale.quotas_table,
    "conflicts and lag": backlog.minutes_table,
    "conflicts and lag with other recorders": backlog.scenes_table,
}
OTHER_FIGURES = {"429", "500", "503", f"{MOST_ACTIONS - 1}", "2026"}
"""Statuses of HTTP, the clicks of a full transaction, and a year."""
TOO_MUCH = (3_500, 5_000, 7_000, 10_000)
"""Clicks a second, for the recorders as they are."""


@pytest.mark.parametrize("name", BLOCKS)
def test_the_page_has(name: str) -> None:
    block = BLOCKS[name]()

    assert block in PAGE, block


def test_the_page_has_no_figure_that_is_not_calculated() -> None:
    rest = PAGE
    for block in BLOCKS.values():
        rest = rest.replace(block(), "")
    prose = re.sub(r"\]\([^)]*\)|`[^`]*`", "", rest)

    assert set(re.findall(r"\d[\d,.]*\d", prose)) <= OTHER_FIGURES


def test_the_model_knows_the_recorders_trigger() -> None:
    app = (PROJECT / "app.py").read_text()

    assert (costs.BATCH, costs.CONSUMERS) == (batch_size(), int(re.findall(r"maximum_concurrency=(\d+)", app)[0]))


def test_the_model_has_the_defaults_of_the_template() -> None:
    parameters = infrastructure.template()["Parameters"]
    numbers = {
        name: float(parameters[name]["Default"])
        for name in ("RequestsPerSecond", "RecorderWindowSeconds", "RetryPauseSeconds")
    }

    assert {
        "RequestsPerSecond": scale.REQUESTS_PER_SECOND,
        "RecorderWindowSeconds": costs.WINDOW_SECONDS,
        "RetryPauseSeconds": scale.RETRY_PAUSE_SECONDS,
    } == numbers


def test_a_core_counts_as_many_clicks_as_in_the_benchmarks() -> None:
    page = (PROJECT / "docs" / "benchmarks.md").read_text()
    rows = re.findall(r"^\| (one hot link|Zipf over 10,000 links) \| [\d,]+ \| ([\d,]+) \|", page, re.MULTILINE)

    assert [("one hot link", "3,095"), ("Zipf over 10,000 links", "2,218")] == rows
    assert [int(figure.replace(",", "")) for _, figure in rows] == [mix.clicks_a_core_second for mix in MIXES.values()]


def test_the_simulated_recorder_waits_as_long_as_the_real_one(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(clock, "sleep", slept.append)
    monkeypatch.setattr(random, "uniform", lambda _least, most: most)

    for tries in range(1, 9):
        clock.back_off(tries)

    assert [scale.longest_pause(tries) for tries in range(1, 9)] == slept


@pytest.mark.parametrize("mix", MIXES)
def test_every_click_is_counted_once(mix: str) -> None:
    crowded = Recorder(consumers=4 * SHARDS)

    assert 10 * 2_000 == len(backlog.minute(mix, 2_000, crowded, seconds=10).lags)


@pytest.mark.parametrize("percent", [50, 99, 100])
@pytest.mark.parametrize("mix", MIXES)
def test_more_load_is_never_less_lag(mix: str, percent: float) -> None:
    lags = [backlog.minute(mix, load).lag(percent) for load in (LOADS[1], *TOO_MUCH)]

    assert sorted(lags) == lags


@pytest.mark.parametrize("mix", MIXES)
def test_more_load_is_never_less_of_a_backlog(mix: str) -> None:
    counted = {load: Recorder().clicks_a_second(mix, backlog.shape(mix, load)) for load in (*LOADS[:2], *TOO_MUCH)}
    backlogs = [scale.backlog(load, most, 60) for load, most in counted.items()]

    assert sorted(backlogs) == backlogs
    assert [0, 0] == backlogs[:2]
    assert min(backlogs[2:]) > 0


def test_a_recorder_that_is_alone_is_in_nobodys_way() -> None:
    assert 0 == backlog.minute(ONE_LINK, 500, Recorder(consumers=1), seconds=10).conflicts


@pytest.mark.parametrize("mix", MIXES)
def test_more_recorders_than_shards_are_in_each_others_way(mix: str) -> None:
    as_many, twice_as_many, with_shards_for_them = (
        backlog.minute(mix, 10_000, recorder)
        for recorder in (
            Recorder(SHARDS, scale.CORE),
            Recorder(2 * SHARDS, scale.CORE),
            Recorder(2 * SHARDS, scale.CORE, shards=2 * SHARDS),
        )
    )

    assert as_many.conflicts < as_many.tries / 100
    assert twice_as_many.conflicts > twice_as_many.tries / 10
    assert with_shards_for_them.conflicts < with_shards_for_them.tries / 100


@pytest.mark.parametrize("mix", MIXES)
def test_simulated_recorders_count_as_many_as_calculated(mix: str) -> None:
    simulated = backlog.minute(mix, LOADS[-1])

    calculated = Recorder().clicks_a_second(mix, backlog.shape(mix, LOADS[-1]))

    assert calculated == pytest.approx(LOADS[-1] * backlog.SECONDS / simulated.ended, rel=0.05)


def test_a_redirect_needs_a_tenth_of_its_rate_in_concurrency_however_quick_it_is() -> None:
    assert {100: 10, 10_000: 1_000} == {load: scale.concurrency(load) for load in (100, 10_000)}


def test_who_is_too_many_is_refused() -> None:
    assert [0, 0, 0.5] == [scale.refused(load, 500) for load in (100, 500, 1_000)]


@pytest.mark.parametrize("door", scale.DOORS)
@pytest.mark.parametrize("mix", MIXES)
def test_what_a_load_is_too_much_for_a_higher_one_is_too(mix: str, door: str) -> None:
    met = [[limit.name for limit in scale.met(mix, door, load, backlog.shape)] for load in LOADS]

    assert [] == met[0]
    assert all(lower == higher[: len(lower)] for lower, higher in pairwise(met))
