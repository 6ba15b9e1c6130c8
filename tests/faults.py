"""Break AWS calls the way that AWS and networks do: before they take effect, or after, when only the answer is lost.

    faults = Faults(aws.dynamodb(), aws.sqs())
    faults.plan(throttled(), operation="TransactWriteItems", nth=2)
    faults.plan(lost(timed_out()), number=1)

A call is what the app makes: botocore's own attempts at it are one. So a call that breaks has failed in all its
attempts, except with `lost_once`, after which botocore tries again by itself.
"""

import copy
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import Any

from botocore.client import BaseClient
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError


@dataclass(frozen=True)
class Call:
    """A call that was made, broken or not."""

    number: int
    """Which of all calls it is, from 1."""
    nth: int
    """Which of its operation's calls it is, from 1."""
    operation: str
    """Such as TransactWriteItems."""
    params: dict[str, Any] = field(repr=False)

    @property
    def table(self) -> str | None:
        """The table's name, if the call is about one."""
        return self.params.get("TableName")


class When(Enum):
    """At which moment a call breaks."""

    BEFORE = auto()
    """AWS never hears of it."""
    AFTER = auto()
    """AWS did it, and nobody knows."""
    AFTER_FIRST_ATTEMPT = auto()
    """AWS did it, nobody knows, and botocore tries again by itself."""


@dataclass(frozen=True)
class Fault:
    """What the app sees of a broken call."""

    name: str
    error: Callable[[BaseClient, str], Exception]
    """The exception, for a client and an operation."""
    when: When = When.BEFORE

    def __str__(self) -> str:
        return self.name


def refused(code: str, status: int = 400, **members: Any) -> Fault:
    """AWS answers with an error of this code, as the client's own class for it, with these members beside it."""

    def error(client: BaseClient, operation: str) -> Exception:
        answer = {
            "Error": {"Code": code, "Message": f"{code}, injected"},
            "ResponseMetadata": {"HTTPStatusCode": status},
            **members,
        }
        exceptions: Any = client.exceptions
        made: Exception = exceptions.from_code(code)(answer, operation)
        return made

    return Fault(code, error)


def throttled() -> Fault:
    return refused("ThrottlingException")


def unavailable() -> Fault:
    return refused("InternalServerError", status=500)


def cancelled(*codes: str, items: Mapping[int, Any] | None = None) -> Fault:
    """A transaction is cancelled, for these reasons: one for each of its actions; some with the items that they met."""
    reasons = [
        {"Code": code, "Item": items[number]} if items and number in items else {"Code": code}
        for number, code in enumerate(codes)
    ]
    return replace(
        refused("TransactionCanceledException", CancellationReasons=reasons), name=f"cancelled: {', '.join(codes)}"
    )


def timed_out() -> Fault:
    return Fault("timed out", lambda client, _: ReadTimeoutError(endpoint_url=client.meta.endpoint_url))


def reset() -> Fault:
    return Fault("connection reset", lambda client, _: ConnectionClosedError(endpoint_url=client.meta.endpoint_url))


def lost(fault: Fault) -> Fault:
    """The fault happens to the answer: AWS has done what it was asked."""
    return replace(fault, name=f"done, then {fault}", when=When.AFTER)


def lost_once() -> Fault:
    """As `lost(timed_out())`, but only to botocore's first attempt."""
    return replace(timed_out(), name="done, then timed out once", when=When.AFTER_FIRST_ATTEMPT)


class Faults:
    """Records the calls that some clients make, and breaks those that are planned to break."""

    def __init__(self, *clients: BaseClient) -> None:
        self.calls: list[Call] = []
        self.broken: list[Call] = []
        self._plans: list[tuple[Mapping[str, Any], Fault]] = []
        self._handlers: list[tuple[BaseClient, str, Callable[..., None]]] = []
        for client in clients:
            self.watch(client)

    def watch(self, client: BaseClient) -> None:
        """Record and break this client's calls too."""

        def begin(params: dict[str, Any], model: Any, **_: Any) -> None:
            nth = 1 + len(self.of(model.name))
            self.calls.append(Call(len(self.calls) + 1, nth, model.name, copy.deepcopy(params)))
            attempts.clear()

        def before_call(**_: Any) -> None:
            self._break(When.BEFORE, client)

        def after_attempt(**_: Any) -> None:
            attempts.append(1)
            if len(attempts) == 1:
                self._break(When.AFTER_FIRST_ATTEMPT, client)

        def after_call(**_: Any) -> None:
            self._break(When.AFTER, client)

        attempts: list[int] = []
        self.handle(client, "before-parameter-build", begin)
        self.handle(client, "before-call", before_call)
        self.handle(client, "before-send", after_attempt, last=True)  # moto answers in this event, before us
        self.handle(client, "after-call", after_call)

    def handle(self, client: BaseClient, event: str, handler: Callable[..., None], *, last: bool = False) -> None:
        """Have a handler called at an event of botocore's, until `leave`."""
        events = client.meta.events
        (events.register_last if last else events.register)(event, handler)
        self._handlers.append((client, event, handler))

    def leave(self) -> None:
        """Let the clients be as they were: others use them after us."""
        for client, event, handler in self._handlers:
            client.meta.events.unregister(event, handler)
        self._handlers.clear()

    def plan(self, fault: Fault, **which: Any) -> None:
        """Break every call that has these attributes, such as `number=3`, or `operation="GetItem", nth=1`."""
        self._plans.append((which, fault))

    def repair(self) -> None:
        """Break no more calls."""
        self._plans.clear()

    def each_call(self, fault: Fault) -> Iterator[int]:
        """Rounds in which the first call breaks, then the second, and so on; in the last one none is left to break."""
        for number in itertools.count(1):
            self.repair()
            self.calls.clear()
            self.plan(fault, number=number)
            broken_before = len(self.broken)
            yield number
            if len(self.broken) == broken_before:
                return

    def of(self, operation: str) -> list[Call]:
        """The calls of an operation."""
        return [call for call in self.calls if call.operation == operation]

    @property
    def operations(self) -> list[str]:
        """What was called, in order."""
        return [call.operation for call in self.calls]

    def _break(self, when: When, client: BaseClient) -> None:
        call = self.calls[-1]
        for which, fault in self._plans:
            if fault.when is when and all(getattr(call, name) == value for name, value in which.items()):
                self.broken.append(call)
                raise fault.error(client, call.operation)
