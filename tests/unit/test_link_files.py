"""Links in a file: what is read is what was written, and what is no link is refused with its line."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from chalicelib.links.codes import RESERVED
from chalicelib.links.link import Link
from chalicelib.links.passwords import hashed
from chalicelib.links.status import Status
from chalicelib.links.targets import normalise_url
from chalicelib.problems import InvalidUrl
from ops.data.link_files import COLUMNS, Format, NoHeader, Refusal, read_links, write_links
from tests.builders import NOW, a_link

OURS = frozenset({"https://go.example.com"})

_BEFORE_JSON = (
    '{"code":"my-link","url":"https://example.com/","owner":"ada","version":1,"status":"active",'
    '"created_at":"2026-05-27T10:15:30.123Z","updated_at":"2026-05-27T10:15:30.123Z"}'
)
_BEFORE_CSV = "my-link,https://example.com/,ada,1,active,2026-05-27T10:15:30.123Z,2026-05-27T10:15:30.123Z"

HASH = hashed("open sesame")

# With a value in each field that has a default.
MINE = a_link(
    changed_by="key1",
    title="Spring, sale",
    tags=("spring", "a, b"),
    enabled=False,
    starts_at=NOW.replace(month=7),
    expires_at=NOW.replace(month=8),
    expired_url="https://example.net/over",
    forward_query=True,
    max_clicks=100,
    password=HASH,
)
JSON = _BEFORE_JSON.removesuffix("}") + (
    ',"changed_by":"key1","title":"Spring, sale","tags":["spring","a, b"],"enabled":false,'
    '"starts_at":"2026-07-27T10:15:30.123Z","expires_at":"2026-08-27T10:15:30.123Z",'
    f'"expired_url":"https://example.net/over","forward_query":true,"max_clicks":100,"password":"{HASH}"}}'
)
CSV = _BEFORE_CSV + (
    ',key1,"Spring, sale","[""spring"",""a, b""]",false,2026-07-27T10:15:30.123Z,2026-08-27T10:15:30.123Z,'
    f"https://example.net/over,true,100,{HASH}"
)

HEADER = ",".join(COLUMNS)

BEFORE_FIELDS_CAME = {
    Format.JSONL: f"{_BEFORE_JSON}\n",
    Format.CSV: f"code,url,owner,version,status,created_at,updated_at\r\n{_BEFORE_CSV}\r\n",
}
"""A file as it was written when links had none of the fields that have a default."""


def is_good(url: str) -> bool:
    try:
        return normalise_url(url, OURS) == url
    except InvalidUrl:
        return False


def milliseconds(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000, tzinfo=UTC)


texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
urls = texts.map(lambda text: f"https://example.com/{text}")
active = st.tuples(st.just(Status.ACTIVE), urls.map(lambda url: url if is_good(url) else "https://example.com/"))
deleted = st.tuples(st.just(Status.DELETED), urls)
times = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)).map(milliseconds)  # noqa: DTZ001 (UTC is given there)


@st.composite
def some_links(draw: st.DrawFn) -> Link:
    status, url = draw(st.one_of(active, deleted))
    return Link(
        code=draw(st.from_regex(r"[A-Za-z0-9_-]{3,64}", fullmatch=True).filter(lambda text: text not in RESERVED)),
        url=url,
        owner=draw(texts),
        version=draw(st.integers(1, 10**12)),
        status=status,
        created_at=draw(times),
        updated_at=draw(times),
        changed_by=draw(st.none() | st.text(st.characters(codec="ascii"), min_size=1, max_size=64)),
    )


def written(links: list[Link], form: Format) -> str:
    file = io.StringIO(newline="")
    write_links(links, file, form)
    return file.getvalue()


def read(text: str, form: Format) -> list[tuple[int, Link | Refusal]]:
    return list(read_links(io.StringIO(text, newline=""), form, OURS))


@given(st.lists(some_links(), max_size=5), st.sampled_from(Format))
def test_what_is_read_is_what_was_written(links: list[Link], form: Format) -> None:
    assert links == [link for _, link in read(written(links, form), form)]


def test_a_link_is_written_as_one_line_of_json_or_csv() -> None:
    assert f"{JSON}\n" == written([MINE], Format.JSONL)
    assert f"{HEADER}\r\n{CSV}\r\n" == written([MINE], Format.CSV)


@pytest.mark.parametrize("form", Format)
def test_a_file_of_before_a_field_came_is_read_with_its_default(form: Format) -> None:
    assert [a_link()] == [link for _, link in read(BEFORE_FIELDS_CAME[form], form)]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@sum", '"quoted", twice', "a\r\nb", " spaces ", "é"])
def test_nothing_is_changed_for_the_sake_of_a_spreadsheet(text: str) -> None:
    link = a_link(code="-dash", owner=text)

    assert [(link,)] == [(each,) for _, each in read(written([link], Format.CSV), Format.CSV)]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({'"my-link"': '"my link"'}, "A code has 3 to 64 of the characters"),
        ({'"my-link"': '"Links"'}, "The code 'Links' is reserved"),
        ({"https:": "javascript:"}, "The url's scheme is 'javascript:'"),
        ({"example.com": "go.example.com"}, "The url points at this shortener itself."),
        ({'"ada"': '""'}, "Expected `str` of length >= 1 - at `$.owner`"),
        ({'"version":1': '"version":0'}, "Expected `int` >= 1 - at `$.version`"),
        ({'"version":1': '"version":1000000000000001'}, "The version is larger than 1000000000000000."),
        ({'"version":1': f'"version":{10**18}'}, "Expected `int` <= 999999999999999999 - at `$.version`"),
        ({'"ada"': f'"{"a" * 257}"'}, "Expected `str` of length <= 256 - at `$.owner`"),
        ({"https://example.com/": "https://example.com/" + "a" * 2029}, "The url has 2049 characters."),
        ({'"active"': '"blocked"'}, "A link is active or deleted; which ones are blocked follows from the list"),
        (
            {'"created_at":"2026-05-27T10:15:30.123Z"': '"created_at":"0001-01-01T00:00:00+14:00"'},
            "In UTC, created_at is no date of the calendar",
        ),
        (
            {'"updated_at":"2026-05-27T10:15:30.123Z"': '"updated_at":"9999-12-31T23:59:59-01:00"'},
            "In UTC, updated_at is no date of the calendar",
        ),
        ({'"active"': '"lost"'}, "Invalid enum value 'lost' - at `$.status`"),
        ({'.123Z"': '"'}, "Expected `datetime` with a timezone component - at `$.created_at`"),
        ({'"owner":"ada",': ""}, "Object missing required field `owner`"),
        ({'"code"': '"extra":1,"code"'}, "Object contains unknown field `extra`"),
        ({"ada": "a\udcff"}, "'utf-8' codec can't encode character"),
        ({"ada": "\\ud800"}, "JSON is malformed: "),
        ({"}": ""}, "Input data was truncated"),
    ],
)
def test_a_line_that_is_no_link_is_refused_with_its_number_and_the_next_is_read(
    change: dict[str, str], reason: str
) -> None:
    wrong = JSON
    for old, new in change.items():
        wrong = wrong.replace(old, new)

    [first, second, third] = read(f"{JSON}\n\n{wrong}\n{JSON}\n", Format.JSONL)

    assert ((1, MINE), (4, MINE)) == (first, third)
    assert (3, Refusal) == (second[0], type(second[1]))
    assert isinstance(second[1], Refusal)
    assert second[1].reason.startswith(reason)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ("my-link,https://example.com/", f"The row has 2 values for {len(COLUMNS)} columns."),
        (CSV.replace(",1,", ",one,"), "Expected `int`, got `str` - at `$.version`"),
        (CSV.replace("ada", '"ada"x'), "',' expected after '\"'"),
        (CSV.replace("ada", "a\udcff"), "'utf-8' codec can't encode character"),
    ],
)
def test_a_row_that_is_no_link_is_refused_with_its_number_and_the_next_is_read(wrong: str, reason: str) -> None:
    [first, second, third] = read(f"{HEADER}\r\n{CSV}\r\n{wrong}\r\n{CSV}\r\n", Format.CSV)

    assert ((2, MINE), (4, MINE)) == (first, third)
    assert isinstance(second[1], Refusal)
    assert (3, True) == (second[0], second[1].reason.startswith(reason))


@pytest.mark.parametrize("text", ["", f"{CSV}\r\n", HEADER.replace("owner", "user")])
def test_a_csv_file_without_its_header_is_refused_whole(text: str) -> None:
    with pytest.raises(NoHeader, match="The first line must name the columns: code,url,owner,version,status,"):
        read(text, Format.CSV)


def test_the_columns_of_a_csv_file_may_come_in_any_order() -> None:
    turned = io.StringIO(newline="")
    csv.writer(turned).writerows(row[::-1] for row in csv.reader(io.StringIO(f"{HEADER}\r\n{CSV}\r\n", newline="")))

    assert [(2, MINE)] == read(turned.getvalue(), Format.CSV)


def test_a_url_is_made_what_a_browser_would_make_of_it_unless_the_link_is_deleted() -> None:
    text = JSON.replace("https://example.com/", "EXAMPLE.com")

    given: list[Any] = read(f"{text}\n{text.replace('active', 'deleted')}", Format.JSONL)

    assert [MINE, replace(MINE, url="EXAMPLE.com", status=Status.DELETED)] == [link for _, link in given]


def test_times_are_kept_in_utc_and_whole_milliseconds() -> None:
    text = JSON.replace("10:15:30.123Z", "12:15:30.1239+02:00")

    assert [(1, MINE)] == read(text, Format.JSONL)
    assert timedelta(0) == a_link().created_at.utcoffset()
