"""Who visited: how many robots, browsers, systems and devices are told right, on the test data of others; and how fast.

The data are in packages on PyPI (visitors.txt): user agents, of which somebody said what they are. None of them came
with ua-parser. isbot's authors try its patterns on Matomo's robots and on crawler-user-agents too, so what is found of
those says less than what is found of crawlerdetect's, which they do not.
"""

import json
import subprocess
import sys
import tarfile
import time
import uuid
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import yaml

from bench.hostile import USER_AGENTS as HOSTILE
from chalicelib import robots
from chalicelib.clicks import dimensions
from chalicelib.clicks.click import Click
from chalicelib.clicks.dimensions import OTHER, UNKNOWN, Dimensions, dimensions_of
from ops import PROJECT

ONE_IN = 10
"""Of crawlerdetect's devices, which are very many, each tenth is tried."""

MATOMOS_BROWSERS = {
    "Android Browser": "Android Browser",
    "Chrome": "Chrome",
    "Chrome Mobile": "Chrome",
    "Chrome Mobile iOS": "Chrome",
    "Chrome Webview": "Android WebView",
    "Chromium": "Chrome",
    "DuckDuckGo Privacy Browser": "DuckDuckGo",
    "Firefox": "Firefox",
    "Firefox Mobile": "Firefox",
    "Firefox Mobile iOS": "Firefox",
    "Google Search App": "Google",
    "Huawei Browser": "Huawei Browser",
    "Huawei Browser Mobile": "Huawei Browser",
    "IE Mobile": "Internet Explorer",
    "Internet Explorer": "Internet Explorer",
    "Microsoft Edge": "Edge",
    "Mi Browser": "MIUI Browser",
    "Mobile Safari": "Safari",
    "Mobile Silk": "Amazon Silk",
    "Opera": "Opera",
    "Opera GX": "Opera",
    "Opera Mini": "Opera",
    "Opera Mini iOS": "Opera",
    "Opera Mobile": "Opera",
    "Opera Neon": "Opera",
    "Opera Next": "Opera",
    "Opera Touch": "Opera",
    "QQ Browser": "QQ Browser",
    "QQ Browser Lite": "QQ Browser",
    "QQ Browser Mini": "QQ Browser",
    "Safari": "Safari",
    "Samsung Browser": "Samsung Internet",
    "UC Browser": "UC Browser",
    "UC Browser HD": "UC Browser",
    "UC Browser Mini": "UC Browser",
    "UC Browser Turbo": "UC Browser",
    "Yandex Browser": "Yandex Browser",
    "Yandex Browser Lite": "Yandex Browser",
}
MATOMOS_SYSTEMS = {
    "Android": "Android",
    "Android TV": "Android",
    "Chrome OS": "ChromeOS",
    "CyanogenMod": "Android",
    "Debian": "Linux",
    "Fedora": "Linux",
    "Fire OS": "Android",
    "GNU/Linux": "Linux",
    "HarmonyOS": "HarmonyOS",
    "HarmonyOS NEXT": "HarmonyOS",
    "KaiOS": "KaiOS",
    "Mac": "macOS",
    "Tizen": "Tizen",
    "Ubuntu": "Linux",
    "Windows": "Windows",
    "Windows Phone": "Windows Phone",
    "iOS": "iOS",
    "iPadOS": "iOS",
    "webOS": "webOS",
}
MATOMOS_DEVICES = {
    "desktop": "desktop",
    "feature phone": "mobile",
    "phablet": "mobile",
    "smartphone": "mobile",
    "tablet": "tablet",
}
"""Our names for what Matomo calls browsers, systems and devices. What is not here has none of ours."""


_ID = uuid.uuid4()
_MOMENT = datetime.now(UTC)


class Visitor(NamedTuple):
    """A user agent of a person, and what somebody said it is: names of ours."""

    user_agent: str
    browser: str
    os: str
    device: str


class Found(NamedTuple):
    """How many of a set were told right."""

    what: str
    tried: int
    right: int


class Speed(NamedTuple):
    """How long it takes to tell who visited, in seconds of CPU."""

    first: float
    new: float
    remembered: float
    robot_new: float
    worst: float
    worst_robot: float


class Measured(NamedTuple):
    """All of it."""

    found: Sequence[Found]
    speed: Speed


def measure(directory: Path) -> Measured:
    """Download the data into `directory`, and try them."""
    files = download(directory)
    matomo = [
        visitor
        for path in sorted(files.glob("device_detector/tests/fixtures/upstream/*.yml"))
        if path.stem != "bots" and "clienthints" not in path.stem
        for visitor in visitors_of_matomo(_yaml(path))
    ]
    speed = _speed([visitor.user_agent for visitor in matomo])
    crawlerdetect = files / "crawlerdetect-0.4.2/tests/fixtures/user_agent"
    robots_of = {
        "Matomo": [each["user_agent"] for each in _yaml(files / "device_detector/tests/fixtures/upstream/bots.yml")],
        "crawler-user-agents": [
            text
            for each in json.loads((files / "crawleruseragents/crawler-user-agents.json").read_text())
            for text in each["instances"]
        ],
        "crawlerdetect": (crawlerdetect / "crawlers.txt").read_text().splitlines(),
    }
    people_of = {
        "Matomo, browsers": [visitor.user_agent for visitor in matomo],
        "crawlerdetect, one in ten": (crawlerdetect / "devices.txt").read_text().splitlines()[::ONE_IN],
        "fake-useragent": [
            json.loads(line)["useragent"]
            for line in (files / "fake_useragent/data/browsers.jsonl").read_text().splitlines()
        ],
    }
    return Measured(
        [
            *(Found(f"robots of {name}", *_told(texts, robot=True)) for name, texts in robots_of.items()),
            *(Found(f"people of {name}", *_told(texts, robot=False)) for name, texts in people_of.items()),
            *tell_apart("Matomo's", matomo),
        ],
        speed,
    )


def download(directory: Path) -> Path:
    """Download the packages of visitors.txt and unpack them into a folder, which is returned."""
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary=crawlerdetect",
         "--dest", directory, "--requirement", PROJECT / "bench" / "visitors.txt"],
        check=True,
    )  # fmt: skip
    unpacked = directory / "unpacked"
    for wheel in directory.glob("*.whl"):
        with zipfile.ZipFile(wheel) as packed:
            packed.extractall(unpacked)  # noqa: S202 (pip unpacks it too, and this refuses what leads outside)
    for source in directory.glob("*.tar.gz"):
        with tarfile.open(source) as archive:
            archive.extractall(unpacked, filter="data")
    return unpacked


def visitors_of_matomo(cases: Iterable[Mapping[str, Any]]) -> list[Visitor]:
    """The browsers among some of Matomo's cases."""
    visitors = []
    for case in cases:
        client, system = case.get("client") or {}, case.get("os") or {}
        if client.get("type") != "browser":
            continue
        visitors.append(
            Visitor(
                case["user_agent"],
                MATOMOS_BROWSERS.get(client["name"], OTHER),
                MATOMOS_SYSTEMS.get(system.get("name", ""), OTHER),
                MATOMOS_DEVICES.get((case.get("device") or {}).get("type", ""), UNKNOWN),
            )
        )
    return visitors


def tell_apart(whose: str, visitors: Sequence[Visitor]) -> list[Found]:
    """How many browsers, systems and devices are told right, of those that are not taken for robots."""
    told = [(visitor, found) for visitor in visitors if not (found := _dimensions(visitor.user_agent)).robot]
    return [
        Found(
            f"{whose} {name}",
            len(told),
            sum(getattr(visitor, dimension) == getattr(found, dimension) for visitor, found in told),
        )
        for name, dimension in (("browsers", "browser"), ("systems", "os"), ("devices", "device"))
    ]


def _told(user_agents: Iterable[str], *, robot: bool) -> tuple[int, int]:
    """How many different ones there are, and how many are taken for what they are."""
    different = set(user_agents)
    return len(different), sum(robots.is_robot(each) is robot for each in different)


def _dimensions(user_agent: str) -> Dimensions:
    return dimensions_of(
        Click(
            v=1,
            id=_ID,
            code="my-link",
            occurred_at=_MOMENT,
            referrer=None,
            user_agent=user_agent[: robots.LONGEST_USER_AGENT],
            country=None,
        )
    )


def _speed(user_agents: Sequence[str]) -> Speed:
    """With 1,000 of these user agents, and with those that are made to be slow."""
    different = [*dict.fromkeys(user_agents)]
    some = different[:: len(different) // 1000][:1000]
    first = _spent(lambda: _dimensions(some[0]))
    for text in different[:: len(different) // 300]:  # all patterns are compiled then
        _dimensions(text)
    robot_new = median(_each(robots.is_robot, some))
    new = median(_each(_dimensions, some))
    remembered = median(_each(_dimensions, some, forget=False))
    return Speed(
        first, new, remembered, robot_new, max(_each(_dimensions, HOSTILE)), max(_each(robots.is_robot, HOSTILE))
    )


def _each(ask: Callable[[str], Any], user_agents: Iterable[str], *, forget: bool = True) -> list[float]:
    """The time that each takes, nothing being remembered, or all: the shortest of five, since others are at work."""
    times = []
    for text in user_agents:
        tries = []
        for _ in range(5):
            if forget:
                robots.forget()
                dimensions.forget()
            tries.append(_spent(lambda text=text: ask(text)))  # type: ignore[misc]
        times.append(min(tries))
    return times


def _spent(work: Callable[[], Any]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _yaml(path: Path) -> Any:
    return yaml.load(path.read_text(), Loader=yaml.CSafeLoader)


def describe(measured: Measured) -> str:
    """The figures, as a page of the report."""
    rows = [f"| {each.what} | {each.tried:,} | {100 * each.right / each.tried:.1f} |" for each in measured.found]
    speed = measured.speed
    return "\n".join(
        [
            "| told right, of | user agents | % |", "|---|---|---|", *rows, "",
            "| to tell who visited | CPU µs |", "|---|---|",
            f"| the first, with ua-parser imported | {speed.first * 1e6:,.0f} |",
            f"| a new user agent | {speed.new * 1e6:.0f} |",
            f"| of which, whether it is a robot | {speed.robot_new * 1e6:.0f} |",
            f"| a remembered one | {speed.remembered * 1e6:.0f} |",
            f"| the worst of {len(HOSTILE)} that are made to be slow | {speed.worst * 1e6:,.0f} |",
            f"| the worst of them, whether it is a robot | {speed.worst_robot * 1e6:,.0f} |",
        ]
    )  # fmt: skip
