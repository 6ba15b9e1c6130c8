"""The smoke test of a deployment: one link is created, followed, counted and deleted, as its owner would.

`python -m ops smoke` does the same at any time, and tells what else a front door does: whether it lets a plus through,
says a visitor's country, and what it does with many visitors at once.
"""

import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated

import httpx
import typer

from chalicelib import clock
from chalicelib.access import store
from chalicelib.access.keys import Role
from ops.data.keys import make_key
from ops.shared import stages
from ops.shared.errors import OperatorError
from ops.shared.stacks import outputs
from ops.shared.stages import Stage

SECONDS_TO_ANSWER = 60
"""A new API, a new role or a new function may take a moment until they work everywhere."""

SECONDS_TO_COUNT = 60 + 300
"""A minute more than clicks are gathered for at most (RecorderWindowSeconds)."""

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
"""Of robots, no countries are counted."""

TARGET = "https://example.com/linkly-smoke-test"


class SmokeTestFailed(OperatorError):
    """What was deployed does not do what it should; the message says which step failed, and how."""


def smoke(
    at_once: Annotated[int, typer.Option(min=1, max=1000, help="How many follow the link at the same time.")] = 1,
    url: Annotated[
        str, typer.Option(help="Where to come in, such as https://go.example.com; without it, as deployed.")
    ] = "",
    stage: Stage = None,
) -> None:
    """Create a link, follow it, see it counted and where from, look at it with a plus, and delete it."""
    stage = stages.connect(stage)
    url = url.rstrip("/") or stages.address(outputs(stage))
    print(f"trying {url}")
    smoke_test(url, print, at_once=at_once, look=True)


def smoke_test(url: str, tell: Callable[[str], None], *, at_once: int = 1, look: bool = False) -> None:
    """Try what is deployed at `url`, in the stage that the environment points at. Raises SmokeTestFailed.

    So many visitors come `at_once`; to `look` is to try what else a front door may do wrong. It leaves a deleted link,
    whose code is never given out again, and a revoked key.
    """
    with (
        httpx.Client(base_url=url, timeout=30, headers={"User-Agent": BROWSER}) as visitor,
        _temporary_key() as key,
        httpx.Client(base_url=url, timeout=30, headers=key) as owner,
    ):
        # The same link, should it be created by a request whose answer is lost.
        once = {"Idempotency-Key": f"smoke-test-{uuid.uuid4()}"}
        created = _eventually(
            "create", 201, lambda: owner.post("/links", json={"url": TARGET}, headers=once), SECONDS_TO_ANSWER
        )
        code = created.json()["code"]
        tell(f"create   a link: {created.json()['short_url']}")
        try:
            _follow_and_count(visitor, owner, code, tell, at_once)
            if look:
                _look(visitor, owner, code, tell)
        except SmokeTestFailed:
            with suppress(httpx.HTTPError):
                owner.delete(f"/links/{code}")
            raise
        _answer("delete", 204, lambda: owner.delete(f"/links/{code}"))
        tell("delete   the link")


@contextmanager
def _temporary_key() -> Iterator[dict[str, str]]:
    """The header with a key that is revoked at the end, and expires soon if even that should fail."""
    token = make_key("smoke-test", Role.USER, clock.now() + timedelta(hours=1))
    try:
        yield {"Authorization": f"Bearer {token}"}
    finally:
        store.revoke_key(token.id)


def _follow_and_count(
    visitor: httpx.Client, owner: httpx.Client, code: str, tell: Callable[[str], None], at_once: int
) -> None:
    followed = _answer("follow", 302, lambda: visitor.get(f"/{code}"))
    target = followed.headers.get("Location")
    if target != TARGET:
        raise SmokeTestFailed(f"follow: it leads to {target} and not to {TARGET}.")
    tell(f"follow   it: redirected to {target}")
    clicks = 1
    if at_once > 1:
        with ThreadPoolExecutor(at_once) as visitors:
            statuses = Counter(visitors.map(lambda _: visitor.get(f"/{code}").status_code, range(at_once)))
        met = ", ".join(f"{count} with {status}" for status, count in sorted(statuses.items()))
        tell(f"crowd    {at_once} at once were answered: {met}")
        if statuses.keys() - {HTTPStatus.FOUND, HTTPStatus.TOO_MANY_REQUESTS}:
            raise SmokeTestFailed(f"crowd: whoever is not redirected is to be told to come back (429): {met}.")
        clicks += statuses[HTTPStatus.FOUND]
    started = time.monotonic()
    _wait_for_the_count(owner, code, clicks)
    tell(f"count    its clicks: {clicks}, after {time.monotonic() - started:.1f} seconds")


def _look(visitor: httpx.Client, owner: httpx.Client, code: str, tell: Callable[[str], None]) -> None:
    for plus in ("+", "%2B"):
        shown = _answer("preview", 200, lambda plus=plus: visitor.get(f"/{code}{plus}"))  # type: ignore[misc]
        if shown.json()["url"] != TARGET:
            raise SmokeTestFailed(f"preview: /{code}{plus} says {shown.text[:500]}")
    tell(f"preview  it: /{code}+ says where it leads")
    today = clock.now().date()
    since = (today - timedelta(days=1)).isoformat()  # it may have been yesterday a moment ago
    asked = {"from": since, "to": today.isoformat(), "by": "country"}
    report = _answer("country", 200, lambda: owner.get(f"/stats/{code}", params=asked)).json()
    [first, *_] = report["by"]["country"] or [{"value": None}]
    tell(f"country  {first['value'] or 'not told'}")


def _wait_for_the_count(owner: httpx.Client, code: str, clicks: int) -> None:
    deadline = time.monotonic() + SECONDS_TO_COUNT
    while (total := _answer("count", 200, lambda: owner.get(f"/stats/{code}")).json()["total"]) != clicks:
        if time.monotonic() > deadline:
            made = "one click was" if clicks == 1 else f"{clicks} clicks were"
            raise SmokeTestFailed(
                f"count: {made} made, and after {SECONDS_TO_COUNT} seconds {total} are counted. "
                "See the logs of record_clicks: python -m ops logs"
            )
        time.sleep(0.5)


def _eventually(step: str, status: int, ask: Callable[[], httpx.Response], seconds: float) -> httpx.Response:
    deadline = time.monotonic() + seconds
    while True:
        try:
            return _answer(step, status, ask)
        except SmokeTestFailed:
            if time.monotonic() > deadline:
                raise
            time.sleep(1)


def _answer(step: str, status: int, ask: Callable[[], httpx.Response]) -> httpx.Response:
    try:
        answer = ask()
    except httpx.HTTPError as error:
        raise SmokeTestFailed(f"{step}: no answer: {error}") from error
    if answer.status_code != status:
        raise SmokeTestFailed(f"{step}: the answer is {answer.status_code} and not {status}: {answer.text[:500]}")
    return answer
