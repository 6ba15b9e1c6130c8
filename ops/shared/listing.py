"""What is listed: as a table for people, as JSON for programs."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

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
        _print_table(rows, absent)
    else:
        Console(stderr=True).print(nothing, markup=False, highlight=False, soft_wrap=True)


def print_json(value: object) -> None:
    """Print a value on one line; times are RFC 3339."""
    print(json.dumps(value, default=_plain))


def minute(moment: datetime) -> str:
    """A time as people read it."""
    return f"{moment:%Y-%m-%d %H:%M}"


def _print_table(rows: Sequence[Mapping[str, Any]], absent: str) -> None:
    """Nothing is cut or folded, since somebody will copy it, or search for it: a narrow terminal wraps the lines."""
    table = Table()
    for name, value in rows[0].items():
        table.add_column(name.replace("_", " "), justify="right" if isinstance(value, int) else "left")
    for row in rows:
        table.add_row(*(_cell(value, absent) for value in row.values()))
    roomy = Console(width=_ANY_WIDTH)
    width = Measurement.get(roomy, roomy.options, table).maximum
    terminal = Console()
    if terminal.is_terminal and width > terminal.width:
        table.box = None  # wrapped lines of a frame are hard to read
    Console(width=width).print(table)


def _cell(value: str | int | datetime | None, absent: str) -> Text:
    """As text and not as str, in which rich looks for markup; what would move the cursor is shown escaped."""
    shown = absent if value is None else minute(value) if isinstance(value, datetime) else str(value)
    return Text("".join(each if each.isprintable() else ascii(each)[1:-1] for each in shown))


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return rfc3339(value)
    raise TypeError(type(value))
