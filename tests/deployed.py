"""What the end-to-end tests know of a Linkly that runs: its callers, its queues, its logs."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, cast

import boto3
import httpx

from chalicelib import config
from chalicelib.access.keys import Role
from ops import PROJECT
from ops.data.keys import make_key
from ops.local import emulator
from ops.local.run import gateway_command
from ops.repairing.accident import deny, end_denial
from ops.shared.aws import client
from ops.shared.stages import LOCAL

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeFilterType


@dataclass(frozen=True)
class Linkly:
    """Linkly at some URL, and its callers: a visitor, and holders of keys."""

    url: str
    visitor: httpx.Client
    alice: httpx.Client
    bob: httpx.Client
    admin: httpx.Client

    def create(self, holder: httpx.Client | None = None) -> str:
        """Create a link, alice's unless somebody else is given, and return its code."""
        answer = (holder or self.alice).post("/links", json={"url": "https://example.com/target"})
        assert answer.status_code == 201, answer.text
        code: str = answer.json()["code"]
        return code

    def follow(self, code: str, times: int = 1) -> None:
        """Follow a link; every follow must be redirected."""
        for _ in range(times):
            assert self.visitor.get(f"/{code}").status_code == 302

    def total(self, code: str) -> int:
        """The number of clicks that a link's statistics give."""
        answer = self.alice.get(f"/stats/{code}")
        assert answer.status_code == 200, answer.text
        total: int = answer.json()["total"]
        return total


def key_holder(url: str, owner: str, role: Role = Role.USER) -> httpx.Client:
    """Somebody with a new key."""
    return httpx.Client(base_url=url, timeout=30, headers={"Authorization": f"Bearer {make_key(owner, role)}"})


@contextmanager
def linkly_at(url: str) -> Iterator[Linkly]:
    """Linkly at `url`, with keys made for its callers."""
    with (
        httpx.Client(base_url=url, timeout=30) as visitor,
        key_holder(url, "alice") as alice,
        key_holder(url, "bob") as bob,
        key_holder(url, "root", Role.ADMIN) as admin,
    ):
        yield Linkly(url, visitor, alice, bob, admin)


@contextmanager
def http_process(environment: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    """`chalice local` as a process, in this environment and some more; gives its URL and the file of its output."""
    port = free_port()
    with TemporaryDirectory() as directory, (Path(directory) / "output").open("wb") as output:
        process = subprocess.Popen(
            gateway_command(port),
            cwd=PROJECT,
            env={**os.environ, **environment, "PYTHONUNBUFFERED": "1"},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            eventually(lambda: _is_well(f"http://localhost:{port}"))
            yield f"http://localhost:{port}", Path(output.name)
        finally:
            emulator.stop(process)


def _is_well(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health").is_success
    except httpx.TransportError:
        return False


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def eventually(check: Callable[[], bool], *, within: float = 90) -> None:
    """Wait until `check` holds; fail if it does not after `within` seconds."""
    deadline = time.monotonic() + within
    while not check():
        assert time.monotonic() < deadline, f"not within {within} seconds"
        time.sleep(0.2)


def dead_letters_url() -> str:
    """The URL of the click queue's dead-letter queue."""
    return f"{config.click_queue_url()}-dlq"


def waiting(url: str) -> int:
    """How many messages are in a queue, those included that a consumer holds."""
    names: list[QueueAttributeFilterType] = [
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
    ]
    attributes = _sqs(os.environ["AWS_ENDPOINT_URL"]).get_queue_attributes(QueueUrl=url, AttributeNames=names)
    return sum(map(int, attributes["Attributes"].values()))


@cache
def _sqs(endpoint: str) -> "SQSClient":
    return cast("SQSClient", boto3.client("sqs", endpoint_url=endpoint))


def logged(function: str, since: float, text: str) -> int:
    """How many lines with `text` a function has logged since a time in seconds."""
    group = f"/aws/lambda/linkly-local-{function}"
    events = client("logs").filter_log_events(logGroupName=group, startTime=int(since * 1000))["events"]
    return sum(text in event["message"] for event in events)


@contextmanager
def forbidden(function: str, action: str) -> Iterator[None]:
    """Take one permission away from a function, for a while."""
    deny(LOCAL, function, action)
    try:
        yield
    finally:
        end_denial(LOCAL, function)


def ops(*arguments: str, checkout: Path = PROJECT) -> "subprocess.CompletedProcess[str]":
    """Run `python -m ops …`, on a terminal that is wide enough for its tables."""
    return subprocess.run(
        [sys.executable, "-m", "ops", *arguments],
        cwd=checkout,
        env={**os.environ, "COLUMNS": "200"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
