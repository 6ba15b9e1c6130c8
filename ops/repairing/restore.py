"""`python -m ops restore`: bring back what was there at a moment of the last 35 days.

DynamoDB restores a table under a new name, such as `linkly-dev-links-restored-20261122T100000Z`. From there, links and
clicks are put back the way the app writes them, so that nothing of what has happened since is undone: docs/backup.md
says why, and what to do when.
"""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any

import typer
from msgspec.structs import replace
from rich.console import Console

from chalicelib import aws as app_aws
from chalicelib import clock, config
from chalicelib.clicks.click import Click, encode
from chalicelib.clicks.counters import SORT_KEY, clicks_by_day, clicks_in, day_of
from chalicelib.clicks.transactions import click_in, why_not_countable
from chalicelib.links.blocklist import check_targets
from chalicelib.links.link import Link, Use, plain
from chalicelib.links.status import Status
from chalicelib.links.store import every_link, insert_link, read_link, replace_link
from chalicelib.problems import BlockedTarget, CodeTaken, LinkNotFound, StaleVersion
from chalicelib.redirects.cache import find_redirect
from chalicelib.redirects.refresher import refresh
from ops.repairing.clicks import send
from ops.repairing.days import read_day, replace_day, version_if_alive
from ops.repairing.reconcile import Key, without_rows
from ops.shared.aws import client
from ops.shared.errors import OperatorError
from ops.shared.stacks import stack_name
from ops.shared.stages import Stage, connect

commands = typer.Typer(no_args_is_help=True, help="Bring back what was there at a moment of the last 35 days.")

_SECONDS_BETWEEN_LOOKS = 10


class Name(StrEnum):
    """The tables that are restored. The cache of redirects and the memory of Idempotency-Keys fill by themselves."""

    LINKS = "links"
    CLICKS = "clicks"
    DAILY_CLICKS = "daily_clicks"
    DAILY_LINKS = "daily_links"
    API_KEYS = "api_keys"
    BLOCKED_DOMAINS = "blocked_domains"
    ALLOWANCES = "allowances"


class Outcome(StrEnum):
    """What came of a link."""

    PUT_BACK = "put back"
    WOULD_BE = "would be put back"
    UNCHANGED = "unchanged"
    BLOCKED = "not put back, since its domain is blocked"
    CHANGED = "changed by somebody else just now: run it again"


COUNTED = "of days whose counters know of more clicks than there are rows"
NOT_SENT = "not accepted by the queue: run it again"
DAY_CHANGED = "days whose counters or links changed just now: run it again"


class RestoreFailed(OperatorError):
    """The tables cannot be restored, or used, as asked; the message says why."""


def moment(text: str) -> datetime:
    """A time such as 2026-11-22T10:00Z, in whole seconds. Raises BadParameter."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter("give a time with its zone, such as 2026-11-22T10:00Z") from error
    if found.tzinfo is None:
        raise typer.BadParameter("say in which zone the time is: 2026-11-22T10:00Z is in UTC")
    return found.astimezone(UTC).replace(microsecond=0)


To = Annotated[datetime, typer.Option("--to-time", parser=moment, metavar="TIME", help="Such as 2026-11-22T10:00Z.")]
DryRun = Annotated[bool, typer.Option(help="Only say what would be done.")]


@commands.command()
def tables(
    to_time: To,
    table: Annotated[list[Name] | None, typer.Option(help="Only this one; may be given again.")] = None,
    stage: Stage = None,
) -> None:
    """Restore tables as they were, as `…-restored-…`. Those in use stay as they are. Takes minutes to hours.

    The two tables of clicks are restored together. Interrupted, it is run again with the same time, and waits on.
    """
    stage = connect(stage)
    targets = {
        f"{stack_name(stage)}-{name}": restored_name(stage, name, to_time) for name in together(table or list(Name))
    }
    for source in targets:
        require_restorable(source, to_time)
    for source, target in targets.items():
        _start(source, target, to_time)
    dynamodb = client("dynamodb")
    with Console(stderr=True).status("DynamoDB restores") as status:
        while waiting := [target for target in targets.values() if not _is_there(dynamodb, target)]:
            status.update(f"DynamoDB restores {', '.join(waiting)}")
            time.sleep(_SECONDS_BETWEEN_LOOKS)
    for target in targets.values():
        print(target)


@commands.command()
def links(
    to_time: To,
    code: Annotated[list[str] | None, typer.Option(help="This link; may be given again.")] = None,
    owner: Annotated[str | None, typer.Option(help="This owner's links.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every link.")] = False,
    dry_run: DryRun = False,
    stage: Stage = None,
) -> None:
    """Make links what they were, from the restored table: each as a new version, announced like any other change.

    Links that were created since are left alone. Safe to repeat.
    """
    stage = connect(stage)
    if not (code or owner or everything):
        raise typer.BadParameter("say which links: --code, --owner or --all")
    _require_restored(restored_name(stage, Name.LINKS, to_time))
    done: Counter[Outcome] = Counter()
    for link in every_link(owner, table=restored_name(stage, Name.LINKS, to_time)):
        if not code or link.code in code:
            outcome = put_back(link, dry_run=dry_run)
            done[outcome] += 1
            if outcome is not Outcome.UNCHANGED:
                print(f"{link.code}: {outcome}")
    print(_sum(done) or "no such link was there")
    if done[Outcome.CHANGED]:
        raise typer.Exit(1)


@commands.command()
def clicks(to_time: To, dry_run: DryRun = False, stage: Stage = None) -> None:
    """Count clicks again whose rows are gone, from the restored table: each is sent to the queue under its own id.

    So none can count twice, whatever was counted meanwhile, and however often this is run. Told of and left out are
    clicks of links that are deleted, those that the counters know of still, and those that are too old. The counters of
    days that are too old as a whole are made what they were, where they are less.
    """
    stage = connect(stage)
    table, counters = (restored_name(stage, name, to_time) for name in (Name.CLICKS, Name.DAILY_CLICKS))
    _require_restored(table)
    _require_restored(counters)
    with Console(stderr=True).status("comparing rows"):
        done = count_again(table, dry_run=dry_run)
        done += raise_counters(counters, dry_run=dry_run)
    print(_sum(done) or "no clicks were there")
    if done[NOT_SENT] or done[DAY_CHANGED]:
        raise typer.Exit(1)


@commands.command()
def missing(
    to_time: To,
    table: Annotated[Name, typer.Option(help="api_keys, blocked_domains, allowances or daily_links.")],
    stage: Stage = None,
) -> None:
    """Put back items of another table that are gone; those that are there stay as they are. Safe to repeat.

    A key that is put back is as it was: revoke it again, if it was revoked since. Of allowances, clicks that were used
    up then are used up again.
    """
    stage = connect(stage)
    keys = {Name.API_KEYS: "id", Name.BLOCKED_DOMAINS: "domain", Name.DAILY_LINKS: "day"}
    if table not in {*keys, Name.ALLOWANCES}:
        raise typer.BadParameter("links and clicks have commands of their own")
    source = restored_name(stage, table, to_time)
    _require_restored(source)
    with Console(stderr=True).status("comparing items"):
        target = f"{stack_name(stage)}-{table}"
        copied = use_up_again(source) if table is Name.ALLOWANCES else copy_missing(source, target, keys[table])
    print(f"{copied} put back")


def restored_name(stage: str, name: str, to_time: datetime) -> str:
    """The name under which a table is restored: linkly-dev-links-restored-20261122T100000Z."""
    return f"{stack_name(stage)}-{name}-restored-{to_time:%Y%m%dT%H%M%SZ}"


def together(names: Sequence[Name]) -> list[Name]:
    """The tables asked for, and with one of the two of clicks the other."""
    pair = {Name.CLICKS, Name.DAILY_CLICKS}
    return [name for name in Name if name in names or (name in pair and pair.intersection(names))]


def require_restorable(table: str, to_time: datetime) -> None:
    """Raise RestoreFailed unless a table can be restored to that moment."""
    answer = client("dynamodb").describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    recovery = answer.get("PointInTimeRecoveryDescription", {})
    if recovery.get("PointInTimeRecoveryStatus") != "ENABLED":
        raise RestoreFailed(f"Of {table} there are no backups: point-in-time recovery is off.")
    first, last = recovery["EarliestRestorableDateTime"], recovery["LatestRestorableDateTime"]
    if not first.replace(microsecond=0) <= to_time <= last:
        raise RestoreFailed(
            f"{table} can be restored to times between {clock.rfc3339(first)} and {clock.rfc3339(last)}."
        )


def put_back(link: Link, *, dry_run: bool = False) -> Outcome:
    """Make a link what it was, as a new version, unless it is that already."""
    try:
        now = read_link(link.code)
    except LinkNotFound:
        now = None
    if now and _content(now) == _content(link):
        return Outcome.UNCHANGED
    try:
        if link.status is Status.ACTIVE:
            check_targets(link)
        if dry_run:
            return Outcome.WOULD_BE
        if now:
            replace_link(replace(link, changed_by=None), now.version)
        else:
            _insert(link)
    except BlockedTarget:
        return Outcome.BLOCKED
    except (CodeTaken, StaleVersion):
        return Outcome.CHANGED
    return Outcome.PUT_BACK


def count_again(table: str, *, dry_run: bool = False) -> Counter[str]:
    """Send the clicks to the queue whose rows are in a restored table and not in the one in use; how many of which."""
    done: Counter[str] = Counter()
    for rows in _pages(table):
        gone = _gone(rows)
        reasons = {click: _why_not(click) for click in gone}
        lost = [encode(click) for click, reason in reasons.items() if reason is None]
        failed = 0 if dry_run else send(lost)
        done["there"] += len(rows) - len(gone)
        done["would be sent" if dry_run else "sent"] += len(lost) - failed
        done[NOT_SENT] += failed
        done.update(reason for reason in reasons.values() if reason)
    return done


def raise_counters(table: str, *, dry_run: bool = False) -> Counter[str]:
    """Make the counters of days what they are in a restored table, where that has more clicks of a day; how many days.

    Only of days of which no click can be counted any more, so that they grow for no other reason. A day's counters go
    together: their numbers add up with each other's, and a day that was recounted is in other shards than it was.
    """
    first = (clock.now() - timedelta(days=config.click_retention_days())).date().isoformat()
    done: Counter[str] = Counter()
    seen: set[tuple[str, str]] = set()
    for counters in _pages(table):
        for counter in counters:
            code, day = counter["code"]["S"], day_of(counter[SORT_KEY]["S"])
            if day >= first or (code, day) in seen or is_deleted(code):
                continue
            seen.add((code, day))
            if outcome := _raise_day(code, day, table, dry_run=dry_run):
                done[outcome] += 1
    return done


def _raise_day(code: str, day: str, table: str, *, dry_run: bool) -> str | None:
    """What comes of a day; None if it has as many clicks as it had, or more."""
    then, now = read_day(code, day, table), read_day(code, day)
    if clicks_in(now) >= clicks_in(then):
        return None
    if dry_run:
        return "days of counters would be raised"
    version = version_if_alive(code)
    if version is None or replace_day(code, version, day, now, then):
        return DAY_CHANGED
    return "days of counters raised"


def copy_missing(source: str, target: str, key: str) -> int:
    """Put each item of a table into another one, unless there is one with its key; how many."""
    dynamodb = app_aws.dynamodb()
    copied = 0
    for items in _pages(source):
        for item in items:
            with suppress(dynamodb.exceptions.ConditionalCheckFailedException):
                dynamodb.put_item(
                    TableName=target,
                    Item=item,
                    ConditionExpression="attribute_not_exists(#key)",
                    ExpressionAttributeNames={"#key": key},
                )
                copied += 1
    return copied


def use_up_again(source: str) -> int:
    """Make as many clicks of each link used up as in a restored table, where now it is fewer; of how many links."""
    dynamodb = app_aws.dynamodb()
    raised = 0
    for items in _pages(source):
        for item in items:
            if "used" not in item:
                continue
            with suppress(dynamodb.exceptions.ConditionalCheckFailedException):
                dynamodb.update_item(
                    TableName=config.allowances_table(),
                    Key={"code": item["code"]},
                    UpdateExpression="SET used = :then",
                    ConditionExpression="attribute_not_exists(used) OR used < :then",
                    ExpressionAttributeValues={":then": item["used"]},
                )
                raised += 1
    return raised


def _insert(link: Link) -> None:
    """Put back a link that is gone. The cache may know a later version than the link was then: it goes beyond that."""
    cached = find_redirect(link.code)
    again = replace(link, version=max(link.version, cached.version + 1)) if cached else link
    insert_link(again)
    refresh(link.code)  # the refresher hears of changes only, and this one looks like a new link


def _content(link: Link) -> dict[str, Any]:
    return plain(link, Use.COMPARE)


def _why_not(click: Click) -> str | None:
    """Why a click is not sent again; None if it is."""
    if is_deleted(click.code):
        return "of links that are deleted"
    if click.day in days_counted_without_rows(click.code):
        return COUNTED
    return "too old to be counted" if why_not_countable(click, clock.now(), config.click_retention_days()) else None


@lru_cache(maxsize=10_000)
def days_counted_without_rows(code: str) -> frozenset[str]:
    """The days of a link that have more clicks by the counters than rows: there, only rows are gone, or have expired.

    The counters are read first, since the rows of what is counted meanwhile may only make it fewer.
    """
    counted = clicks_by_day(code)
    pages = (
        app_aws.dynamodb()
        .get_paginator("query")
        .paginate(
            TableName=config.clicks_table(),
            KeyConditionExpression="code = :code",
            ExpressionAttributeValues={":code": {"S": code}},
            ProjectionExpression="occurred_at",
            ConsistentRead=True,
        )
    )
    rows = Counter(item["occurred_at"]["S"][: len("2026-05-27")] for page in pages for item in page["Items"])
    return frozenset(day for day, clicks in counted.items() if clicks > rows[day])


@lru_cache(maxsize=10_000)
def is_deleted(code: str) -> bool:
    """Whether a code leads nowhere, as far as this process remembers: its clicks are not wanted."""
    try:
        return read_link(code).status is Status.DELETED
    except LinkNotFound:
        return True


def _pages(table: str) -> Iterator[list[dict[str, Any]]]:
    """The items of a table, at most a megabyte at a time."""
    for page in app_aws.dynamodb().get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        yield page["Items"]


def _gone(rows: Sequence[dict[str, Any]]) -> list[Click]:
    """The clicks of these rows that have none in the table in use."""
    clicks = {Key(row["code"]["S"], row["click_id"]["S"]): row for row in rows}
    gone = without_rows(clicks)
    return [click_in(row) for key, row in clicks.items() if key in gone]


def _sum(done: Counter[Any]) -> str:
    return ", ".join(f"{count} {outcome}" for outcome, count in sorted(done.items()) if count)


def _start(source: str, target: str, to_time: datetime) -> None:
    dynamodb = client("dynamodb")
    try:
        dynamodb.restore_table_to_point_in_time(SourceTableName=source, TargetTableName=target, RestoreDateTime=to_time)
    except (dynamodb.exceptions.TableAlreadyExistsException, dynamodb.exceptions.TableInUseException):
        return  # it was started before


def _is_there(dynamodb: Any, table: str) -> bool:
    return bool(dynamodb.describe_table(TableName=table)["Table"]["TableStatus"] == "ACTIVE")


def _require_restored(table: str) -> None:
    dynamodb = client("dynamodb")
    try:
        there = _is_there(dynamodb, table)
    except dynamodb.exceptions.ResourceNotFoundException:
        there = False
    if not there:
        raise RestoreFailed(f"There is no table {table} yet. Restore it first: python -m ops restore tables")
