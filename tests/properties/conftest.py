"""Property tests: the recorder, the purge and the recount as they are, and an adversary in place of AWS."""

from typing import Any

import pytest
from hypothesis import settings

from tests.builders import StoppedClock
from tests.properties import tally

# Thousands of runs that were never made before, in an hour or so, instead of the same few hundred.
settings.register_profile("hunt", deadline=None)


@pytest.fixture(autouse=True)
def properties(offline: None, clock: StoppedClock) -> None:
    """Every property test runs offline, with a clock that stands still."""


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand on what was counted, if this process tests beside others."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["tally"] = (dict(tally.done), dict(tally.faults), tally.caught)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Add up what the processes have counted."""
    done, faults, caught = node.workeroutput["tally"]
    tally.done.update(done)
    tally.faults.update(faults)
    tally.caught.update(caught)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was tried: that nothing was found is worth as much as the search."""
    if not tally.done:
        return
    terminalreporter.section("the adversary")
    for counts in (tally.done, tally.faults):
        for name, number in sorted(counts.items(), key=lambda each: (-each[1], each[0])):
            terminalreporter.write_line(f"{number:>9,}  {name}")
        terminalreporter.write_line("")
    if not tally.caught:
        return
    terminalreporter.write_line(
        f"{len(tally.caught):>9,}  mistakes planted in the recorder, the purge and the recount, each caught:"
    )
    for name, runs in sorted(tally.caught.items()):
        terminalreporter.write_line(f"{'':>11}in run {runs:>2}: {name}")
