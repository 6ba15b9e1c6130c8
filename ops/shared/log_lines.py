"""What a stage's functions have logged, as CloudWatch keeps it."""

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ops import PROJECT
from ops.shared.aws import client
from ops.shared.stacks import stack_name

KEPT = timedelta(days=json.loads((PROJECT / ".chalice" / "config.json").read_text())["log_retention_in_days"])
"""How long CloudWatch keeps a line."""


@dataclass(frozen=True, slots=True)
class Line:
    """What a function has logged; `timestamp` is in milliseconds, as CloudWatch has it."""

    function: str
    timestamp: int
    message: str
    id: str = ""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which lines of a stage are meant: those of all functions, or of one; and only those with `text` in them."""

    stage: str
    function: str | None = None
    text: str = ""


def function_names(logs: Any, stage: str) -> list[str]:
    """The functions of a stage that have a log."""
    prefix = _group(stage, "")
    pages = logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix)
    return [group["logGroupName"].removeprefix(prefix) for page in pages for group in page["logGroups"]]


REDIRECTS = ("follow_link", "api_handler")
"""The functions that redirect visitors: API Gateway asks the first, and asked the second before there was the first.

`chalice local` writes into the log of the second, which serves everything there.
"""


def lines_of_redirects(stage: str, since: float, term: str, until: float | None = None) -> Iterator[dict[str, Any]]:
    """The JSON objects with `term` in them that were logged for redirects between two times in seconds."""
    there = function_names(client("logs"), stage)
    for function in [name for name in REDIRECTS if name in there] or REDIRECTS:
        yield from json_lines(stage, function, since, term, until)


def json_lines(
    stage: str, function: str, since: float, term: str, until: float | None = None
) -> Iterator[dict[str, Any]]:
    """The JSON objects with `term` in them that a function of `stage` has logged between two times in seconds."""
    for line in lines_with(stage, function, since, term, until):
        if (fields := fields_of(line.message)) is not None:
            yield fields


def lines_with(stage: str, function: str, since: float, term: str, until: float | None = None) -> Iterator[Line]:
    """The lines with `term` in them of a function of `stage`, between two times in seconds."""
    period = {"startTime": int(since * 1000), **({"endTime": int(until * 1000)} if until else {})}
    return lines_of(client("logs"), Selection(stage, function, term), function, period)


def writer(stage: str, function: str, stream: str) -> Callable[[str], None]:
    """What writes a line to the log of a function of `stage`, as Lambda does for functions that it runs itself."""
    logs = client("logs")
    where = {"logGroupName": _group(stage, function), "logStreamName": stream}
    with suppress(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_stream(**where)

    def write(line: str) -> None:
        logs.put_log_events(**where, logEvents=[{"timestamp": int(time.time() * 1000), "message": line.rstrip()}])

    return write


def pattern(text: str) -> str:
    """A filter pattern for CloudWatch that finds every line with `text`, and maybe others; empty if there is none.

    It is the longest part of the text that means the same to AWS and to its emulation, in the double quotes that a term
    with hyphens needs:
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
    """
    longest = max(re.findall(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?", text), key=len, default="")
    return f'"{longest}"' if longest else ""


def lines_of(
    logs: Any,
    selection: Selection,
    function: str,
    period: Mapping[str, int],
    stopped: Callable[[], bool] = lambda: False,
) -> Iterator[Line]:
    """The lines of one function; before each call, `stopped` tells whether there is any need for it."""
    request: dict[str, Any] = {"logGroupName": _group(selection.stage, function), **period}
    if wanted := pattern(selection.text):
        request["filterPattern"] = wanted
    pages = iter(logs.get_paginator("filter_log_events").paginate(**request))
    while not stopped() and (page := next(pages, None)):
        for event in page["events"]:
            if selection.text in event["message"]:
                yield Line(function, event["timestamp"], event["message"], _identity(event))


def _identity(event: Mapping[str, Any]) -> str:
    return event.get("eventId") or " ".join((event["logStreamName"], str(event["timestamp"]), event["message"]))


def fields_of(message: str) -> dict[str, Any] | None:
    """The JSON object that a function has logged; None of any other text."""
    try:
        fields = json.loads(message)
    except ValueError:
        return None
    return fields if isinstance(fields, dict) else None


def _group(stage: str, function: str) -> str:
    return f"/aws/lambda/{stack_name(stage)}-{function}"
