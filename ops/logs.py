"""`python -m ops logs`: the logs of a stage's functions, as they are written."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ops.aws import client
from ops.deploy import stack_name

SECONDS_BETWEEN_LOOKS = 1

NAME_WIDTH = len("publish_link_events")
"""So that the lines of all functions stand in one column."""

# Lambda delivers lines a moment after they were written, and not in order.
_OVERLAP_MILLISECONDS = 10_000


def follow(stage: str, show: Callable[[str], None], stop: threading.Event, since: float) -> None:
    """Show each line that a function of `stage` logs after the time `since` (seconds), until `stop` is set."""
    shown: dict[tuple[str, int, str], int] = {}
    start = int(since * 1000)
    while not stop.is_set():
        try:
            for event, function in _events(stage, start):
                identity = (event["logStreamName"], event["timestamp"], event["message"])
                if identity not in shown:
                    shown[identity] = event["timestamp"]
                    show(f"{function:{NAME_WIDTH}} | {one_line(event['message'])}")
        except (BotoCoreError, ClientError):
            if stop.is_set():
                return
            raise
        start = max([start, *(timestamp - _OVERLAP_MILLISECONDS for timestamp in shown.values())])
        shown = {identity: timestamp for identity, timestamp in shown.items() if timestamp >= start}
        stop.wait(SECONDS_BETWEEN_LOOKS)


def json_lines(stage: str, function: str, since: float, term: str) -> Iterator[dict[str, Any]]:
    """The JSON objects with `term` in them that a function of `stage` has logged since a time in seconds."""
    pages = (
        client("logs")
        .get_paginator("filter_log_events")
        .paginate(
            logGroupName=f"/aws/lambda/{stack_name(stage)}-{function}",
            startTime=int(since * 1000),
            filterPattern=term,
        )
    )
    for page in pages:
        for event in page["events"]:
            with suppress(ValueError):  # a line that is no JSON
                line = json.loads(event["message"])
                if isinstance(line, dict):
                    yield line


def one_line(message: str) -> str:
    """A log event on one line: the level and message of a JSON line first, and then whatever else it says."""
    try:
        fields = json.loads(message)
        head = f"{fields.pop('level')} {fields.pop('message')}"
    except (ValueError, KeyError, TypeError, AttributeError):
        return " ".join(message.split())
    for noise in ("location", "timestamp", "service"):
        fields.pop(noise, None)
    return " ".join([head, *(f"{name}={json.dumps(value)}" for name, value in fields.items())])


def _events(stage: str, start: int) -> Iterator[tuple[dict[str, Any], str]]:
    logs = client("logs")
    prefix = f"/aws/lambda/{stack_name(stage)}-"
    groups = [group["logGroupName"] for group in logs.describe_log_groups(logGroupNamePrefix=prefix)["logGroups"]]
    found = []
    for group in groups:
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=start):
            found += [(event, group.removeprefix(prefix)) for event in page["events"]]
    yield from sorted(found, key=lambda pair: pair[0]["timestamp"])
