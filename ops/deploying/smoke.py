"""The smoke test of a deployment: one link is created, followed, counted and deleted, as its owner would."""

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

import httpx

from chalicelib import clock
from chalicelib.access import store
from chalicelib.access.keys import Role
from ops.data.keys import make_key
from ops.shared.errors import OperatorError

SECONDS_TO_ANSWER = 60
"""A new API, a new role or a new function may take a moment until they work everywhere."""

SECONDS_TO_COUNT = 60 + 300
"""A minute more than clicks are gathered for at most (RecorderWindowSeconds)."""

TARGET = "https://example.com/linkly-smoke-test"


class SmokeTestFailed(OperatorError):
    """What was deployed does not do what it should; the message says which step failed, and how."""


def smoke_test(url: str, tell: Callable[[str], None]) -> None:
    """Try what is deployed at `url`, in the stage that the environment points at. Raises SmokeTestFailed.

    It leaves a deleted link, whose code is never given out again, and a revoked key.
    """
    with (
        httpx.Client(base_url=url, timeout=30) as visitor,
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
            _follow_and_count(visitor, owner, code, tell)
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


def _follow_and_count(visitor: httpx.Client, owner: httpx.Client, code: str, tell: Callable[[str], None]) -> None:
    followed = _answer("follow", 302, lambda: visitor.get(f"/{code}"))
    target = followed.headers.get("Location")
    if target != TARGET:
        raise SmokeTestFailed(f"follow: it leads to {target} and not to {TARGET}.")
    tell(f"follow   it: redirected to {target}")
    started = time.monotonic()
    _wait_for_the_count(owner, code)
    tell(f"count    its clicks: 1, after {time.monotonic() - started:.1f} seconds")


def _wait_for_the_count(owner: httpx.Client, code: str) -> None:
    deadline = time.monotonic() + SECONDS_TO_COUNT
    while (total := _answer("count", 200, lambda: owner.get(f"/stats/{code}")).json()["total"]) != 1:
        if time.monotonic() > deadline:
            raise SmokeTestFailed(
                f"count: one click was made, and after {SECONDS_TO_COUNT} seconds {total} are counted. "
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
