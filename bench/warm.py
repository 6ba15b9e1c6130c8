"""One warm redirect: the handler called with API Gateway's event, by where the link is found."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.aws import Stub
from bench.rounds import BASELINE, PROGRAMS, Figure, in_turns
from ops.local import emulator

ROUNDS = 15
FOLLOWS = 100
CALLS = {
    "memory": ["SendMessage"],
    "table": ["GetItem", "SendMessage"],
    "link": ["GetItem", "GetItem", "PutItem", "SendMessage"],
}
"""What a redirect calls, by where the link is found."""


@dataclass(frozen=True)
class Redirect:
    """What a redirect costs: the app's, and the app's without its log line, each in CPU microseconds."""

    app: Figure
    silent: Figure


def measure(stub: Stub, unpacked: Path) -> dict[str, Redirect]:
    """What a redirect costs, by where the link is found."""
    return {place: _measure(stub, unpacked, place) for place in CALLS}


def _measure(stub: Stub, unpacked: Path, place: str) -> Redirect:
    def follow(what: str) -> float:
        environment = stub.environment_of_boto3 if what == "bare" else stub.environment
        done = run("warm.py", what, place, str(FOLLOWS), environment={**environment, "PYTHONPATH": str(unpacked)})
        if what != "bare" and done["calls"] != CALLS[place]:
            raise RuntimeError(f"{what}, {place}: {done['calls']} were called, and not {CALLS[place]}")
        return float(done["microseconds"])

    figures = in_turns(
        ROUNDS, {BASELINE: lambda: follow("bare"), "app": lambda: follow("app"), "silent": lambda: follow("silent")}
    )
    return Redirect(figures["app"], figures["silent"])


def run(program: str, *arguments: str, environment: Mapping[str, str]) -> Any:
    """Run a program of bench/programs in Lambda's surroundings; gives the JSON that it prints to stderr at its end."""
    done = subprocess.run(
        [emulator.PYTHON, PROGRAMS / program, *arguments],
        env={"PYTHONDONTWRITEBYTECODE": "1", **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stderr.splitlines()[-1])


def describe(redirects: Mapping[str, Redirect]) -> str:
    """The figures, as a page of the report."""
    rows = [
        f"| {place} | {', '.join(CALLS[place])} | {each.app.baseline_median:.0f} | {each.app.median:.0f} "
        f"| **{each.app.ratio:.2f}** | {each.silent.ratio:.2f} |"
        for place, each in redirects.items()
    ]
    return "\n".join(
        [
            "| the link is found in | AWS calls | bare, CPU µs | Linkly, CPU µs | ratio | without its log line |",
            "|---|---|---|---|---|---|", *rows,
        ]
    )  # fmt: skip
