"""`python -m ops redirects`: make the redirect cache what the links are, while everything runs."""

from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.progress import Progress

from chalicelib import aws, config
from chalicelib.links.events import deletion_of, encode
from chalicelib.links.status import Status
from chalicelib.links.store import every_code, read_link
from chalicelib.problems import LinkNotFound
from chalicelib.redirects.cache import Redirect, find_redirect
from chalicelib.redirects.refresher import refresh
from ops.shared.stages import Stage, connect

commands = typer.Typer(no_args_is_help=True, help="Make the redirect cache what the links are.")

_AT_ONCE = 8
MOST_SHOWN = 20


class Outcome(StrEnum):
    """What came of a link's entry."""

    RIGHT = "right already"
    CORRECTED = "corrected"
    DELETED = "corrected to deleted, with their clicks purged once more"
    UNKNOWN = "unknown"
    FAILED = "failed: run it again"


@commands.callback()
def redirects() -> None:
    """Make the redirect cache what the links are."""


@commands.command()
def rebuild(
    codes: Annotated[list[str] | None, typer.Argument(metavar="CODE", help="Of these links.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Of every link. Reads all of them.")] = False,
    stage: Stage = None,
) -> None:
    """Cache what links and the list of blocked domains say, wherever the cache says something else.

    Each link is looked at as after a change. Of one that is deleted, and the cache did not know it, the clicks are
    purged once more. If it is interrupted, run it again. Exit code 1 if a code is unknown, or a link failed.
    """
    if bool(codes) == everything:
        raise typer.BadParameter("say which links: their codes, or --all")
    connect(stage)
    console = Console(stderr=True)
    done: Counter[Outcome] = Counter()
    shown = 0
    with Progress(console=console) as progress:
        task = progress.add_task("rebuilding", total=len(codes) if codes else _number_of_links())
        for outcome, line in _rebuild_each([codes] if codes else every_code()):
            done[outcome] += 1
            if line and shown < MOST_SHOWN:
                shown += 1
                progress.console.print(line, markup=False, highlight=False, soft_wrap=True)
            progress.advance(task)
    print(", ".join(f"{done[outcome]} {outcome}" for outcome in Outcome if done[outcome]) or "there are no links")
    if done[Outcome.UNKNOWN] or done[Outcome.FAILED]:
        raise typer.Exit(1)


def _number_of_links() -> int | None:
    """About how many there are: DynamoDB counts some times a day."""
    return aws.dynamodb().describe_table(TableName=config.links_table())["Table"]["ItemCount"] or None


def _rebuild_each(pages: Iterable[list[str]]) -> Iterator[tuple[Outcome, str]]:
    """What came of each link's entry, with a line about it if it is not as it was."""
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        for page in pages:
            yield from threads.map(_rebuild, page)


def _rebuild(code: str) -> tuple[Outcome, str]:
    try:
        link = read_link(code)
        deleted = link.status is Status.DELETED and find_redirect(code) != Redirect.of(link)
        if deleted:
            # First, since whoever runs this again after an interruption finds the entry corrected.
            message = encode(deletion_of(link))
            aws.sqs().send_message(QueueUrl=config.deleted_links_queue_url(), MessageBody=message)
        correction = refresh(code)
    except LinkNotFound as problem:
        return Outcome.UNKNOWN, problem.detail
    except (BotoCoreError, ClientError) as error:
        return Outcome.FAILED, f"{code}: {error}"
    except (LookupError, ValueError) as error:
        return Outcome.FAILED, f"{code}: this is no link: {type(error).__name__}: {error}"
    if not correction:
        return Outcome.RIGHT, ""
    line = f"{code}: {_told(correction.before)} -> {_told(correction.after)}"
    return Outcome.DELETED if deleted else Outcome.CORRECTED, line


def _told(redirect: Redirect | None) -> str:
    return f"{redirect.status}, version {redirect.version}" if redirect else "not cached"
