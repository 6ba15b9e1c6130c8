"""What is listed: as a table for people, as JSON for programs."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from io import StringIO
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from chalicelib.clock import rfc3339

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
"""The option of a command that shows something which a program may want to read."""

_ANY_WIDTH = 1_000_000


def print_list(
    rows: Sequence[Mapping[str, Any]], *, as_json: bool = False, nothing: str = "", absent: str = ""
) -> None:
    """Print rows, all with the same columns: text, whole numbers, times in UTC, or None.

    Without any, people are told `nothing`, on stderr; in a table, `absent` stands for None.
    """
    if as_json:
        print_json(rows)
    elif rows:
        print_whole(_table(rows, absent))
    else:
        Console(stderr=True).print(nothing, markup=False, highlight=False, soft_wrap=True)


def print_json(value: object) -> None:
    """Print a value on one line; times are RFC 3339."""
    print(json.dumps(value, default=_plain))


def minute(moment: datetime) -> str:
    """A time as people read it."""
    return f"{moment:%Y-%m-%d %H:%M}"


def print_whole(table: Table) -> None:
    """Print a table as wide as it is, with its cells as they are: somebody will copy them, or search for them."""
    as_it_is: dict[str, Any] = {"markup": False, "emoji": False, "highlight": False}
    plain, terminal = StringIO(), Console()
    roomy = Console(width=_ANY_WIDTH, file=plain, force_terminal=False, **as_it_is)
    width = Measurement.get(roomy, roomy.options, table).maximum
    if terminal.is_terminal and width > terminal.width:
        # The terminal wraps the lines. A frame would be hard to read then, and so would the blanks that fill a line.
        table.box = None
        roomy.print(table)
        print("\n".join(line.rstrip() for line in plain.getvalue().splitlines()))
    else:
        Console(width=width, **as_it_is).print(table)


def _table(rows: Sequence[Mapping[str, Any]], absent: str) -> Table:
    table = Table()
    for name, value in rows[0].items():
        table.add_column(name.replace("_", " "), justify="right" if isinstance(value, int) else "left")
    for row in rows:
        table.add_row(*(_cell(value, absent) for value in row.values()))
    return table


def _cell(value: str | int | datetime | None, absent: str) -> str:
    """What would move the cursor is shown escaped."""
    shown = absent if value is None else minute(value) if isinstance(value, datetime) else str(value)
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in shown)


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return rfc3339(value)
    raise TypeError(type(value))
