"""A code becomes a target: by memory, by the cache, by the link."""

import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import pytest

from chalicelib.links.status import Status
from chalicelib.links.store import insert_link
from chalicelib.problems import LinkNotFound
from chalicelib.redirects import follow
from chalicelib.redirects.cache import Redirect, find_redirect, put_redirect
from tests import infrastructure
from tests.builders import a_link
from tests.faults import Fault, Faults, lost, refused, reset, throttled, timed_out, unavailable
from tests.functional.visitor import Visitor, a_problem

ENVIRONMENT = infrastructure.environment()
LINKS, REDIRECTS = ENVIRONMENT["LINKS_TABLE"], ENVIRONMENT["REDIRECTS_TABLE"]

FAULTS = [throttled(), unavailable(), refused("AccessDeniedException"), timed_out(), reset(), lost(timed_out())]


def a_redirect(url: str = "https://example.com/", status: Status = Status.ACTIVE, version: int = 1) -> Redirect:
    return Redirect("my-link", url, status, version)


def made(faults: Faults) -> list[tuple[str, str | None]]:
    """Which calls were made on which tables, since it was last asked."""
    calls = [(call.operation, call.table) for call in faults.calls]
    faults.calls.clear()
    return calls


def test_the_first_visitor_fills_the_cache_the_second_asks_nobody_and_a_new_process_asks_the_cache(
    faults: Faults,
) -> None:
    insert_link(a_link(code="my-link"))
    made(faults)

    follow.find("my-link")
    first = made(faults)
    follow.find("my-link")
    second = made(faults)
    follow.forget()
    follow.find("my-link")
    third = made(faults)

    assert [("GetItem", REDIRECTS), ("GetItem", LINKS), ("PutItem", REDIRECTS)] == first
    assert [] == second
    assert [("GetItem", REDIRECTS)] == third


def test_memory_lasts_for_five_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    put_redirect(a_redirect(url="https://example.com/old"))
    follow.find("my-link")
    put_redirect(a_redirect(url="https://example.com/new", version=2))
    before = follow.find("my-link")[0].url

    later = time.monotonic() + follow.MEMORY_SECONDS
    monkeypatch.setattr(follow, "monotonic", lambda: later)

    assert "https://example.com/old" == before
    assert "https://example.com/new" == follow.find("my-link")[0].url


def test_a_link_that_does_not_exist_yet_is_not_remembered() -> None:
    with pytest.raises(LinkNotFound):
        follow.find("my-link")

    insert_link(a_link(code="my-link", url="https://example.com/"))

    assert "https://example.com/" == follow.find("my-link")[0].url


def test_the_cache_is_filled_with_the_link_as_it_is() -> None:
    insert_link(a_link(code="my-link", url="https://example.com/page", version=3))

    follow.find("my-link")

    assert [
        {"code": "my-link", "url": "https://example.com/page", "status": "active", "version": 3, "layout": 3}
    ] == infrastructure.items("REDIRECTS_TABLE")


def test_a_cached_link_is_followed_while_the_links_cannot_be_read(faults: Faults) -> None:
    put_redirect(a_redirect(url="https://example.com/cached"))
    faults.plan(timed_out(), table=LINKS)

    assert "https://example.com/cached" == follow.find("my-link")[0].url


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_broken_cache_costs_the_visitor_nothing_but_time(
    faults: Faults, logs: Callable[[], list[dict[str, Any]]], fault: Fault
) -> None:
    insert_link(a_link(code="my-link", url="https://example.com/"))
    faults.plan(fault, table=REDIRECTS)

    target = follow.find("my-link")[0].url

    assert "https://example.com/" == target
    assert ["redirect cache not read", "redirect cache not filled"] == [line["message"] for line in logs()]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_without_cache_and_links_the_visitor_is_asked_to_come_back(
    visitor: Visitor, faults: Faults, fault: Fault
) -> None:
    faults.plan(fault, operation="GetItem")

    answer = visitor.get("/my-link")

    detail = "The database cannot be reached just now. Try again in a moment."
    assert a_problem(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", detail, Retry_After="1") == answer


@pytest.mark.parametrize(("cached", "offered", "kept"), [(1, 2, 2), (2, 1, 2), (2, 2, 2), (9, 10, 10), (10, 9, 10)])
def test_the_cache_keeps_the_newest_version(cached: int, offered: int, kept: int) -> None:
    put_redirect(a_redirect(url="https://example.com/cached", version=cached))

    written = put_redirect(a_redirect(url="https://example.com/offered", version=offered))

    url = "https://example.com/offered" if offered > cached else "https://example.com/cached"
    assert (offered > cached) is written
    assert a_redirect(url=url, version=kept) == find_redirect("my-link")


def test_a_visitor_who_read_an_old_link_does_not_bring_it_back(faults: Faults) -> None:
    insert_link(a_link(code="my-link", url="https://example.com/old", version=1))
    put_redirect(a_redirect(url="https://example.com/new", version=2))
    faults.plan(timed_out(), operation="GetItem", table=REDIRECTS)

    follow.find("my-link")

    assert [
        {"code": "my-link", "url": "https://example.com/new", "status": "active", "version": 2, "layout": 3}
    ] == infrastructure.items("REDIRECTS_TABLE")


def test_a_deletion_in_the_cache_is_not_undone_by_an_older_link() -> None:
    put_redirect(a_redirect(status=Status.DELETED, version=2))

    put_redirect(a_redirect(status=Status.ACTIVE, version=1))

    assert a_redirect(status=Status.DELETED, version=2) == find_redirect("my-link")


def test_the_cache_has_nothing_of_a_code_that_nobody_followed() -> None:
    assert find_redirect("my-link") is None
