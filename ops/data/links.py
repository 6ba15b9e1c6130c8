"""`python -m ops links`: take the links of a stage out to a file, and bring them in from one."""

import io
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Annotated, TextIO, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from chalicelib import config
from chalicelib.links.blocklist import check_targets
from chalicelib.links.link import Link
from chalicelib.links.status import Status
from chalicelib.links.store import every_link, insert_link, read_link
from chalicelib.problems import BlockedTarget, CodeTaken, LinkNotFound
from ops.data.link_files import Format, NoHeader, Refusal, read_links, write_links
from ops.shared.errors import OperatorError
from ops.shared.stacks import outputs
from ops.shared.stages import Stage, connect

commands = typer.Typer(no_args_is_help=True, help="Take the links of a stage out to a file, and bring them in.")

_AT_ONCE = 8
_WINDOW = 200

Item = TypeVar("Item")

Form = Annotated[Format | None, typer.Option("--format", help="Without it, the file's name tells; or else jsonl.")]


class ExportFailed(OperatorError):
    """The file cannot be written; the message says why."""


class Outcome(StrEnum):
    """What came of a line of an import."""

    CREATED = "created"
    UNCHANGED = "unchanged"
    CONFLICTING = "conflicting"
    INVALID = "invalid"


@commands.command()
def export(
    file: Annotated[Path | None, typer.Argument(dir_okay=False, help="Without it, to the terminal.")] = None,
    form: Form = None,
    owner: Annotated[str | None, typer.Option(help="Only this owner's links.")] = None,
    stage: Stage = None,
) -> None:
    """Write down all links, deleted ones too. The file appears when it is complete.

    Links that change meanwhile are written as they were before or after.
    """
    connect(stage)
    form = form or _format_of(file)
    with _progress() as progress:
        links = _counted(every_link(owner), progress)
        if file is None:
            write_links(links, sys.stdout, form)
            return
        try:
            _write_whole(links, file, form)
        except OSError as error:
            raise ExportFailed(f"{file} cannot be written: {error.strerror}.") from error


@commands.command(name="import")
def import_(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)],
    form: Form = None,
    stage: Stage = None,
) -> None:
    """Bring in the links of a file, with their versions and times.

    A link that is there already stays; a code that is another link's is told of, and not touched. So an import that was
    interrupted is simply run again. Exit code 1 if a line was refused.
    """
    stage = connect(stage)
    domain = config.domain_name()
    own_addresses = frozenset(
        filter(None, (config.base_url(), domain and f"https://{domain}", outputs(stage).get("EndpointURL")))
    )
    counts: Counter[Outcome] = Counter()
    # Bytes that are no UTF-8 make their own line invalid, and not the whole file.
    with (
        file.open("rb") as raw,
        io.TextIOWrapper(raw, encoding="utf-8-sig", errors="surrogateescape", newline="") as opened,
        _progress() as progress,
    ):
        task = progress.add_task("importing (bytes)", total=file.stat().st_size)
        try:
            for line, outcome, reason in import_links(opened, form or _format_of(file), own_addresses):
                counts[outcome] += 1
                progress.update(task, completed=raw.tell())
                if reason:
                    progress.console.print(f"line {line}: {reason}", markup=False, highlight=False, soft_wrap=True)
        except NoHeader as error:
            raise typer.BadParameter(str(error)) from error
        finally:
            print(", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome))
    if counts[Outcome.CONFLICTING] or counts[Outcome.INVALID]:
        raise typer.Exit(1)


def import_links(file: TextIO, form: Format, own_addresses: frozenset[str]) -> Iterator[tuple[int, Outcome, str]]:
    """Bring in the links of a file; gives each line's number, what came of it, and why it was refused, if it was."""

    def bring_in(entry: tuple[int, Link | Refusal]) -> tuple[int, Outcome, str]:
        line, link = entry
        return (line, Outcome.INVALID, link.reason) if isinstance(link, Refusal) else (line, *_insert(link))

    with ThreadPoolExecutor(_AT_ONCE) as threads:
        for window in _windows(read_links(file, form, own_addresses), _WINDOW):
            yield from threads.map(bring_in, window)


def _write_whole(links: Iterable[Link], file: Path, form: Format) -> None:
    """Write a file that is there when it is complete, and not before. Raises OSError."""
    unfinished = file.with_name(f"{file.name}.part")
    try:
        with unfinished.open("w", encoding="utf-8", newline="") as opened:
            write_links(links, opened, form)
        unfinished.replace(file)
    finally:
        with suppress(OSError):  # it is the file by now, or could not be made
            unfinished.unlink()


def _insert(link: Link) -> tuple[Outcome, str]:
    try:
        if link.status is Status.ACTIVE:
            check_targets(link)
        insert_link(link)
    except (BlockedTarget, CodeTaken) as problem:
        if _is_stored(link):
            return Outcome.UNCHANGED, ""
        if isinstance(problem, BlockedTarget):
            return Outcome.INVALID, problem.detail
        return Outcome.CONFLICTING, f"There is another link {link.code!r}. It stays as it is."
    return Outcome.CREATED, ""


def _is_stored(link: Link) -> bool:
    try:
        return read_link(link.code) == link
    except LinkNotFound:
        return False


def _windows(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    rest = iter(items)
    while window := list(islice(rest, size)):
        yield window


def _counted(links: Iterable[Link], progress: Progress) -> Iterator[Link]:
    task = progress.add_task("exporting", total=None)
    for link in links:
        yield link
        progress.advance(task)


def _format_of(file: Path | None) -> Format:
    return Format.CSV if file is not None and file.suffix.lower() == ".csv" else Format.JSONL


@contextmanager
def _progress() -> Iterator[Progress]:
    """A progress bar on stderr, where somebody looks at it."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        yield progress
