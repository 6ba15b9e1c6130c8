"""Watch an operation of CloudFormation by the events of its stack, to its end."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ops.shared.aws import client

SECONDS_BETWEEN_LOOKS = 1
SECONDS_AT_MOST = 4 * 60 * 60
"""Longer than CloudFormation watches alarms (three hours at most); it ends its own operations much sooner."""

_ROLLING_BACK = ("ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS")

Event = Mapping[str, Any]
"""A StackEvent: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_StackEvent.html"""


@dataclass(frozen=True)
class Outcome:
    """How an operation ended: the stack's status, and what failed or made it roll back, the first first."""

    status: str
    failures: list[str]

    @property
    def succeeded(self) -> bool:
        """Whether the stack is what it was to become."""
        return self.status in {"CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE"}


def watch(stack_id: str, token: str, tell: Callable[[str], None]) -> Outcome:
    """Tell each step of each resource once, until the operation that was started with `token` has ended.

    `stack_id` is the stack's ARN, since a deleted stack is not found by its name.
    """
    seen: set[str] = set()
    told: set[tuple[str, str]] = set()
    failures: list[str] = []
    deadline = time.monotonic() + SECONDS_AT_MOST
    while time.monotonic() < deadline:
        for event in _news(stack_id, token, seen):
            resource, status = event["LogicalResourceId"], event["ResourceStatus"]
            reason = event.get("ResourceStatusReason", "")
            if (resource, status) not in told:  # CREATE_IN_PROGRESS comes twice, with other words
                told.add((resource, status))
                tell(f"{status.lower().replace('_', ' '):20} {resource}{_because(status, reason)}")
            if _is_failure(event):
                failures.append(f"{resource}: {reason or 'no reason given'}")
            if _is_the_stack(event) and not status.endswith("_IN_PROGRESS"):
                return Outcome(status, failures)
        time.sleep(SECONDS_BETWEEN_LOOKS)
    return Outcome("NOT_ENDED", failures)


def _news(stack_id: str, token: str, seen: set[str]) -> Iterator[Event]:
    """The events of the operation that are not in `seen`, the oldest first; they are put there."""
    news = []
    # The newest come first, page by page, and behind those of this operation those of earlier ones.
    for page in client("cloudformation").get_paginator("describe_stack_events").paginate(StackName=stack_id):
        fresh = [
            event
            for event in page["StackEvents"]
            if event.get("ClientRequestToken") == token and event["EventId"] not in seen
        ]
        news += fresh
        if len(fresh) < len(page["StackEvents"]):
            break
    seen.update(event["EventId"] for event in news)
    yield from reversed(news)


def _is_the_stack(event: Event) -> bool:
    return bool(event.get("PhysicalResourceId") == event["StackId"])


def _is_failure(event: Event) -> bool:
    status = event["ResourceStatus"]
    # When an alarm went off, no resource has failed, and the stack's own event says why.
    return status.endswith("_FAILED") or (_is_the_stack(event) and status in _ROLLING_BACK)


def _because(status: str, reason: str) -> str:
    return f": {reason}" if reason and ("FAILED" in status or "ROLLBACK" in status) else ""
