"""`python -m ops clicks recount`: break a past day's clicks down again, by their rows, while others are counted.

A row was written in the transaction that counted its click. So the rows that were read are all that the day has, if
they are as many as the clicks in its counters, and each of those is still as it was read, or still absent, when all of
them are replaced: docs/exactness.md.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import date, datetime
from typing import Annotated, Any, NamedTuple

import typer
from rich.console import Console

from chalicelib import aws, clock, config
from chalicelib.clicks.admission import Known, admit
from chalicelib.clicks.breakdowns import LETTERS, OPEN_BYTES, Numbers, attributes_of, numbers
from chalicelib.clicks.counters import SHARDS, SORT_KEY, clicks_in, sort_key
from chalicelib.clicks.dimensions import OTHER, UNKNOWN
from chalicelib.clicks.transactions import click_in
from ops.repairing.days import Item, read_day, replace_day, version_if_alive
from ops.shared.errors import OperatorError
from ops.shared.listing import print_list
from ops.shared.stages import Stage, connect

MOST_TRIES = 5
"""How often rows are read; clicks of a past day come late, and seldom."""

SHARD = SHARDS
"""Where a day is put: no recorder draws this one, so that none takes it for a counter that it knows.

It has at most 4,096 bytes for 125 million clicks, as tests/unit/test_item_sizes.py reckons for a shard."""

_EMPTY = Known(as_read="0")
"""What is known of an item that has no names."""


class CannotRecount(OperatorError):
    """A day cannot be broken down exactly; the message says why."""


class Recounted(NamedTuple):
    """A link's day, and what its counters said and say of it."""

    day: str
    before: Numbers
    after: Numbers


def recount(
    code: Annotated[str, typer.Argument(help="The link's code.")],
    days: Annotated[
        list[datetime], typer.Option("--day", formats=["%Y-%m-%d"], help="A past day in UTC; may be given again.")
    ],
    dry_run: Annotated[bool, typer.Option(help="Only say what would change.")] = False,
    stage: Stage = None,
) -> None:
    """Break down a link's clicks of past days again, by their rows: who was a robot, from where, by what.

    For a better list of robots, for referrers that somebody made up, for days before breakdowns were kept. The number
    of clicks stays what it is. Clicks are counted meanwhile; it refuses days of which rows are gone, which are those
    older than CLICK_RETENTION_DAYS. Reads all rows of the link, once for all days.
    """
    chosen = sorted({each.date() for each in days})
    _require_past(chosen, clock.now().date())
    connect(stage)
    with Console(stderr=True).status("reading rows") as status:

        def watch(rows: int) -> None:
            status.update(f"reading rows: {rows:,}")

        for each in recount_days(code, [day.isoformat() for day in chosen], dry_run=dry_run, watch=watch):
            _show(each, dry_run=dry_run)


def _require_past(days: Sequence[date], today: date) -> None:
    """Raise BadParameter unless the days are over."""
    for day in days:
        if day >= today:
            raise typer.BadParameter(f"{day} is not over; today is {today} in UTC", param_hint="--day")


def recount_days(
    code: str, days: Sequence[str], *, dry_run: bool = False, watch: Callable[[int], None] = lambda _: None
) -> Iterator[Recounted]:
    """Break down a link's clicks of some past days again; each is told of as soon as that is done.

    `watch` is told how many rows have been read. Raises CannotRecount, of all days that are refused, when the others
    are done; and botocore's errors, after which it can be run again.
    """
    left: dict[str, str] = dict.fromkeys(days, "")  # each with the reason why it is not done yet
    refused: list[str] = []
    for tries in range(1, MOST_TRIES + 1):
        version = version_if_alive(code)
        if version is None:
            raise CannotRecount(f"There is no link {code}, or it is deleted: of such links no clicks are kept.")
        least = {day: clicks_in(read_day(code, day)) for day in left}
        for day, amounts in _amounts(code, left, watch).items():
            try:
                done = _recount_day(code, version, day, amounts, least[day], dry_run=dry_run)
            except _NotYet as error:
                left[day] = str(error)
            except CannotRecount as error:
                del left[day]
                refused.append(str(error))
            else:
                del left[day]
                yield done
        if not left:
            break
        clock.back_off(tries)
    if refused := [*refused, *left.values()]:
        raise CannotRecount("\n".join(refused))


class _NotYet(CannotRecount):
    """Reading again may help."""


def _recount_day(code: str, version: str, day: str, amounts: Counter[str], least: int, *, dry_run: bool) -> Recounted:
    counters, wanted = read_day(code, day), _counters(code, day, amounts)
    found = Recounted(day, numbers(counters), numbers(wanted))
    if why := why_unequal(day, found.after.clicks, least, found.before.clicks):
        # A purge may have been at work, of a link that was deleted since.
        raise why if version_if_alive(code) == version else _NotYet(f"The link {code} changed meanwhile.")
    if not dry_run and counters != wanted and (reasons := replace_day(code, version, day, counters, wanted)):
        raise _NotYet(f"The counters of {day} could not be replaced: {reasons}. Try again later.")
    return found


def why_unequal(day: str, rows: int, least: int, clicks: int) -> CannotRecount | None:
    """Why these rows are not those of a day's clicks, which were counted before the rows were read and afterwards."""
    if rows < least:
        return CannotRecount(
            f"Of {day} there are {rows} rows and {least} clicks: rows have expired, as they do after "
            f"{config.click_retention_days()} days, or were deleted. What is not known of all cannot be counted again."
        )
    if rows > clicks:
        return CannotRecount(
            f"Of {day} there are {rows} rows and {clicks} clicks: counters are missing. See docs/backup.md."
        )
    if rows != clicks:
        return _NotYet(f"Of {day}, clicks were counted each time that rows were read: {rows} rows, {clicks} clicks.")
    return None


def _amounts(code: str, days: Collection[str], watch: Callable[[int], None]) -> dict[str, Counter[str]]:
    """What the rows of some days, as of now, add up to: by attribute of a counter. Only that is kept of them."""
    amounts = {day: Counter[str]() for day in days}
    pages = (
        aws.dynamodb()
        .get_paginator("query")
        .paginate(
            TableName=config.clicks_table(),
            KeyConditionExpression="code = :code",
            FilterExpression="occurred_at BETWEEN :first AND :last",
            ExpressionAttributeValues={
                ":code": {"S": code},
                ":first": {"S": min(days)},
                ":last": {"S": f"{max(days)}~"},  # which comes after the T that follows a day
            },
            ConsistentRead=True,
        )
    )
    read = 0
    for page in pages:
        for row in page["Items"]:
            click = click_in(row)
            if click.day in amounts:
                amounts[click.day].update(attributes_of(click))
        watch(read := read + page["ScannedCount"])
    return amounts


def _counters(code: str, day: str, amounts: Counter[str]) -> list[Item]:
    """The counters of a day with these amounts: one, with the commonest of the open names that find room; or none."""
    if not amounts:
        return []
    admission = admit(amounts, _EMPTY)
    room = {OPEN_BYTES: admission.bytes} if admission.bytes else {}
    return [
        {
            "code": {"S": code},
            SORT_KEY: {"S": sort_key(day, SHARD)},
            **{name: {"N": str(amount)} for name, amount in {**admission.amounts, **room}.items()},
        }
    ]


def _show(done: Recounted, *, dry_run: bool) -> None:
    changed = [row for row in _lines(done) if row["before"] != row["after"]]
    print(f"{done.day}: {done.after.clicks} clicks, {'would be ' if dry_run else ''}broken down again")
    print_list([*_totals(done), *changed])


def _totals(done: Recounted) -> Iterator[dict[str, Any]]:
    """What the clicks of a day are, before and after."""
    for name in ("people", "bots", "unrecorded"):
        before, after = (getattr(each, name) for each in (done.before, done.after))
        yield {"number": name, "before": before, "after": after}


def _lines(done: Recounted) -> Iterator[dict[str, Any]]:
    """The people by each value, before and after."""
    for dimension in LETTERS:
        before, after = done.before.values(dimension), done.after.values(dimension)
        for value in sorted({*before, *after}):
            shown = {UNKNOWN: "(unknown)", OTHER: "(other)"}.get(value, value)
            yield {"number": f"{dimension} {shown}", "before": before[value], "after": after[value]}
