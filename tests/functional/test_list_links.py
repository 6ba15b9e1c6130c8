"""GET /links: somebody's links, newest first, a page at a time."""

import base64
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import pytest

from chalicelib.links import store
from chalicelib.links.status import Status
from chalicelib.links.store import insert_link
from tests.builders import NOW, a_link
from tests.faults import Faults
from tests.functional.visitor import Visitor, a_problem

NOT_OURS = "The cursor is not one of ours. Leave it out to start at the newest link."
FROM_1_TO_100 = "The parameter 'limit' must be a whole number from 1 to 100."


def given_links(number: int, owner: str = "ada") -> list[str]:
    """Create links, a minute after the other; gives their codes, newest first."""
    codes = [f"{owner}-{index}" for index in range(number)]
    for index, code in enumerate(codes):
        insert_link(a_link(code=code, owner=owner, created_at=NOW + timedelta(minutes=index)))
    return codes[::-1]


def pages(visitor: Visitor, query: str) -> list[list[str]]:
    """The codes of all pages."""
    found = []
    cursor: str | None = ""
    while cursor is not None:
        answer = visitor.get(f"/links?{query}" + (f"&cursor={cursor}" if cursor else ""))
        found.append([link["code"] for link in answer.body["items"]])
        cursor = answer.body["next"]
    return found


def test_a_link_is_listed_as_it_is_shown(ada: Visitor) -> None:
    given_links(1)

    answer = ada.get("/links")

    assert (200, {"items": [ada.get("/links/ada-0").body], "next": None}) == (answer.status, answer.body)


def test_pages_are_full_newest_first_and_end(ada: Visitor) -> None:
    codes = given_links(5)

    assert [codes[0:2], codes[2:4], codes[4:]] == pages(ada, "limit=2")


def test_a_last_page_that_is_full_is_known_to_be_the_last(ada: Visitor) -> None:
    codes = given_links(4)

    assert [codes[0:2], codes[2:4]] == pages(ada, "limit=2")


def test_fifty_come_at_once_unless_another_limit_is_given(ada: Visitor) -> None:
    codes = given_links(52)

    assert [50, 2] == [len(page) for page in pages(ada, "")]
    assert [codes] == pages(ada, "limit=100")


def test_everybody_sees_their_own(ada: Visitor, bob: Visitor, admin: Visitor) -> None:
    adas, bobs = given_links(2, "ada"), given_links(1, "bob")

    assert ([adas], [bobs], [[]]) == (pages(ada, ""), pages(bob, ""), pages(admin, ""))


def test_only_an_admin_may_ask_for_somebody_elses(ada: Visitor, bob: Visitor, admin: Visitor) -> None:
    adas = given_links(3)

    assert [adas[:2], adas[2:]] == pages(admin, "owner=ada&limit=2")
    assert [adas] == pages(ada, "owner=ada")
    assert HTTPStatus.FORBIDDEN == bob.get("/links?owner=ada").status


@pytest.mark.parametrize("owner", ["", "%20" * 257, "ü" * 257])
def test_an_owner_that_nobody_can_be_is_refused(admin: Visitor, owner: str) -> None:
    answer = admin.get(f"/links?owner={owner}")

    detail = "The parameter 'owner' must have 1 to 256 characters."
    assert a_problem(HTTPStatus.BAD_REQUEST, "bad-request", detail) == answer


def test_the_longest_owner_can_be_asked_for(admin: Visitor) -> None:
    assert HTTPStatus.OK == admin.get(f"/links?owner={'😀' * 256}").status


def test_deleted_links_are_left_out_and_do_not_make_a_page_short(ada: Visitor) -> None:
    given_links(3)
    for index in range(4):
        created_at = NOW + timedelta(seconds=30 + index)
        insert_link(a_link(code=f"gone-{index}", owner="ada", status=Status.DELETED, created_at=created_at))

    assert [["ada-2", "ada-1"], ["ada-0"]] == pages(ada, "limit=2")


def test_very_many_deleted_links_cost_a_page_its_length_and_nobody_their_patience(
    ada: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_MOST_QUERIES", 2)
    given_links(1)
    for index in range(5):
        insert_link(
            a_link(
                code=f"gone-{index}", owner="ada", status=Status.DELETED, created_at=NOW + timedelta(hours=1 + index)
            )
        )

    found = pages(ada, "limit=1")

    assert ["ada-0"] == [code for page in found for code in page]
    assert len(found) > 1


@pytest.mark.parametrize("limit", ["0", "101", "-1", "x", "1.5", ""])
def test_a_limit_is_from_1_to_100(ada: Visitor, limit: str) -> None:
    answer = ada.get(f"/links?limit={limit}")

    assert a_problem(HTTPStatus.BAD_REQUEST, "bad-request", FROM_1_TO_100) == answer


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "%00",
        "not-ours",
        *(
            base64.urlsafe_b64encode(text.encode()).decode()
            for text in (
                "[]",
                "{}",
                '{"created_at": "yesterday", "code": "abc"}',
                '{"created_at": "2026-05-27T10:15:30.123Z", "code": ""}',
                '{"created_at": "2026-05-27T10:15:30.123Z", "code": "abc", "owner": "bob"}',
                "[" * 5000,
            )
        ),
    ],
)
def test_a_cursor_that_is_not_ours_is_refused(ada: Visitor, cursor: str) -> None:
    answer = ada.get(f"/links?cursor={cursor}")

    assert a_problem(HTTPStatus.BAD_REQUEST, "bad-request", NOT_OURS) == answer


# Found again


def found(visitor: Visitor, query: str) -> list[str]:
    """The codes of all pages."""
    return [code for page in pages(visitor, query) for code in page]


@pytest.fixture
def many_kinds() -> None:
    """Links of ada's in every state, and one of bob's."""
    later, earlier = NOW + timedelta(hours=1), NOW - timedelta(hours=1)
    kinds: dict[str, dict[str, Any]] = {
        "plain": {"url": "https://example.com/Straße"},
        "titled": {"title": "Spring SALE", "tags": ("sale", "caf\u00e9")},
        "off": {"enabled": False, "starts_at": later, "tags": ("sale",)},
        "new": {"starts_at": later},
        "old": {"expires_at": NOW},
        "started": {"starts_at": NOW, "expires_at": later},
        "gone": {"status": Status.DELETED, "title": "sale", "tags": ("sale",), "starts_at": earlier},
    }
    for minutes, (code, given) in enumerate(kinds.items()):
        insert_link(a_link(code=code, owner="ada", created_at=NOW + timedelta(minutes=minutes), **given))
    insert_link(a_link(code="bobs", owner="bob", title="sale", tags=("sale",)))


@pytest.mark.usefixtures("many_kinds")
@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ("q=sale", ["titled"]),
        ("q=SPRING%20s", ["titled"]),
        ("q=strasse", ["plain"]),
        ("q=TITLED", ["titled"]),
        ("q=nowhere", []),
        ("tag=Sale", ["off", "titled"]),
        ("tag=Cafe%CC%81", ["titled"]),
        ("tag=spring", []),
        ("state=active", ["started", "titled", "plain"]),
        ("state=disabled", ["off"]),
        ("state=scheduled", ["new"]),
        ("state=expired", ["old"]),
        ("tag=sale&state=active&q=spring", ["titled"]),
    ],
)
def test_links_are_found_by_a_text_a_tag_and_their_state(ada: Visitor, query: str, codes: list[str]) -> None:
    assert codes == found(ada, query)
    assert codes == found(ada, f"{query}&limit=1")


@pytest.mark.usefixtures("many_kinds")
def test_an_admin_finds_the_links_of_an_owner(admin: Visitor) -> None:
    assert ["bobs"] == found(admin, "owner=bob&q=sale")


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("q=", "The parameter 'q' must have 1 to 200 characters."),
        (f"q={'a' * 201}", "The parameter 'q' must have 1 to 200 characters."),
        ("tag=", "A tag must have 1 to 50 characters, without spaces around it."),
        ("state=lost", "The parameter 'state' must be one of active, disabled, scheduled, expired."),
    ],
)
def test_what_no_link_can_be_found_by_is_refused(ada: Visitor, query: str, detail: str) -> None:
    assert a_problem(HTTPStatus.BAD_REQUEST, "bad-request", detail) == ada.get(f"/links?{query}")


def test_no_link_comes_twice_or_is_missed_while_others_are_created_and_deleted(ada: Visitor) -> None:
    codes = given_links(6)
    first = ada.get("/links?q=ada&limit=2").body
    insert_link(a_link(code="ada-newest", owner="ada", created_at=NOW + timedelta(hours=1)))
    ada.send("DELETE", f"/links/{first['items'][-1]['code']}")
    ada.send("DELETE", f"/links/{codes[2]}")

    rest = found(ada, f"q=ada&limit=2&cursor={first['next']}")

    assert (codes[:2], codes[3:]) == ([link["code"] for link in first["items"]], rest)


@pytest.mark.usefixtures("one_item_a_page")
def test_a_search_reads_two_pages_at_most_and_says_where_to_go_on(ada: Visitor, faults: Faults) -> None:
    given_links(5)
    faults.calls.clear()

    answer = ada.get("/links?q=ada-0")

    assert [] == answer.body["items"]
    assert 2 == len(faults.of("Query"))
    assert ["ada-0"] == found(ada, f"q=ada-0&cursor={answer.body['next']}")
