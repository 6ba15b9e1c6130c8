"""Links in a file: JSON Lines, or CSV (RFC 4180) with a header row.

What is read is, to the letter, what was written. So nothing in a CSV is changed to keep a spreadsheet from taking a
text that begins with '=', '+', '-' or '@' for a formula, which a code ('-new') or an owner may: import such a file into
a spreadsheet as text.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, TextIO

import msgspec

from chalicelib import clock
from chalicelib.links.codes import check_code
from chalicelib.links.link import LONGEST_URL, Link, Status
from chalicelib.links.targets import normalise_url
from chalicelib.problems import Problem


class Format(StrEnum):
    """How links are written down."""

    JSONL = "jsonl"
    CSV = "csv"


# The longest owner that fits into the key of an index, which has 2,048 bytes.
_LONGEST_OWNER = 512

_Time = Annotated[datetime, msgspec.Meta(tz=True)]


class _Row(msgspec.Struct, forbid_unknown_fields=True):
    code: str
    url: Annotated[str, msgspec.Meta(max_length=LONGEST_URL)]
    owner: Annotated[str, msgspec.Meta(min_length=1, max_length=_LONGEST_OWNER)]
    version: Annotated[int, msgspec.Meta(ge=1)]
    status: Literal["active", "deleted"]  # not `blocked`, which is of the cache
    created_at: _Time
    updated_at: _Time


COLUMNS = _Row.__struct_fields__


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
            table.writerow(_fields(link).values())
    else:
        for link in links:
            file.write(msgspec.json.encode(_fields(link)).decode() + "\n")


def read_links(file: TextIO, form: Format, own_addresses: frozenset[str]) -> Iterator[tuple[int, Link | Refusal]]:
    """Each link of a file, or why there is none, with the number of its line, as the lines come. Raises NoHeader.

    A link must be one that could be created now; only of a deleted one the url does not matter, since nobody follows
    it. `own_addresses` are the shortener's.
    """
    rows = _csv_rows(file) if form is Format.CSV else _json_rows(file)
    for line, row in rows:
        yield line, row if isinstance(row, Refusal) else _checked(row, own_addresses)


def _fields(link: Link) -> dict[str, Any]:
    return {
        "code": link.code,
        "url": link.url,
        "owner": link.owner,
        "version": link.version,
        "status": link.status.value,
        "created_at": clock.rfc3339(link.created_at),
        "updated_at": clock.rfc3339(link.updated_at),
    }


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
    if sorted(header) != sorted(COLUMNS):
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
        row = dict(zip(header, values, strict=True))
        try:
            "".join(values).encode()  # bytes that are no UTF-8 were let in so far, to be refused here
            yield table.line_num, msgspec.convert(row, type=_Row, strict=False)
        except (msgspec.ValidationError, UnicodeError) as error:
            yield table.line_num, Refusal(str(error))


def _checked(row: _Row, own_addresses: frozenset[str]) -> Link | Refusal:
    status = Status(row.status)
    try:
        check_code(row.code)
        url = row.url if status is Status.DELETED else normalise_url(row.url, own_addresses)
    except Problem as problem:
        return Refusal(problem.detail)
    return Link(row.code, url, row.owner, row.version, status, _time(row.created_at), _time(row.updated_at))


def _time(moment: datetime) -> datetime:
    """The time as the table keeps it, in UTC and whole milliseconds."""
    return datetime.fromisoformat(clock.rfc3339(moment.astimezone(UTC)))
