"""A bounded load on a running Linkly: follows at a constant rate, and whether each was counted.

The model is open: a follow starts when its moment comes, whether or not those before it have been answered, and its
latency counts from that moment. So a stack that falls behind cannot slow down what it is measured by.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import httpx
import typer

from ops.shared.errors import OperatorError
from ops.shared.percentiles import percentile
from ops.shared.stages import run_file

HIGHEST_RATE = 200
"""Follows a second."""

LONGEST = 600
"""Seconds."""

PATIENCE = 120 + 300
"""Seconds until every click must have been counted: two minutes more than they are gathered for at most."""

SLOWEST_ANSWER = 30
"""Seconds; API Gateway itself waits for 29."""


class LoadFailed(OperatorError):
    """No link can be made to be followed; the message says why."""


@dataclass(frozen=True)
class Follow:
    """What became of a follow: its status, or None without an answer, and the seconds from its moment to its end."""

    status: int | None
    seconds: float


@dataclass(frozen=True)
class Load:
    """What became of all of them."""

    follows: Sequence[Follow]
    counted: int

    @property
    def redirected(self) -> int:
        """How many were answered with 302, each of which is a click."""
        return sum(follow.status == 302 for follow in self.follows)

    @property
    def unanswered(self) -> int:
        """How many got no answer: nobody knows whether those were clicks."""
        return sum(follow.status is None for follow in self.follows)

    @property
    def exact(self) -> bool:
        """Whether every click was counted once."""
        return self.redirected <= self.counted <= self.redirected + self.unanswered


def run(url: str, key: str, rate: float, seconds: float) -> Load:
    """Follow a new link `rate` times a second for `seconds`, wait until it is counted, and delete it again.

    `key` is an API key. Raises LoadFailed, or httpx's errors if the link cannot be made.
    """
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=SLOWEST_ANSWER) as owner:
        answer = owner.post("/links", json={"url": "https://example.com/load"}).raise_for_status()
        try:
            code = answer.json()["code"]
        except (ValueError, LookupError, TypeError) as error:
            raise LoadFailed(f"What answers at {url} is not Linkly. See URL.") from error
        try:
            follows = asyncio.run(follow_at_rate(f"{url}/{code}", rate, seconds))
            load = Load(follows, 0)
            return Load(follows, _counted(owner, code, load.redirected))
        finally:
            owner.delete(f"/links/{code}").raise_for_status()


async def follow_at_rate(address: str, rate: float, seconds: float) -> list[Follow]:
    """Follow an address at a constant rate."""
    started = time.monotonic()
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(timeout=SLOWEST_ANSWER, limits=limits) as client, asyncio.TaskGroup() as group:
        tasks = []
        for number in range(max(1, round(rate * seconds))):
            moment = started + number / rate
            await asyncio.sleep(max(0, moment - time.monotonic()))
            tasks.append(group.create_task(_follow(client, address, moment)))
    return [task.result() for task in tasks]


async def _follow(client: httpx.AsyncClient, address: str, moment: float) -> Follow:
    try:
        status: int | None = (await client.get(address)).status_code
    except httpx.HTTPError:
        status = None
    return Follow(status, time.monotonic() - moment)


def _counted(owner: httpx.Client, code: str, expected: int) -> int:
    deadline = time.monotonic() + PATIENCE
    while True:
        answer = owner.get(f"/stats/{code}").raise_for_status()
        total: int = answer.json()["total"]
        if total >= expected or time.monotonic() > deadline:
            return total
        time.sleep(0.5)


def latencies(follows: Sequence[Follow]) -> str:
    """The latencies of those that were answered, in milliseconds."""
    answered = [follow.seconds * 1000 for follow in follows if follow.status is not None]
    percents = {"p50": 50, "p90": 90, "p99": 99, "max": 100}
    return ", ".join(f"{name} {percentile(answered, percent):.0f} ms" for name, percent in percents.items())


def send(
    rate: Annotated[float, typer.Option(envvar="RATE", min=0.1, max=HIGHEST_RATE, help="Follows a second.")] = 5,
    seconds: Annotated[float, typer.Option(envvar="SECONDS", min=1, max=LONGEST, help="For how long.")] = 20,
    url: Annotated[str, typer.Option(envvar="URL", help="Where Linkly is; the local stack, if it runs.")] = "",
    key: Annotated[str, typer.Option(envvar="KEY", help="An API key; the local stack's, if it runs.")] = "",
) -> None:
    """Follow a link of its own at a constant rate, and see whether each click was counted once."""
    local_stack = run_file()
    url = (url or local_stack.get("url", "")).rstrip("/")
    key = key or local_stack.get("keys", {}).get("user", "")
    if not (url and key):
        raise typer.BadParameter("give URL and KEY; without them the local stack is used, and none runs")
    try:
        load = run(url, key, rate, seconds)
    except httpx.HTTPStatusError as error:
        raise LoadFailed(_refusal(url, error.response)) from error
    except (httpx.InvalidURL, httpx.TransportError, UnicodeError) as error:
        raise LoadFailed(f"Nobody can be asked at {url} (URL) with this key (KEY): {error}") from error
    print(describe(load))
    if not load.exact or load.redirected < len(load.follows):
        raise typer.Exit(1)


def _refusal(url: str, answer: httpx.Response) -> str:
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        return f"{url} does not know this KEY. Make one: python -m ops keys create"
    asked = f"{answer.request.method} {answer.url}"
    return f"{asked} was answered with {answer.status_code}. Is URL Linkly's? {answer.text[:200]}"


def describe(load: Load) -> str:
    """The report."""
    statuses: Counter[Any] = Counter(follow.status or "never" for follow in load.follows)
    return "\n".join(
        [
            f"sent {len(load.follows)}: "
            + ", ".join(f"{count} answered {status}" for status, count in statuses.items()),
            f"latency: {latencies(load.follows)}",
            f"redirected {load.redirected}, counted {load.counted}: {'exact' if load.exact else 'NOT EXACT'}",
        ]
    )
