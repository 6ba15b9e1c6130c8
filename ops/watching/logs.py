"""`python -m ops logs`: the logs of a stage's functions, as they are written."""

import heapq
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any

import typer
from botocore.exceptions import ClientError, ConnectionError, HTTPClientError  # noqa: A004 (botocore's own)
from rich.console import Console
from rich.text import Text

from ops.shared.aws import client
from ops.shared.durations import duration
from ops.shared.log_lines import Line, Selection, fields_of, function_names, lines_of
from ops.shared.stages import Stage, connect

# What every line says and nobody reads on a terminal: which invocation it is of, and what CloudWatch makes of it.
_NOISE = (
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

# CloudWatch allows an account five to 25 of these calls a second, depending on the region, whoever makes them:
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
SECONDS_BETWEEN_CALLS = 0.3
LONGEST_PAUSE = 30

# Lambda delivers lines a moment after they were written, and not in order.
_OVERLAP_MILLISECONDS = 10_000

_NO_ANSWER = (ConnectionError, HTTPClientError)

_LEVELS = {"DEBUG": "dim", "INFO": "", "WARNING": "yellow", "ERROR": "bold red", "CRITICAL": "bold white on red"}
_CONSOLE = Console(soft_wrap=True)
_COLOURS = ("cyan", "green", "magenta", "blue", "bright_cyan", "bright_magenta", "bright_green")


def show_logs(
    stage: Stage = None,
    function: Annotated[str | None, typer.Option(help="Only this one, such as record_clicks.")] = None,
    text: Annotated[str, typer.Option("--filter", help="Only lines with this text: a click's id, a code, ERROR.")] = "",
    since: Annotated[
        timedelta | None,
        typer.Option(parser=duration, metavar="DURATION", help="How far back to begin: 30m, 2h, 3d; without it, 1m."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Each line as a JSON object, with its function.")] = False,
    follow: Annotated[bool, typer.Option(help="Go on until Ctrl-C.")] = True,
) -> None:
    """Show what a stage's functions log, all of them interleaved."""
    selection = Selection(connect(stage), function, text)
    known = function_names(client("logs"), selection.stage)
    if function is not None and function not in known:
        raise typer.BadParameter(f"there is no function {function!r}; choose from {', '.join(known)}")
    show = print_json if as_json else print_line
    start = time.time() - (since or timedelta(minutes=1)).total_seconds()
    try:
        if follow:
            follow_lines(selection, show, threading.Event(), start)
        else:
            for line in _lines(client("logs"), selection, int(start * 1000), {}, threading.Event()):
                show(line)
    except KeyboardInterrupt:
        print(file=sys.stderr)


def follow_lines(selection: Selection, show: Callable[[Line], None], stop: threading.Event, since: float) -> None:
    """Show each line that is logged after the time `since` (seconds), until `stop` is set.

    When CloudWatch does not answer, or has been asked too often, it is asked again after a pause that doubles; nothing
    is shown twice or left out for that. Raises what does not pass by itself.
    """
    logs = client("logs")
    newest: dict[str, int] = {}
    shown: dict[tuple[str, str], int] = {}
    failures = 0
    while not stop.is_set():
        try:
            for line in _lines(logs, selection, int(since * 1000), newest, stop):
                if (line.function, line.id) not in shown:
                    shown[line.function, line.id] = line.timestamp
                    newest[line.function] = max(newest.get(line.function, 0), line.timestamp)
                    show(line)
        except (ClientError, *_NO_ANSWER) as error:
            if stop.is_set():
                return
            if not _will_pass(error):
                raise
            print(f"CloudWatch is asked again in a moment: {error}", file=sys.stderr)
            stop.wait(min(LONGEST_PAUSE, 2**failures))
            failures += 1
        else:
            failures = 0
        stop.wait(SECONDS_BETWEEN_CALLS)
        shown = {key: at for key, at in shown.items() if at >= newest[key[0]] - _OVERLAP_MILLISECONDS}


def one_line(message: str) -> str:
    """A log event on one line: the level and message of a JSON line first, and then whatever else it says."""
    fields = fields_of(message)
    if fields is None or not {"level", "message"} <= fields.keys():
        return _printable(" ".join(message.split()))
    head = f"{fields.pop('level')} {fields.pop('message')}"
    for noise in _NOISE:
        fields.pop(noise, None)
    return _printable(" ".join([head, *(f"{name}={json.dumps(value)}" for name, value in fields.items())]))


def as_object(line: Line) -> dict[str, Any]:
    """A line as a JSON object: its own fields and `function`; of a line that is none, the text as `message`."""
    fields = fields_of(line.message)
    return {
        "function": line.function,
        **({"timestamp": line.timestamp, "message": line.message} if fields is None else fields),
    }


def print_line(line: Line) -> None:
    """Print a line after its function's name; in colours, if somebody looks at it."""
    text = one_line(line.message)
    level, _, rest = text.partition(" ")
    shown = Text(f"{line.function:{NAME_WIDTH}}", style=_COLOURS[sum(line.function.encode()) % len(_COLOURS)])
    shown.append(" | ", style="dim")
    if level in _LEVELS:
        shown.append(level, style=_LEVELS[level] or "bold").append(f" {rest}", style=_LEVELS[level])
    else:
        shown.append(text)
    _CONSOLE.print(shown)
    sys.stdout.flush()


def print_json(line: Line) -> None:
    """Print a line as a JSON object."""
    print(json.dumps(as_object(line)), flush=True)


def _lines(
    logs: Any, selection: Selection, start: int, newest: Mapping[str, int], stop: threading.Event
) -> Iterator[Line]:
    """What has been logged since `start` (milliseconds), in the order of time; a page of each function is held at most.

    `newest` has the time of the newest line that is known already, by function: it is read from a bit before that.
    """
    functions = [selection.function] if selection.function else function_names(logs, selection.stage)
    starts = {name: max(start, newest.get(name, 0) - _OVERLAP_MILLISECONDS) for name in functions}
    each = [
        lines_of(logs, selection, name, {"startTime": starts[name]}, lambda: stop.wait(SECONDS_BETWEEN_CALLS))
        for name in functions
    ]
    return heapq.merge(*each, key=lambda line: line.timestamp)


def _will_pass(error: Exception) -> bool:
    if not isinstance(error, ClientError):
        return True
    # A log that is gone may come back, when its stage is deployed again.
    passing = {"ThrottlingException", "ResourceNotFoundException"}
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    return error.response["Error"]["Code"] in passing or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def _printable(text: str) -> str:
    """The text without anything that a terminal would obey: a visitor may have written some of it."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
