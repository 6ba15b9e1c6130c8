"""`python -m ops doctor`: what is well, what is not, and what to do."""

import os
from pathlib import Path
from typing import Any

import pytest
import typer
from botocore.exceptions import EndpointConnectionError

from ops.local import doctor
from ops.local.doctor import (
    Finding,
    Level,
    of_account,
    of_concurrency,
    of_disk,
    of_environment,
    of_platform,
    of_python,
    of_throttling,
)


@pytest.mark.parametrize(
    ("version", "level"),
    [((3, 10), "fail"), ((3, 11), "ok"), ((3, 13), "ok"), ((3, 14), "warn"), ((3, 16), "fail")],
)
def test_a_version_of_python_is_new_enough_and_known_to_lambda(version: tuple[int, int], level: str) -> None:
    assert level == of_python(version).level


@pytest.mark.parametrize(
    ("system", "machine", "level"),
    [("Linux", "x86_64", "ok"), ("Linux", "aarch64", "warn"), ("Darwin", "x86_64", "warn")],
)
def test_a_platform_that_nobody_has_tried_is_warned_of(system: str, machine: str, level: str) -> None:
    assert level == of_platform(system, machine).level


@pytest.mark.parametrize(("free", "level"), [(10**8, "fail"), (10**9, "warn"), (10**10, "ok")])
def test_a_disk_must_have_room(free: int, level: str) -> None:
    assert level == of_disk(free).level


def test_an_environment_is_ready_when_it_is_complete_and_newer_than_its_pins(tmp_path: Path) -> None:
    def level() -> Level:
        return of_environment(".venv", ("requirements.txt",), tmp_path).level

    (tmp_path / "requirements.txt").touch()
    (tmp_path / ".venv").mkdir()
    missing = level()
    (tmp_path / ".venv" / "ready").touch()
    os.utime(tmp_path / "requirements.txt", (0, 0))
    ready = level()
    os.utime(tmp_path / ".venv" / "ready", (-1, -1))
    old = level()

    assert (Level.FAIL, Level.OK, Level.WARN) == (missing, ready, old)


@pytest.mark.parametrize(("limit", "level"), [(10, "warn"), (1000, "ok")])
def test_the_ten_functions_of_a_new_account_are_warned_of(limit: int, level: str) -> None:
    found = of_concurrency(limit)

    assert (level, level == "warn") == (found.level, "L-B99A9384" in found.advice)


@pytest.mark.parametrize(("rate", "level"), [(100.0, "warn"), (10_000.0, "ok")])
def test_an_api_that_lets_few_requests_through_is_warned_of(rate: float, level: str) -> None:
    assert level == of_throttling(rate, 5000).level


def test_without_a_region_or_credentials_the_rest_is_examined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    without_credentials = list(of_account())
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    without_region = list(of_account())

    assert [
        Finding(Level.WARN, "No AWS credentials are found. Sign in, or set AWS_PROFILE.", "(Only deploying needs it.)")
    ] == without_credentials
    assert [(Level.WARN, "(Only deploying needs it.)")] == [(each.level, each.advice) for each in without_region]


def test_credentials_that_aws_cannot_be_asked_about_are_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    class Sts:
        def get_caller_identity(self) -> Any:
            raise EndpointConnectionError(endpoint_url="https://sts")

    monkeypatch.setattr(doctor, "client", lambda *_: Sts())

    [found] = of_account()

    assert (Level.FAIL, True) == (found.level, found.what.startswith("AWS does not know us: Could not connect"))


@pytest.mark.parametrize(("level", "code"), [(Level.OK, 0), (Level.WARN, 0), (Level.FAIL, 1)])
def test_only_a_failure_makes_the_command_fail(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], level: Level, code: int
) -> None:
    monkeypatch.setattr(doctor, "of_machine", lambda *_: [Finding(level, "Something [is].", "Do this.")])
    monkeypatch.setattr(doctor, "of_account", lambda: [Finding(Level.OK, "All is well.")])

    ended = 0
    try:
        doctor.examine(8000, 4566)
    except typer.Exit as end:
        ended = end.exit_code

    assert code == ended
    assert [f"{level:4}  Something [is]. Do this.", "ok    All is well."] == capsys.readouterr().out.splitlines()
