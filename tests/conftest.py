"""What unit and functional tests share; of tests/infra and tests/e2e only what makes all tests quicker holds too."""

import gc
import json
import os
from collections.abc import Callable, Iterator
from functools import cache
from io import StringIO
from typing import Any

import pytest
from botocore.loaders import create_loader
from hypothesis import settings

from chalicelib import aws, log
from chalicelib.clicks import admission
from chalicelib.observability import logger
from chalicelib.redirects import follow, life
from tests import infrastructure
from tests.builders import StoppedClock

# A slow machine is no failure.
settings.register_profile("linkly", deadline=None)
settings.load_profile("linkly")


def pytest_collection_finish() -> None:
    """Have Python look less often for garbage, and never among what has been imported: that took a quarter of all."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


@pytest.fixture
def offline(socket_disabled: None, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001 (it closes the sockets)
    """No sockets, nothing of this machine's own AWS settings, nothing remembered, and the template's environment."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": infrastructure.REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        **infrastructure.environment(),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(log, "_invocation", None)
    follow.forget()
    life.forget()
    admission.forget()


@pytest.fixture(scope="session", autouse=True)
def botocores_data() -> Iterator[None]:
    """What botocore knows of AWS is read once for all sessions; reading it is most of what a client takes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("botocore.session.create_loader", cache(create_loader))
        yield


@pytest.fixture
def new_clients() -> Iterator[None]:
    """For whoever changes the app's clients, or what they are made of: the tests before and after have others."""
    aws.forget_clients()
    yield
    aws.forget_clients()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> StoppedClock:
    """The time, which stands still."""
    stopped = StoppedClock()
    monkeypatch.setattr("chalicelib.clock.now", stopped.now)
    monkeypatch.setattr("chalicelib.clock.sleep", stopped.sleep)
    return stopped


@pytest.fixture
def logs(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[dict[str, Any]]]:
    """Call it for the log lines so far; each must be one JSON object."""
    stdout = StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", stdout)
    monkeypatch.setattr(log, "write_line", lambda line: print(line, file=stdout))
    return lambda: [json.loads(line) for line in stdout.getvalue().splitlines()]
