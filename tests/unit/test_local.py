"""What `make run` does when it is told to stop."""

import signal
from collections.abc import Iterator

import pytest

from ops.local import run

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(autouse=True)
def own_handlers() -> Iterator[None]:
    """The handlers of this process, afterwards."""
    handlers = {ending: signal.getsignal(ending) for ending in ENDINGS}
    yield
    for ending, handler in handlers.items():
        signal.signal(ending, handler)


@pytest.mark.timeout(10)
@pytest.mark.parametrize("ending", ENDINGS)
def test_it_is_told_to_stop_at_any_moment_also_while_it_looks_whether_it_was(ending: signal.Signals) -> None:
    stopping = run.stop_on_signals()
    with vars(stopping)["_cond"]:  # as in its wait(), which a signal may interrupt
        signal.raise_signal(ending)

    assert stopping.wait(5)
