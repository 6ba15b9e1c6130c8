"""Functional tests: the whole app in this process, with moto for AWS."""

import json
import time
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from chalice.test import Client

from app import app
from chalicelib import aws, log, signed_calls
from chalicelib.access.keys import Role
from chalicelib.observability import logger
from ops.local import gateway
from ops.shared import queues
from tests import infrastructure
from tests.builders import StoppedClock
from tests.faults import Faults
from tests.functional.visitor import FunctionsVisitor, UrlsVisitor, Visitor, sent_by_botocore, sign_in


@pytest.fixture(autouse=True)
def functional(
    offline: None,  # noqa: ARG001 (asked for what it does)
    clock: StoppedClock,  # noqa: ARG001 (likewise)
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[None]:
    """Every functional test has an AWS of its own, as empty as on the first day."""
    monkeypatch.setattr(time, "sleep", lambda _: None)  # botocore's pause between two attempts
    monkeypatch.setattr(queues, "SECONDS_OF_A_POLL", 0)  # moto has no more to wait for
    with infrastructure.emulated_aws():
        yield


@pytest.fixture(scope="session")
def client() -> Client:
    """Chalice's test client, with our gateway errors.

    It applies a stage's environment while a call lasts; ours comes from the template.
    """
    gateway.install()
    return Client(app, stage_name="local", project_dir=str(infrastructure.ROOT))


@pytest.fixture
def anyone(client: Client) -> Visitor:
    """Somebody without a key."""
    return Visitor(client, {})


DOORS: dict[str, type[Visitor]] = {"the app": Visitor, "the function": FunctionsVisitor, "its URL": UrlsVisitor}


@pytest.fixture(params=DOORS)
def visitor(request: pytest.FixtureRequest, client: Client, monkeypatch: pytest.MonkeyPatch) -> Visitor:
    """Somebody who follows links: the app redirects them in `chalice local`, the function `follow_link` in AWS.

    API Gateway asks the function, or CloudFront does, by the function's own URL.
    """
    monkeypatch.setattr(signed_calls, "send", sent_by_botocore)
    return DOORS[request.param](client, {})


@pytest.fixture
def ada(client: Client) -> Visitor:
    """A user."""
    return sign_in(client, "ada")


@pytest.fixture
def bob(client: Client) -> Visitor:
    """Another user."""
    return sign_in(client, "bob")


@pytest.fixture
def admin(client: Client) -> Visitor:
    """An admin."""
    return sign_in(client, "root", Role.ADMIN)


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[dict[str, Any]]]:
    """Call it for the log lines since the last call. Each must be one JSON object, with a message of our own."""
    sources = "".join(path.read_text() for path in (infrastructure.ROOT / "chalicelib").rglob("*.py"))
    stream = StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", stream)
    monkeypatch.setattr(log, "write_line", lambda line: print(line, file=stream))

    def read() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = [json.loads(line) for line in stream.getvalue().splitlines()]
        stream.seek(0)
        stream.truncate()
        assert all(f'"{line["message"]}"' in sources for line in found)
        return found

    return read


@pytest.fixture
def faults() -> Iterator[Faults]:
    """The app's calls to AWS, recorded; none breaks unless a test plans it."""
    faults = Faults(aws.dynamodb(), aws.sqs(), aws.dynamodb(1), aws.sqs(1))
    yield faults
    faults.leave()


@pytest.fixture
def one_item_a_page(faults: Faults) -> None:
    """Queries and scans answer with an item at a time, as they do with a megabyte when there is more."""

    def limit(params: dict[str, Any], **_: Any) -> None:
        params["Limit"] = 1

    for operation in ("Query", "Scan"):
        faults.handle(aws.dynamodb(), f"before-parameter-build.dynamodb.{operation}", limit)
