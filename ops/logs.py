"""`python -m ops logs`: the logs of a stage's functions, as they are written."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ops.aws import client
from ops.deploy import stack_name

SECONDS_BETWEEN_LOOKS = 1

# What every line says and nobody reads on a terminal: which invocation it is of, and what CloudWatch makes of it.
_NOISE = (
    "location",
    "timestamp",
    "service",
    "stage",
    "function_name",
    "function_request_id",
    "correlation_id",
    "cold_start",
    "_aws",
)

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


def json_lines(
    stage: str, function: str, since: float, term: str, until: float | None = None
) -> Iterator[dict[str, Any]]:
    """The JSON objects with `term` in them that a function of `stage` has logged between two times in seconds."""
    period = {"startTime": int(since * 1000), **({"endTime": int(until * 1000)} if until else {})}
    pages = (
        client("logs")
        .get_paginator("filter_log_events")
        .paginate(
            logGroupName=f"/aws/lambda/{stack_name(stage)}-{function}",
            filterPattern=term,
            **period,
        )
    )
    for page in pages:
        for event in page["events"]:
            with suppress(ValueError):  # a line that is no JSON
                line = json.loads(event["message"])
                if isinstance(line, dict):
                    yield line


def writer(stage: str, function: str, stream: str) -> Callable[[str], None]:
    """What writes a line to the log of a function of `stage`, as Lambda does for functions that it runs itself."""
    logs = client("logs")
    where = {"logGroupName": f"/aws/lambda/{stack_name(stage)}-{function}", "logStreamName": stream}
    with suppress(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_stream(**where)

    def write(line: str) -> None:
        logs.put_log_events(**where, logEvents=[{"timestamp": int(time.time() * 1000), "message": line.rstrip()}])

    return write


def one_line(message: str) -> str:
    """A log event on one line: the level and message of a JSON line first, and then whatever else it says."""
    try:
        fields = json.loads(message)
        head = f"{fields.pop('level')} {fields.pop('message')}"
    except (ValueError, KeyError, TypeError, AttributeError):
        return " ".join(message.split())
    for noise in _NOISE:
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
