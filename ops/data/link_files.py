"""Links in a file: JSON Lines, or CSV (RFC 4180) with a header row.

What is read is, to the letter, what was written. So nothing in a CSV is changed to keep a spreadsheet from taking a
text that begins with '=', '+', '-' or '@' for a formula, which a code ('-new') or an owner may: import such a file into
a spreadsheet as text.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TextIO

import msgspec
from msgspec import structs

from chalicelib.links.checks import normalise_fields, normalise_moment
from chalicelib.links.codes import check_code
from chalicelib.links.link import LONGEST_URL, Link, Use, defaults, fields, plain
from chalicelib.links.passwords import is_hash
from chalicelib.links.status import Status
from chalicelib.links.targets import normalise_url
from chalicelib.problems import Problem


class Format(StrEnum):
    """How links are written down."""

    JSONL = "jsonl"
    CSV = "csv"


LARGEST_VERSION = 10**15
"""Of a link that is brought in, so that it may be changed often enough: an event tells no version of over 18 digits."""

COLUMNS = tuple(fields())
_REQUIRED = COLUMNS[: len(COLUMNS) - len(defaults())]


class _Row(Link, frozen=True, forbid_unknown_fields=True):
    """A line of a file. A field with a default may be left out, as files that are older than it do."""


class NoHeader(ValueError):
    """A CSV file does not begin with the names of its columns."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What stands in a line is no link that may be here; `reason` is a sentence."""

    reason: str


def write_links(links: Iterable[Link], file: TextIO, form: Format) -> None:
    """Write links, one after the other, as they come."""
    if form is Format.CSV:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        for link in links:
            table.writerow(map(_cell, plain(link).values()))
    else:
        for link in links:
            file.write(msgspec.json.encode(plain(link)).decode() + "\n")


def read_links(file: TextIO, form: Format, own_addresses: frozenset[str]) -> Iterator[tuple[int, Link | Refusal]]:
    """Each link of a file, or why there is none, with the number of its line, as the lines come. Raises NoHeader.

    A link must be one that could be created now; only of a deleted one the url does not matter, since nobody follows
    it. `own_addresses` are the shortener's.
    """
    rows = _csv_rows(file) if form is Format.CSV else _json_rows(file)
    for line, row in rows:
        yield line, row if isinstance(row, Refusal) else _checked(row, own_addresses)


def _json_rows(file: TextIO) -> Iterator[tuple[int, _Row | Refusal]]:
    for line, text in enumerate(file, start=1):
        if not text.strip():
            continue
        try:
            yield line, msgspec.json.decode(text.encode(), type=_Row)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            yield line, Refusal(str(error))


def _csv_rows(file: TextIO) -> Iterator[tuple[int, _Row | Refusal]]:
    table = csv.reader(file, strict=True)
    header = next(table, [])
    if not (set(_REQUIRED) <= set(header) <= set(COLUMNS)) or len(header) != len(set(header)):
        raise NoHeader(f"The first line must name the columns: {','.join(COLUMNS)}")
    while True:
        try:
            values = next(table)
        except StopIteration:
            return
        except csv.Error as error:
            yield table.line_num, Refusal(str(error))
            continue
        if not values:
            continue
        if len(values) != len(header):
            yield table.line_num, Refusal(f"The row has {len(values)} values for {len(header)} columns.")
            continue
        row: dict[str, Any] = {
            name: value for name, value in zip(header, values, strict=True) if value or name in _REQUIRED
        }
        try:
            "".join(values).encode()  # bytes that are no UTF-8 were let in so far, to be refused here
            if "tags" in row:
                row["tags"] = msgspec.json.decode(row["tags"])
            yield table.line_num, msgspec.convert(row, type=_Row, strict=False)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            yield table.line_num, Refusal(str(error))


def _cell(value: Any) -> Any:
    """A value as a cell of a table: a list as JSON has it, and nothing for an empty one."""
    if isinstance(value, list):
        return msgspec.json.encode(value).decode() if value else None
    return str(value).lower() if isinstance(value, bool) else value


def _checked(row: _Row, own_addresses: frozenset[str]) -> Link | Refusal:
    link = structs.asdict(row)
    if row.status is Status.BLOCKED:
        return Refusal("A link is active or deleted; which ones are blocked follows from the list of blocked domains.")
    if row.version > LARGEST_VERSION:
        return Refusal(f"The version is larger than {LARGEST_VERSION}.")
    if row.password is not None and not is_hash(row.password):
        return Refusal("The password is no hash, as an export has it. Leave it out, and set the password with PATCH.")
    if len(row.url) > LONGEST_URL:
        return Refusal(f"The url has {len(row.url)} characters. At most {LONGEST_URL} are allowed.")
    try:
        check_code(row.code)
        link |= normalise_fields({name: link[name] for name in fields(Use.CHANGE)})
        if row.status is Status.ACTIVE:
            for name in ("url", "expired_url"):
                link[name] = link[name] and normalise_url(link[name], own_addresses)
        for name in ("created_at", "updated_at"):
            link[name] = normalise_moment(link[name], name)
    except Problem as problem:
        return Refusal(problem.detail)
    return Link(**link)
