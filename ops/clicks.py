"""`python -m ops clicks`: send again the clicks that could not be queued."""

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import track

from chalicelib.clicks.click import UndecodableClick, decode
from ops.aws import client
from ops.deploy import stack_name
from ops.durations import duration
from ops.stages import Stage, connect, function_environment

commands = typer.Typer(no_args_is_help=True, help="Send again the clicks that could not be queued.")

_BATCH = 10
"""The most messages that SQS takes in one call."""


@commands.callback()
def callback() -> None:
    """Keep `replay` a command of its own, though it is the only one so far."""


@commands.command()
def replay(
    since: Annotated[timedelta, typer.Option(parser=duration, metavar="DURATION", help="How far back: 2h, 3d.")],
    dry_run: Annotated[bool, typer.Option(help="Only say how many there are.")] = False,
    stage: Stage = None,
) -> None:
    """Find in the API function's log the clicks that SQS did not accept, and send them with their own ids.

    A click that is sent twice, or was accepted after all, counts once: running it again changes nothing.
    """
    stage = connect(stage)
    found = list(
        {decode(message).key: message for message in _unqueued(stage, time.time() - since.total_seconds())}.values()
    )
    failed = 0 if dry_run else _send(found, function_environment(stage)["CLICK_QUEUE_URL"])
    sent = 0 if dry_run else len(found) - failed
    print(f"found {len(found)}, sent {sent}, failed {failed}")
    if failed:
        raise typer.Exit(1)


def _unqueued(stage: str, since: float) -> Iterator[str]:
    """The messages of the clicks that were logged instead of queued since a time in seconds."""
    pages = (
        client("logs")
        .get_paginator("filter_log_events")
        .paginate(
            logGroupName=f"/aws/lambda/{stack_name(stage)}-api_handler",
            startTime=int(since * 1000),
            filterPattern="unqueued_click",
        )
    )
    for page in pages:
        for event in page["events"]:
            try:
                message = json.loads(event["message"])["unqueued_click"]
                decode(message)
            except (ValueError, KeyError, TypeError, UndecodableClick):
                continue  # a line that only mentions them
            yield message


def _send(messages: list[str], queue_url: str) -> int:
    """Send messages; returns how many SQS did not accept."""
    sqs: Any = client("sqs")
    failed = 0
    for start in track(range(0, len(messages), _BATCH), description="sending", console=Console(stderr=True)):
        batch = messages[start : start + _BATCH]
        entries = [{"Id": str(number), "MessageBody": message} for number, message in enumerate(batch)]
        answer = sqs.send_message_batch(QueueUrl=queue_url, Entries=entries)
        failed += len(answer.get("Failed", []))
    return failed
