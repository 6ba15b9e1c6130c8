"""Invocations of functions that run at the same time, one step at a time.

The recorder and the purge are plain code and run as they are, each in a thread of its own; but at each call that leaves
it, the thread stops and waits to be told what comes of the call. So exactly one thread runs at any moment, whoever
tells decides which, and a run can be repeated to the letter.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from chalicelib.deliveries import BatchFailed
from tests.builders import an_sqs_event

if TYPE_CHECKING:
    from chalicelib.clicks.admission import Known, Where
    from tests.properties.tables import Pending

_PATIENCE = 30
"""Seconds that a step may take, of which a sane one takes a thousandth."""


class Crashed(BaseException):
    """The function's process is gone. Not an Exception: nothing may handle it."""


@dataclass(frozen=True)
class Call:
    """What an invocation waits for."""

    operation: str
    params: dict[str, Any]


Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


@dataclass
class Environment:
    """An execution environment of Lambda's: what it remembers from one batch to the next."""

    number: int
    shard: int
    memory: "OrderedDict[Where, Known]" = field(default_factory=OrderedDict)


class Invocation:
    """An execution environment at work on one batch."""

    def __init__(
        self,
        environment: Environment,
        handler: Handler,
        records: list[dict[str, Any]],
        deadline: datetime,
        now: Callable[[], datetime],
    ) -> None:
        self.name = f"{handler.__name__} in {environment.number}"
        self.handler = handler
        self.environment = environment
        self.records = records
        self.deadline = deadline
        self._now = now
        self.waiting: Call | None = None
        self.pending: Pending | None = None
        """The transaction that it waits for, if DynamoDB has begun it."""
        self.response: dict[str, Any] | None = None
        """What it answered, once it is done; None if it failed."""
        self.error: BaseException | None = None
        self._answer: Callable[[], Any] = lambda: None
        self._go, self._stopped = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def done(self) -> bool:
        return not self._thread.is_alive()

    def start(self) -> None:
        """Let it run up to its first call."""
        self._thread.start()
        self._wait()

    def resume(self, answer: Callable[[], Any]) -> None:
        """Let it run up to its next call; this one returns, or raises, what `answer` does."""
        self._answer = answer
        self._go.release()
        self._wait()

    def crash(self) -> None:
        """End it where it stands."""

        def answer() -> None:
            raise Crashed

        self.resume(answer)
        if not self.done:
            raise AssertionError(f"{self.name} survived a crash.")

    def call(self, operation: str, **params: Any) -> Any:
        """What the function's calls come to, in its thread."""
        self.waiting = Call(operation, params)
        self._stopped.release()
        self._go.acquire()
        return self._answer()

    def get_remaining_time_in_millis(self) -> float:
        """Lambda's context: not a call, and answered at once."""
        return (self.deadline - self._now()).total_seconds() * 1000

    def _run(self) -> None:
        try:
            self.response = self.handler(an_sqs_event(*self.records), self)
        except BaseException as error:  # noqa: BLE001 (whoever looks after the thread wants to know)
            self.error = error
        self.waiting = None
        self._stopped.release()

    def _wait(self) -> None:
        if not self._stopped.acquire(timeout=_PATIENCE):
            raise AssertionError(f"{self.name} neither calls nor ends.")
        if self.waiting is None:
            self._thread.join()
            if not isinstance(self.error, BatchFailed | Crashed | None):
                raise self.error
