"""How the bench compares, what it draws, and who visits."""

import random
from pathlib import Path

from bench import charts, visitors
from bench.cold import Import, by_package
from bench.crowd import BROWSERS, CRAWLERS, USER_AGENTS, Crowd
from bench.rounds import BASELINE, Figure, in_turns
from chalicelib.clicks import dimensions
from chalicelib.clicks.dimensions import DEVICES, OTHER, SYSTEMS, UNKNOWN
from tests.builders import NOW


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
import random
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


CASE = {
    "user_agent": "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
    "client": {"type": "browser", "name": "Firefox"},
    "os": {"name": "Ubuntu"},
    "device": {"type": "desktop"},
}
FIREFOX = visitors.Visitor(CASE["user_agent"], "Firefox", "Linux", "desktop")  # type: ignore[arg-type]


def test_what_others_call_a_browser_gets_our_name_or_is_another() -> None:
    rare = {**CASE, "client": {"type": "browser", "name": "Lynx"}, "os": [], "device": None}
    no_browser = {**CASE, "client": {"type": "library", "name": "curl"}}

    assert [FIREFOX, FIREFOX._replace(browser=OTHER, os=OTHER, device=UNKNOWN)] == visitors.visitors_of_matomo(
        [CASE, rare, no_browser]
    )


def test_each_dimension_is_told_right_or_not_and_a_robot_is_not_asked() -> None:
    robot = FIREFOX._replace(user_agent="curl/8.5.0")

    found = visitors.tell_apart("their", [FIREFOX, FIREFOX._replace(os="Windows"), robot])

    assert [
        visitors.Found("their browsers", 2, 2),
        visitors.Found("their systems", 2, 1),
        visitors.Found("their devices", 2, 2),
    ] == found


def test_the_names_that_others_are_given_are_ours() -> None:
    assert {*visitors.MATOMOS_BROWSERS.values()} <= dimensions.BROWSERS
    assert {*visitors.MATOMOS_SYSTEMS.values()} == SYSTEMS
    assert {*visitors.MATOMOS_DEVICES.values()} == DEVICES


def test_a_crowd_is_the_same_for_the_same_numbers_and_has_a_thousand_user_agents() -> None:
    one, other = (
        [crowd.click("my-link", NOW) for _ in range(500)]
        for crowd in (Crowd(random.Random(1)), Crowd(random.Random(1)))  # noqa: S311 (the same every time)
    )

    assert one == other
    assert USER_AGENTS == len({*BROWSERS, *CRAWLERS})
