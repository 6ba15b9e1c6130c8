"""How the bench compares, and what it draws."""

from pathlib import Path

from bench import charts
from bench.cold import Import, by_package
from bench.rounds import BASELINE, Figure, in_turns


def test_a_ratio_is_of_neighbours_in_time_so_that_a_machine_that_slows_down_does_not_matter() -> None:
    figure = Figure(samples=[2, 4, 8, 40], baseline=[1, 2, 4, 10])

    assert (6, 2) == (figure.median, figure.ratio)


def test_each_is_measured_once_a_round_in_turns() -> None:
    order: list[str] = []

    def measure(name: str) -> float:
        order.append(name)
        return 2 if name == "ours" else 1

    figures = in_turns(2, {name: lambda name=name: measure(name) for name in (BASELINE, "ours")})  # type: ignore[misc]

    assert [BASELINE, "ours", BASELINE, "ours"] == order
    assert Figure([2, 2], [1, 1]) == figures["ours"]


def test_imports_are_summed_up_by_package_the_dearest_first() -> None:
    text = """import time: self [us] | cumulative | imported package
import time:       500 |        500 |   json.scanner
import time:      2000 |       2500 | json
import time:      9000 |       9000 |     botocore
a line of something else
"""

    assert [Import("botocore", 1, 9), Import("json", 2, 2.5)] == by_package(text)


def test_a_chart_is_the_same_for_the_same_figures(tmp_path: Path) -> None:
    for name in ("first", "second"):
        charts.draw_lags([10, 20, 30, 500], tmp_path / name)

    assert (tmp_path / "first").read_text() == (tmp_path / "second").read_text()
