"""`python -m ops clicks`: send again the clicks that could not be queued, and prove that none is missing.

`recount` is in recount.py.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track

from chalicelib import clock, config
from chalicelib.clicks.click import Click, UndecodableClick, decode, encode
from ops.repairing import recount
from ops.repairing.reconcile import Balance, Key, balance_until, uncounted
from ops.shared.aws import client
from ops.shared.durations import duration
from ops.shared.listing import AsJson, print_json, print_list
from ops.shared.log_lines import KEPT, lines_of_redirects
from ops.shared.stages import Stage, connect

commands = typer.Typer(
    no_args_is_help=True,
    help="Send clicks again from the log, prove that none is missing, and break those of past days down again.",
)

_BATCH = 10
"""The most messages that SQS takes in one call."""

_MOST_SHOWN = 20


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
    with Console(stderr=True).status("reading the log"):
        found = {click.key: click for click in unqueued(stage, time.time() - since.total_seconds())}
    failed = 0 if dry_run else send(list(map(encode, found.values())), show=True)
    sent = 0 if dry_run else len(found) - failed
    print(f"found {len(found)}, sent {sent}, failed {failed}")
    if failed:
        raise typer.Exit(1)


@commands.command()
def reconcile(
    days: Annotated[
        list[datetime] | None,
        typer.Option("--day", formats=["%Y-%m-%d"], help="A day in UTC, or several; without it, yesterday and today."),
    ] = None,
    patience: Annotated[int, typer.Option(min=0, help="Seconds in which lines that come late are waited for.")] = 60,
    as_json: AsJson = False,
    stage: Stage = None,
) -> None:
    """Compare the clicks that were accepted with those counted, waiting, dead and replayable.

    Exits with 1 if a single one is unaccounted for, or if a counter's breakdowns do not add up.
    """
    now = clock.now()
    today = now.date()
    chosen = [each.date() for each in days] if days else [today - timedelta(days=1), today]
    _require_logged(chosen, now)
    stage = connect(stage)
    with Console(stderr=True).status("reading logs, queues and counters"):
        found = balance_until(stage, chosen, patience)
        lost = sorted(uncounted(stage, chosen)) if found.missing else []
    rows = [
        {
            "day": each.day,
            "accepted": each.accepted[1],
            "counted": each.counted,
            "dead": each.dead,
            "to_replay": each.replayable,
        }
        for each in found.days
    ]
    untellable = sum(each.untellable for each in found.days)
    if as_json:
        print_json(
            {
                "days": rows,
                "waiting": found.waiting,
                "of_deleted_links": untellable,
                "surplus": found.surplus,
                "missing": found.missing,
                "wrong": [each._asdict() for each in found.wrong],
                "without_rows": [each._asdict() for each in lost],
            }
        )
    else:
        print_list(rows)
        _explain(found, untellable, lost)
    if not found.holds or found.wrong:
        raise typer.Exit(1)


commands.command()(recount.recount)


def _require_logged(days: Sequence[date], now: datetime) -> None:
    """Refuse days that the log does not cover: of those, no click would be found to be missing.

    Raises BadParameter.
    """
    first = (now - KEPT).date() + timedelta(days=1)  # of the day before, the log has lost the first hours
    for day in days:
        if day > now.date():
            raise typer.BadParameter(f"{day} has not begun; today is {now.date()} in UTC", param_hint="--day")
        if day < first:
            raise typer.BadParameter(
                f"of {day} the log is not whole any more: it is kept for {KEPT.days} days. The first day that can be "
                f"reconciled is {first}",
                param_hint="--day",
            )


def _explain(found: Balance, untellable: int, lost: Sequence[Key]) -> None:
    """Say in sentences what the table does not show."""
    print(f"waiting in the queue: {found.waiting}")
    if untellable:
        print(f"of deleted links, whose clicks are not counted or were purged: {untellable}")
    if found.surplus:
        print(f"more are counted, dead or to be replayed than were accepted: {found.surplus}")
    if found.missing:
        print(f"unaccounted for: {found.missing}. Of those that were accepted, these have no row:")
        for key in lost[:_MOST_SHOWN]:
            print(f"  {key.code} {key.click_id}")
    for each in found.wrong:
        print(f"the counter of {each.code}, {each.day}, shard {each.shard}, does not add up: {each.why}")
    if found.holds:
        print("every accepted click is accounted for")


def unqueued(stage: str, since: float) -> Iterator[Click]:
    """The clicks that were logged instead of queued since a time in seconds."""
    for line in lines_of_redirects(stage, since, "unqueued_click"):
        with suppress(KeyError, TypeError, UndecodableClick):  # a line that only mentions them
            yield decode(line["unqueued_click"])


def send(messages: list[str], *, show: bool = False) -> int:
    """Send clicks' messages, and `show` how far it is; returns how many SQS did not accept."""
    sqs, queue_url = client("sqs"), config.click_queue_url()
    failed = 0
    starts = range(0, len(messages), _BATCH)
    for start in track(starts, description="sending", console=Console(stderr=True), disable=not show):
        batch = messages[start : start + _BATCH]
        entries = [{"Id": str(number), "MessageBody": message} for number, message in enumerate(batch)]
        answer = sqs.send_message_batch(QueueUrl=queue_url, Entries=entries)
        failed += len(answer.get("Failed", []))
    return failed
