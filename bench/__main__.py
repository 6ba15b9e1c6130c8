"""`python -m bench [redirect] [cold] [recorder] [stack] [visitors]`: measure, print Markdown, draw charts."""

import os
import platform
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from bench import aws, charts, cold, recorder, stack, task, visitors, warm
from ops import PROJECT
from ops.deploying.package import package

CHARTS = PROJECT / "docs" / "charts"


def main(wanted: Sequence[str]) -> None:
    """Measure these parts, or all, and print each as soon as it is known."""
    if not set(wanted) <= PARTS.keys():
        sys.exit(f"python -m bench [{'] ['.join(PARTS)}]")
    started = time.monotonic()
    CHARTS.mkdir(exist_ok=True)
    _tell("Surroundings", _surroundings())
    packaged = package("dev")
    _tell("The zip", ", ".join(f"{what} {size / 1e6:.2f} MB" for what, size in task.sizes(packaged).items()))
    with tempfile.TemporaryDirectory() as name, aws.stub(Path(name)) as stub:
        unpacked = task.unpack(packaged, stub, Path(name) / "task")
        os.environ.update({name: value for name, value in stub.environment.items() if name.endswith("_TABLE")})
        for part in wanted or PARTS:
            PARTS[part](stub, unpacked)
    print(f"\nThis took {time.monotonic() - started:.0f} seconds.")


def _measure_redirects(stub: aws.Stub, unpacked: Path) -> None:
    redirects = warm.measure(stub, unpacked)
    _tell("A warm redirect", warm.describe(redirects))
    charts.draw_redirects(redirects, CHARTS / "redirect.svg")


def _measure_cold_starts(stub: aws.Stub, unpacked: Path) -> None:
    starts = cold.measure(stub, unpacked)
    _tell("A cold start", cold.describe(starts, cold.imports(stub, unpacked)))
    charts.draw_cold_starts(starts, CHARTS / "cold-start.svg")


def _measure_recorder(stub: aws.Stub, unpacked: Path) -> None:
    _tell("The recorder", recorder.describe(recorder.measure(stub, unpacked, unpacked.parent)))


def _measure_stack(_: aws.Stub, unpacked: Path) -> None:
    measured = stack.measure(unpacked.parent / "stack")
    _tell("The local stack", stack.describe(measured))
    charts.draw_lags(measured.lags, CHARTS / "lag.svg")


def _try_visitors(_: aws.Stub, unpacked: Path) -> None:
    _tell("Who visited", visitors.describe(visitors.measure(unpacked.parent / "visitors")))


PARTS = {
    "redirect": _measure_redirects,
    "cold": _measure_cold_starts,
    "recorder": _measure_recorder,
    "stack": _measure_stack,
    "visitors": _try_visitors,
}


def _surroundings() -> str:
    processor = next(
        (line.partition(": ")[2] for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.machine(),
    )
    versions = ", ".join(
        f"{name} {version(name)}" for name in ("botocore", "chalice", "aws-lambda-powertools", "msgspec")
    )
    return (
        f"{processor}, {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} at the start; "
        f"Python {sys.version.split()[0]}, {versions}."
    )


def _tell(title: str, text: str) -> None:
    print(f"\n## {title}\n\n{text}", flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is stopped
    main(sys.argv[1:])
