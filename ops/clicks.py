"""`python -m ops clicks`: send again the clicks that could not be queued."""

import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track

from chalicelib import config
from chalicelib.clicks.click import Click, UndecodableClick, decode, encode
from ops.aws import client
from ops.durations import duration
from ops.logs import json_lines
from ops.stages import Stage, connect

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
    found = {click.key: click for click in _unqueued(stage, time.time() - since.total_seconds())}
    failed = 0 if dry_run else _send(list(map(encode, found.values())))
    sent = 0 if dry_run else len(found) - failed
    print(f"found {len(found)}, sent {sent}, failed {failed}")
    if failed:
        raise typer.Exit(1)


def _unqueued(stage: str, since: float) -> Iterator[Click]:
    """The clicks that were logged instead of queued since a time in seconds."""
    for line in json_lines(stage, "api_handler", since, "unqueued_click"):
        with suppress(KeyError, TypeError, UndecodableClick):  # a line that only mentions them
            yield decode(line["unqueued_click"])


def _send(messages: list[str]) -> int:
    """Send messages; returns how many SQS did not accept."""
    sqs, queue_url = client("sqs"), config.click_queue_url()
    failed = 0
    for start in track(range(0, len(messages), _BATCH), description="sending", console=Console(stderr=True)):
        batch = messages[start : start + _BATCH]
        entries = [{"Id": str(number), "MessageBody": message} for number, message in enumerate(batch)]
        answer = sqs.send_message_batch(QueueUrl=queue_url, Entries=entries)
        failed += len(answer.get("Failed", []))
    return failed
