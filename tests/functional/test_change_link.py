"""PUT and DELETE /links/{code}: who may, from which version, and what a lost answer leads to."""

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import pytest

from chalicelib.links.status import Status
from chalicelib.links.store import insert_link, read_link
from tests import infrastructure
from tests.builders import a_link
from tests.faults import Fault, Faults, lost, lost_once, refused, reset, throttled, timed_out
from tests.functional.visitor import NO_STORE, Answer, Visitor, a_problem

NEW = {"url": "https://example.org/new"}

NOT_THERE = "There is no link {!r}. Check the spelling: codes are case-sensitive."
STALE = "The link has another version than If-Match says. Read it again, and decide anew."
SOMEBODY_ELSES = "This link belongs to somebody else. Use the key of its owner, or an admin's."
GONE = "The link 'my-link' has been deleted by its owner."
NO_VERSION = "If-Match must be the ETag of the link as you read it, such as \"3\", or '*'."


@pytest.fixture(autouse=True)
def adas_link() -> None:
    insert_link(a_link(code="my-link", owner="ada", url="https://example.com/"))


def put(visitor: Visitor, body: Any = NEW, code: str = "my-link") -> Answer:
    return visitor.send("PUT", f"/links/{code}", json.dumps(body).encode(), {"Content-Type": "application/json"})


def delete(visitor: Visitor, code: str = "my-link") -> Answer:
    return visitor.send("DELETE", f"/links/{code}")


def test_a_link_gets_another_target_and_a_higher_version(ada: Visitor) -> None:
    answer = put(ada)

    link = a_link(url="https://example.org/new", version=2, changed_by=ada.key_id).public("https://go.example.com")
    assert Answer(200, {"ETag": '"2"', **NO_STORE}, link) == answer
    assert link == ada.get("/links/my-link").body


def test_who_changed_a_link_last_is_kept_with_it_and_logged(
    ada: Visitor, admin: Visitor, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    created = ada.post("/links", {"url": "https://example.com/", "code": "another"})
    changed = put(admin, code="another")
    shown = ada.get("/links/another")
    delete(ada, code="another")

    assert [ada.key_id, admin.key_id, admin.key_id] == [each.body["changed_by"] for each in (created, changed, shown)]
    assert ada.key_id == read_link("another").changed_by
    assert [
        ("link created", "another", 1, ada.key_id),
        ("link changed", "another", 2, admin.key_id),
        ("link deleted", "another", 3, ada.key_id),
    ] == [(line["message"], line["code"], line["version"], line["changed_by"]) for line in lines()]


def test_a_deleted_link_is_gone_for_its_owner_and_its_code_is_taken_for_ever(ada: Visitor, bob: Visitor) -> None:
    answer = delete(ada)

    assert Answer(204, NO_STORE, "") == answer
    assert a_problem(HTTPStatus.GONE, "link-deleted", GONE) == ada.get("/links/my-link")
    assert a_problem(HTTPStatus.GONE, "link-deleted", GONE) == ada.get("/stats/my-link")
    assert a_problem(HTTPStatus.GONE, "link-deleted", GONE) == put(ada)
    assert a_problem(HTTPStatus.NOT_FOUND, "link-not-found", NOT_THERE.format("my-link")) == delete(ada)
    assert HTTPStatus.CONFLICT == bob.post("/links", {**NEW, "code": "my-link"}).status


@pytest.mark.parametrize("change", [put, delete])
def test_an_admin_may_change_anybodys_link(admin: Visitor, change: Any) -> None:
    assert change(admin).status in {200, 204}


@pytest.mark.parametrize("change", [put, delete])
def test_somebody_else_may_not_and_changes_nothing(bob: Visitor, change: Any) -> None:
    answer = change(bob)

    assert a_problem(HTTPStatus.FORBIDDEN, "not-your-link", SOMEBODY_ELSES) == answer
    assert a_link(code="my-link", owner="ada") == read_link("my-link")


@pytest.mark.parametrize("change", [put, delete])
@pytest.mark.parametrize("code", ["nowhere", "no.code"])
def test_what_is_not_there_cannot_be_changed(ada: Visitor, change: Any, code: str) -> None:
    answer = change(ada, code=code)

    assert a_problem(HTTPStatus.NOT_FOUND, "link-not-found", NOT_THERE.format(code)) == answer


@pytest.mark.parametrize("change", [put, delete])
def test_nobody_asks_the_table_for_what_cannot_be_a_code(ada: Visitor, faults: Faults, change: Any) -> None:
    faults.calls.clear()

    change(ada, code="no.code")

    assert infrastructure.environment()["LINKS_TABLE"] not in {call.table for call in faults.calls}


@pytest.mark.parametrize("change", [put, delete])
def test_if_match_lets_the_version_pass_that_was_read_and_no_other(ada: Visitor, change: Any) -> None:
    put(ada)

    stale, fresh = change(ada.sending(If_Match='"1"')), change(ada.sending(If_Match='"2"'))

    assert a_problem(HTTPStatus.PRECONDITION_FAILED, "stale-version", STALE) == stale
    assert fresh.status in {200, 204}


def test_if_match_is_asked_in_the_write_and_not_by_reading_first(ada: Visitor, faults: Faults) -> None:
    faults.calls.clear()

    put(ada.sending(If_Match='"1"'))

    # The first is for the key, the second for the list of blocked domains.
    assert ["GetItem", "BatchGetItem", "UpdateItem"] == faults.operations
    assert infrastructure.environment()["API_KEYS_TABLE"] == faults.calls[0].table


@pytest.mark.parametrize("etag", ["1", '"0"', '"x"', 'W/"1"', '"1", "2"', '""', ""])
@pytest.mark.parametrize("change", [put, delete])
def test_if_match_must_be_a_version(ada: Visitor, change: Any, etag: str) -> None:
    answer = change(ada.sending(If_Match=etag))

    assert a_problem(HTTPStatus.BAD_REQUEST, "bad-request", NO_VERSION) == answer


def test_any_version_matches_a_star(ada: Visitor) -> None:
    assert HTTPStatus.OK == put(ada.sending(If_Match="*")).status


@pytest.mark.parametrize(
    "body", [{}, {"url": 7}, {"url": "javascript:alert(1)"}, {**NEW, "colour": "red"}, {**NEW, "enabled": None}, []]
)
def test_a_bad_body_changes_nothing(ada: Visitor, body: Any) -> None:
    answer = put(ada, body)

    assert (400, "application/problem+json") == (answer.status, answer.headers["Content-Type"])
    assert a_link(code="my-link", owner="ada") == read_link("my-link")


@pytest.mark.parametrize("fault", [throttled(), refused("AccessDeniedException"), timed_out(), reset()], ids=str)
def test_a_database_that_fails_makes_the_service_unavailable(ada: Visitor, faults: Faults, fault: Fault) -> None:
    faults.plan(fault, operation="UpdateItem")

    assert HTTPStatus.SERVICE_UNAVAILABLE == put(ada).status


def test_a_change_whose_answer_was_lost_once_is_made_once_and_reported(ada: Visitor, faults: Faults) -> None:
    faults.plan(lost_once(), operation="UpdateItem", nth=1)

    answer = put(ada.sending(If_Match='"1"'))

    assert (200, 2) == (answer.status, answer.body["version"])
    assert 2 == read_link("my-link").version


def test_a_change_whose_answer_was_lost_for_good_is_there_when_the_caller_looks(ada: Visitor, faults: Faults) -> None:
    faults.plan(lost(timed_out()), operation="UpdateItem", nth=1)

    answer = put(ada)

    assert HTTPStatus.SERVICE_UNAVAILABLE == answer.status
    assert (2, Status.ACTIVE) == (read_link("my-link").version, read_link("my-link").status)
