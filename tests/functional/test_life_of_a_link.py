"""What a visitor meets of a link that is off, not yet or no longer there, or passes on its query; at both doors."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib import aws, config
from chalicelib.access.callers import Caller
from chalicelib.access.keys import Role
from chalicelib.links.blocklist import put_domain
from chalicelib.links.change import change_link
from chalicelib.links.status import Status
from chalicelib.links.store import insert_link, read_link, to_item
from chalicelib.redirects import follow
from chalicelib.redirects.cache import Redirect, find_redirect, put_redirect
from chalicelib.redirects.life import LONGEST_LOCATION, with_query
from chalicelib.redirects.refresher import refresh
from tests import infrastructure
from tests.builders import NOW, StoppedClock, a_link
from tests.faults import Faults
from tests.functional.visitor import Answer, Visitor, a_problem

URL, OVER = "https://example.com/", "https://example.org/over"
MOMENT = timedelta(milliseconds=1)
BEFORE, AFTER = NOW - MOMENT, NOW + MOMENT

TO_THE_TARGET = (302, URL, 1)
OFF, NOT_YET, EXPIRED, GONE, BLOCKED = (
    (404, "link-disabled", 0), (404, "link-not-started", 0), (410, "link-expired", 0), (410, "link-deleted", 0),
    (410, "link-blocked", 0),
)  # fmt: skip
TO_THE_END = (302, OVER, 0)

# The first that holds decides. At the very second a link starts, and at the very second it has expired.
STATES: list[tuple[dict[str, Any], tuple[int, str, int]]] = [
    ({}, TO_THE_TARGET),
    ({"enabled": False}, OFF),
    ({"starts_at": AFTER}, NOT_YET),
    ({"starts_at": NOW}, TO_THE_TARGET),
    ({"expires_at": AFTER}, TO_THE_TARGET),
    ({"expires_at": NOW}, EXPIRED),
    ({"expires_at": BEFORE, "expired_url": OVER}, TO_THE_END),
    ({"expires_at": AFTER, "expired_url": OVER}, TO_THE_TARGET),
    ({"starts_at": BEFORE, "expires_at": AFTER}, TO_THE_TARGET),
    ({"enabled": False, "starts_at": AFTER}, OFF),
    ({"enabled": False, "expires_at": NOW, "expired_url": OVER}, OFF),
    ({"status": Status.DELETED, "enabled": False}, GONE),
    ({"status": Status.DELETED, "expires_at": NOW, "expired_url": OVER}, GONE),
    ({"forward_query": True, "expires_at": NOW, "expired_url": OVER}, TO_THE_END),
]


def met(answer: Answer) -> tuple[int, str]:
    """An answer's status, and where it leads or what kind of problem it is."""
    if answer.status == HTTPStatus.FOUND:
        assert "private, no-store" == answer.headers["Cache-Control"]
        return answer.status, answer.headers["Location"]
    return answer.status, answer.body["type"].rpartition(":")[2]


def clicks() -> int:
    return len(infrastructure.receive())


@pytest.mark.parametrize(("state", "expected"), STATES)
def test_a_visitor_meets_the_first_state_that_holds_from_link_memory_and_cache(
    visitor: Visitor, state: Mapping[str, Any], expected: tuple[int, str, int]
) -> None:
    insert_link(a_link(**state))

    for _ in ("link", "memory"):
        assert expected == (*met(visitor.get("/my-link")), clicks())
    follow.forget()
    assert expected == (*met(visitor.get("/my-link")), clicks())


@pytest.mark.parametrize(("state", "expected"), STATES)
def test_head_is_answered_alike_and_never_counted(
    visitor: Visitor, state: Mapping[str, Any], expected: tuple[int, str, int]
) -> None:
    insert_link(a_link(**state))

    answer = visitor.head("/my-link")

    status, told, _ = expected
    assert (status, 0) == (answer.status, clicks())
    assert answer.headers.get("Location") == (told if status == HTTPStatus.FOUND else None)


def test_time_is_compared_when_the_visitor_comes(visitor: Visitor, clock: StoppedClock) -> None:
    insert_link(a_link(starts_at=NOW + timedelta(seconds=1), expires_at=NOW + timedelta(seconds=3)))

    seen = []
    for _ in range(4):
        seen.append(visitor.get("/my-link").status)
        clock.time += timedelta(seconds=1)

    assert [404, 302, 302, 410] == seen


def test_a_life_costs_no_further_call(visitor: Visitor, faults: Faults) -> None:
    insert_link(a_link(expires_at=AFTER, enabled=True, forward_query=True))
    visitor.get("/my-link")
    faults.calls.clear()

    visitor.get("/my-link?a=b")

    assert ["SendMessage"] == faults.operations


def test_the_sentences_tell_what_to_do(visitor: Visitor) -> None:
    for code, state in (("off", {"enabled": False}), ("new", {"starts_at": AFTER}), ("old", {"expires_at": NOW})):
        insert_link(a_link(code=code, **state))
    off = "The link 'off' is switched off. Its owner can switch it on again."
    new = "The link 'new' does not lead anywhere yet. Come back later."

    assert [
        a_problem(HTTPStatus.NOT_FOUND, "link-disabled", off),
        a_problem(HTTPStatus.NOT_FOUND, "link-not-started", new),
        a_problem(HTTPStatus.GONE, "link-expired", "The link 'old' has expired."),
    ] == [visitor.get(f"/{code}") for code in ("off", "new", "old")]


# The query


def test_the_query_is_merged_into_the_target_and_counted_by_its_tags(visitor: Visitor) -> None:
    insert_link(a_link(url="https://example.com/a?x=1&y=%20&utm_source=own#here", forward_query=True))

    answer = visitor.get("/my-link?x=2&x=3&utm_source=mail&q=a%26b%20c")

    assert "https://example.com/a?y=%20&x=2&x=3&utm_source=mail&q=a%26b+c#here" == answer.headers["Location"]
    [record] = infrastructure.receive()
    assert "mail" == json.loads(record["body"])["utm_source"]


def test_the_query_stays_behind_unless_that_is_asked_for(visitor: Visitor) -> None:
    insert_link(a_link(url="https://example.com/?x=1"))

    assert "https://example.com/?x=1" == visitor.get("/my-link?x=2").headers["Location"]


def test_a_query_that_is_too_long_is_left_out(visitor: Visitor) -> None:
    insert_link(a_link(forward_query=True))

    assert URL == visitor.get(f"/my-link?q={'a' * LONGEST_LOCATION}").headers["Location"]


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)


@given(query=st.dictionaries(texts, st.lists(texts, min_size=1, max_size=2), min_size=1, max_size=3))
def test_what_a_visitor_brings_stays_in_the_query(query: dict[str, list[str]]) -> None:
    merged = with_query("https://example.com/path?kept=1", query)

    assert merged.startswith("https://example.com/path?")
    assert merged.isascii()
    assert not {" ", "\r", "\n", "#"} & set(merged)


# The cache


def test_code_that_knows_no_life_finds_no_target_in_the_entry_of_a_link_that_has_one() -> None:
    insert_link(a_link(enabled=False))

    refresh("my-link")

    [entry] = infrastructure.items("REDIRECTS_TABLE")
    assert "url" not in entry
    assert {"guarded_url": URL, "enabled": False, "layout": 3}.items() <= entry.items()


@pytest.mark.parametrize("layout", [None, 2, 4])
def test_an_entry_in_another_layout_opens_no_door_and_is_written_anew(visitor: Visitor, layout: int | None) -> None:
    insert_link(a_link(enabled=False))
    entry: dict[str, Any] = {
        "code": {"S": "my-link"},
        "url": {"S": URL},
        "status": {"S": "active"},
        "version": {"N": "1"},
    }
    if layout:
        entry["layout"] = {"N": str(layout)}
    aws.dynamodb().put_item(TableName=config.redirects_table(), Item=entry)

    assert OFF[:2] == met(visitor.get("/my-link"))

    found = find_redirect("my-link")
    assert found
    assert {"enabled": {"BOOL": False}} == found.life


def test_an_entry_in_another_layout_that_is_blocked_stays_so(visitor: Visitor) -> None:
    insert_link(a_link())
    entry: Any = {"code": {"S": "my-link"}, "url": {"S": URL}, "status": {"S": "blocked"}, "version": {"N": "1"}}
    aws.dynamodb().put_item(TableName=config.redirects_table(), Item=entry)

    put_redirect(Redirect.of(a_link()))

    assert BLOCKED[:2] == met(visitor.get("/my-link"))


def test_a_change_of_the_title_leaves_a_blocked_link_blocked(visitor: Visitor) -> None:
    insert_link(a_link(owner="ada"))
    put_domain("example.com", None)
    refresh("my-link")

    change_link("my-link", {"title": "New"}, Caller("ada", Role.USER), None, frozenset())
    refresh("my-link")
    follow.forget()

    assert BLOCKED[:2] == met(visitor.get("/my-link"))


def test_a_link_whose_expired_url_is_on_a_blocked_domain_is_blocked(visitor: Visitor) -> None:
    insert_link(a_link(expires_at=AFTER, expired_url=OVER))
    put_domain("example.org", None)

    refresh("my-link")

    assert BLOCKED[:2] == met(visitor.get("/my-link"))


def test_an_item_of_before_there_was_a_life_leads_to_its_target(visitor: Visitor) -> None:
    item = {name: value for name, value in to_item(a_link()).items() if name not in {"enabled", "forward_query"}}
    aws.dynamodb().put_item(TableName=config.links_table(), Item={**item, "write_id": {"S": "1"}})

    assert TO_THE_TARGET == (*met(visitor.get("/my-link")), clicks())
    assert a_link() == read_link("my-link")


# What an owner may give


PATCH = {"Content-Type": "application/merge-patch+json"}


def patch(ada: Visitor, **fields: Any) -> Answer:
    return ada.send("PATCH", "/links/my-link", json.dumps(fields).encode(), PATCH)


UNFIT = "The body does not fit: "
NO_OFFSET = f"{UNFIT}Expected `datetime` with a timezone component - at `$.starts_at`."
OUR_OWN = "expired_url: The url points at this shortener itself. Give the address where the visitor should end."
NO_SUCH_DAY = "In UTC, expires_at is no date of the calendar, which has the years 1 to 9999."


@pytest.mark.parametrize(
    ("field", "value", "detail"),
    [
        ("title", "a" * 201, UNFIT + "Expected `str` of length <= 200 - at `$.title`."),
        ("title", "a\u0000b", "The title has control characters in it. Leave them out."),
        ("tags", ["a"] * 11, UNFIT + "Expected `array` of length <= 10 - at `$.tags`."),
        ("tags", [""], UNFIT + "Expected `str` of length >= 1 - at `$.tags[0]`."),
        ("tags", [" "], "A tag must have 1 to 50 characters, without spaces around it."),
        ("tags", ["a" * 51], UNFIT + "Expected `str` of length <= 50 - at `$.tags[0]`."),
        ("enabled", "no", UNFIT + "Expected `bool | null`, got `str` - at `$.enabled`."),
        ("starts_at", "2026-05-27T10:15:30", NO_OFFSET),
        ("expires_at", "9999-12-31T23:59:59-01:00", NO_SUCH_DAY),
        ("expired_url", "https://go.example.com/x", OUR_OWN),
        ("url", None, "A link leads somewhere: 'url' cannot be null."),
        ("colour", "red", UNFIT + "Object contains unknown field `colour`."),
    ],
)  # fmt: skip
def test_what_a_field_cannot_be_is_said_in_a_sentence(ada: Visitor, field: str, value: Any, detail: str) -> None:
    insert_link(a_link(owner="ada"))

    answer = patch(ada, **{field: value})

    assert (400, detail) == (answer.status, answer.body["detail"])
    assert 1 == read_link("my-link").version


def test_tags_are_in_lower_case_and_each_once_and_an_empty_title_is_none(ada: Visitor) -> None:
    insert_link(a_link(owner="ada", title="Old"))

    answer = patch(ada, tags=[" News ", "NEWS", "Cafe\u0301"], title="  ")

    assert (["news", "caf\u00e9"], None) == (answer.body["tags"], answer.body["title"])


CONTRADICTION = "A link starts before it expires: 'starts_at' must be earlier than 'expires_at'."


@pytest.mark.parametrize(
    ("before", "change"),
    [
        ({}, {"starts_at": NOW, "expires_at": NOW}),
        ({"expires_at": NOW}, {"starts_at": NOW}),
        ({"starts_at": NOW}, {"expires_at": NOW}),
        ({"starts_at": BEFORE, "expires_at": NOW}, {"starts_at": AFTER}),
    ],
)
def test_a_link_that_would_expire_before_it_starts_is_refused(
    ada: Visitor, before: dict[str, Any], change: dict[str, datetime]
) -> None:
    insert_link(a_link(owner="ada", **before))

    answer = patch(ada, **{name: moment.isoformat() for name, moment in change.items()})

    assert (400, CONTRADICTION) == (answer.status, answer.body["detail"])


def test_times_that_are_changed_together_may_pass_those_of_before(ada: Visitor) -> None:
    insert_link(a_link(owner="ada", starts_at=BEFORE, expires_at=NOW))

    answer = patch(ada, starts_at=AFTER.isoformat(), expires_at=(AFTER + MOMENT).isoformat())
    unset = patch(ada, starts_at=(AFTER + 2 * MOMENT).isoformat(), expires_at=None)

    assert [200, 200] == [answer.status, unset.status]


def test_what_get_answered_can_be_sent_back_with_put(ada: Visitor) -> None:
    insert_link(a_link(owner="ada", tags=("news",), expires_at=AFTER, title="Title"))
    before = ada.get("/links/my-link").body

    body = json.dumps(before).encode()
    after = ada.send("PUT", "/links/my-link", body, {"Content-Type": "application/json"}).body

    changed = {"version", "updated_at", "changed_by"}
    assert {**before, **{name: after[name] for name in changed}} == after


def test_put_takes_back_what_it_leaves_out(ada: Visitor) -> None:
    insert_link(a_link(owner="ada", tags=("news",), enabled=False, title="Title"))

    after = ada.send("PUT", "/links/my-link", b'{"url": "https://example.com/"}', {"Content-Type": "application/json"})

    assert ([], True, None) == tuple(after.body[name] for name in ("tags", "enabled", "title"))


def test_a_patch_comes_in_either_media_type_and_no_other(ada: Visitor) -> None:
    insert_link(a_link(owner="ada"))

    assert [200, 200, 415] == [
        ada.send("PATCH", "/links/my-link", b'{"title": "New"}', {"Content-Type": kind}).status
        for kind in ("application/merge-patch+json", "application/json", "text/plain")
    ]
