"""`python -m ops doctor`: whether this machine is ready to run Linkly, and an account to have it deployed."""

import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from ops import PROJECT
from ops.deploying.package import NEWEST_PYTHON, OLDEST_PYTHON
from ops.local.emulator import HIGHEST_PORT, PortTaken, require_free_port
from ops.shared import stages
from ops.shared.aws import NotConnected, client

_HASTY = Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 1})
_NEWEST_TRIED_PYTHON = (3, 13)
_GIGABYTE = 10**9
_FEW_FUNCTIONS, _FEW_REQUESTS = 100, 1000
_LISTENING = "0A"


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found, and what to do about it."""

    level: Level
    what: str
    advice: str = ""


def examine(
    port: Annotated[
        int, typer.Option(envvar="PORT", min=1, max=HIGHEST_PORT, help="Where HTTP would be served.")
    ] = 8000,
    aws_port: Annotated[
        int, typer.Option(envvar="AWS_PORT", min=1, max=HIGHEST_PORT, help="Where the emulated AWS would listen.")
    ] = 4566,
) -> None:
    """Say whether this machine can run Linkly, and whether AWS can be reached to deploy it. Changes nothing.

    Exit code 1 if something must be mended first. Without credentials, the machine is examined all the same.
    """
    console = Console(highlight=False)
    failed = False
    for finding in (*of_machine(port, aws_port), *of_account()):
        style = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "bold red"}[finding.level]
        text = " ".join(filter(None, (finding.what, finding.advice)))
        console.print(f"[{style}]{finding.level:4}[/{style}]", end="  ")
        console.print(text, markup=False, soft_wrap=True)
        failed |= finding.level is Level.FAIL
    if failed:
        raise typer.Exit(1)


def of_machine(port: int, aws_port: int) -> Iterator[Finding]:
    """What `make run` and packaging need."""
    yield of_python(sys.version_info[:2])
    yield of_platform(platform.system(), platform.machine())
    yield of_environment(".venv", ("requirements.txt", "requirements-dev.txt"), PROJECT)
    yield of_environment(".venv-aws", ("requirements-aws.txt",), PROJECT)
    yield of_port(port, "PORT")
    yield of_port(aws_port, "AWS_PORT")
    yield of_disk(shutil.disk_usage(PROJECT).free)


def of_python(version: tuple[int, ...]) -> Finding:
    """Whether Chalice and Lambda know this version of Python."""
    what = f"Python {'.'.join(map(str, version))} in .venv."
    choose = "rm -rf .venv .venv-aws && make run PYTHON=python3.13"
    if version < OLDEST_PYTHON:
        return Finding(Level.FAIL, what, f"Linkly needs 3.11 or newer: {choose}")
    if version > NEWEST_PYTHON:
        return Finding(Level.FAIL, what, f"Lambda does not have it: {choose}")
    if version > _NEWEST_TRIED_PYTHON:
        return Finding(Level.WARN, what, f"Nobody has tried to deploy with it; 3.13 is the newest that was: {choose}")
    return Finding(Level.OK, what)


def of_platform(system: str, machine: str) -> Finding:
    """Whether what is installed here would run in Lambda, too."""
    what = f"{system} on {machine}."
    if (system, machine) == ("Linux", "x86_64"):
        return Finding(Level.OK, what)
    return Finding(Level.WARN, what, "Linkly is run and packaged on Linux on x86_64; elsewhere nobody has tried.")


def of_environment(name: str, requirements: tuple[str, ...], project: Path) -> Finding:
    """Whether an environment has what is pinned, by the marker that `make` leaves."""
    ready = project / name / "ready"
    if not ready.exists():
        return Finding(Level.FAIL, f"{name} is not there, or not complete.", "make run installs what is pinned.")
    if any((project / each).stat().st_mtime > ready.stat().st_mtime for each in requirements):
        return Finding(Level.WARN, f"{name} is older than its requirements.", "make run installs what is pinned.")
    return Finding(Level.OK, f"{name} is ready.")


def of_port(port: int, setting: str) -> Finding:
    """Whether a port can be listened on; if not, who does."""
    with suppress(PortTaken):
        require_free_port(port, setting)
        return Finding(Level.OK, f"Port {port} is free.")
    run = stages.run_file()
    if any(str(run.get(key, "")).endswith(f":{port}") for key in ("url", "aws_endpoint")):
        return Finding(Level.OK, f"Port {port} is taken by the local stack.")
    what = f"Port {port} is taken by {listener(port) or 'another program'}."
    return Finding(Level.FAIL, what, f"Stop it, or choose another port: {setting}={port + 1} make run")


def listener(port: int) -> str | None:
    """The program that listens on a port of this machine, and its process id, if Linux tells us."""
    sockets = {
        f"socket:[{fields[9]}]"
        for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
        if table.exists()
        for fields in (line.split() for line in table.read_text().splitlines()[1:])
        if fields[3] == _LISTENING and int(fields[1].rpartition(":")[2], 16) == port
    }
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(str(each.readlink()) in sockets for each in (process / "fd").iterdir()):
                return f"{(process / 'comm').read_text().strip()} (process {process.name})"
        except OSError:  # it has ended, or is somebody else's
            continue
    return None


def of_disk(free: int) -> Finding:
    """Whether there is room for two environments, and for what the emulated AWS stores."""
    what = f"{free / _GIGABYTE:.1f} GB of disk are free."
    if free < _GIGABYTE // 2:
        return Finding(Level.FAIL, what, "Make room: the environments need half a gigabyte.")
    if free < 2 * _GIGABYTE:
        return Finding(Level.WARN, what, "Make room: the environments and the stored stack may need two gigabytes.")
    return Finding(Level.OK, what)


def of_account() -> Iterator[Finding]:
    """What a deployment needs. Names the account and who we are in it; shows no secret."""
    try:
        sts = client("sts", _HASTY)
        identity = sts.get_caller_identity()
    except NotConnected as error:
        yield Finding(Level.WARN, str(error), "(Only deploying needs it.)")
        return
    except (BotoCoreError, ClientError) as error:
        yield Finding(Level.FAIL, f"AWS does not know us: {error}", "Sign in again, or choose another AWS_PROFILE.")
        return
    yield Finding(Level.OK, f"Region {sts.meta.region_name}, account {identity['Account']}, as {identity['Arn']}.")
    if endpoint := os.environ.get("AWS_ENDPOINT_URL"):
        yield Finding(Level.WARN, f"AWS_ENDPOINT_URL is {endpoint}.", "All commands go there, and not to AWS.")
    yield _asked("Lambda's concurrency", _concurrency)
    yield _asked("API Gateway's throttling", _throttling)


def of_concurrency(limit: int) -> Finding:
    """Whether functions may run at the same time in sufficient number.

    A new account starts with few, ten or so:
    https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    """
    what = f"Lambda runs {limit} functions at once in this account and region."
    if limit >= _FEW_FUNCTIONS:
        return Finding(Level.OK, what)
    advice = (
        "All functions share that, and visitors get 500 or 429 beyond it. Ask for 1,000, which costs nothing: "
        "aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384 "
        "--desired-value 1000"
    )
    return Finding(Level.WARN, what, advice)


def of_throttling(rate: float, burst: int) -> Finding:
    """Whether API Gateway lets enough requests through; its quota is all APIs' of an account and region.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
    """
    what = f"API Gateway lets {rate:,.0f} requests a second through, and {burst:,} at once."
    if rate >= _FEW_REQUESTS:
        return Finding(Level.OK, what)
    return Finding(Level.WARN, what, "Visitors beyond that get 429. Ask AWS for more in the console of Service Quotas.")


def _asked(name: str, ask: Callable[[], Finding]) -> Finding:
    try:
        return ask()
    except (BotoCoreError, ClientError) as error:
        return Finding(Level.WARN, f"{name} cannot be read: {error}", "Ask whoever looks after the account.")


def _concurrency() -> Finding:
    settings: dict[str, Any] = client("lambda", _HASTY).get_account_settings()["AccountLimit"]
    return of_concurrency(settings["ConcurrentExecutions"])


def _throttling() -> Finding:
    settings: dict[str, Any] = client("apigateway", _HASTY).get_account()["throttleSettings"]
    return of_throttling(settings["rateLimit"], settings["burstLimit"])
