"""The cold start: a fresh process, until the first redirect has been answered."""

import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bench import task
from bench.aws import Stub
from bench.rounds import BASELINE, PROGRAMS, Figure, cpu_seconds, in_turns
from ops.local import emulator

ROUNDS = 9


class Import(NamedTuple):
    """A top-level package, with all of its modules."""

    package: str
    modules: int
    milliseconds: float


def measure(stub: Stub, unpacked: Path) -> dict[str, Figure]:
    """CPU seconds of a cold start, of boto3's and of ours; and of ours with each of its remedies undone."""
    undone = {
        "ours": unpacked,
        "ours, uncompiled": task.undo(unpacked, "uncompiled", task.no_bytecode),
        "ours, with botocore's 126 authorities": task.undo(unpacked, "roots", task.botocores_roots(stub)),
    }

    def redirect(directory: Path) -> float:
        return cpu_seconds("cold_redirect.py", environment={**environment, "PYTHONPATH": str(directory)})

    environment = stub.environment
    return in_turns(
        ROUNDS,
        {BASELINE: lambda: cpu_seconds("cold_baseline.py", environment=stub.environment_of_boto3)}
        | {name: lambda directory=directory: redirect(directory) for name, directory in undone.items()}
        | {"Python, with ssl and http.client": lambda: cpu_seconds("cold_floor.py", environment=environment)},
    )


def imports(stub: Stub, unpacked: Path) -> Sequence[Import]:
    """What a cold redirect imports, the dearest package first, by Python's own account: the quickest of five times."""
    return min((_imports(stub, unpacked) for _ in range(5)), key=lambda found: sum(each.milliseconds for each in found))


def _imports(stub: Stub, unpacked: Path) -> Sequence[Import]:
    done = subprocess.run(
        [emulator.PYTHON, "-X", "importtime", PROGRAMS / "cold_redirect.py"],
        env={"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(unpacked), **stub.environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=True,
    )
    return by_package(done.stderr)


def by_package(text: str) -> Sequence[Import]:
    """What -X importtime has printed, summed up by top-level package."""
    spent: dict[str, list[float]] = {}
    for microseconds, module in re.findall(r"^import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)$", text, re.MULTILINE):
        spent.setdefault(module.partition(".")[0], []).append(int(microseconds) / 1000)
    found = [Import(package, len(each), sum(each)) for package, each in spent.items()]
    return sorted(found, key=lambda each: each.milliseconds, reverse=True)


def describe(figures: Mapping[str, Figure], imported: Sequence[Import]) -> str:
    """The figures, as a page of the report."""
    rows = [f"| {name} | {figure.median * 1000:.0f} | {figure.ratio:.2f} |" for name, figure in figures.items()]
    dear = [f"| {each.package} | {each.modules} | {each.milliseconds:.1f} |" for each in imported[:10]]
    modules = sum(each.modules for each in imported)
    total = sum(each.milliseconds for each in imported)
    return "\n".join(
        [
            "| a fresh process, until | CPU ms | ratio |", "|---|---|---|", *rows, "",
            f"{modules} modules are imported, in {total:.0f} ms. The ten dearest packages:", "",
            "| package | modules | ms |", "|---|---|---|", *dear,
        ]
    )  # fmt: skip
