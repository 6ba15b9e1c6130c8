"""Each field of a link, wherever links are: whoever adds a field is told here what it is still missing from.

OTHER has a second value for every field. A field that is not in it fails each test below by its name.
"""

import io
import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import msgspec
import pytest
from msgspec.structs import asdict, replace

from chalicelib.links.link import ALSO_SHOWN, Link, Use, defaults, fields, plain_value
from chalicelib.links.passwords import hashed
from chalicelib.links.routes import ChangedLink, LinkPatch, NewLink
from chalicelib.links.status import Status
from chalicelib.links.store import insert_link, read_link, replace_link
from chalicelib.openapi import PublicLink
from ops.data.link_files import Format, read_links, write_links
from ops.repairing.restore import Outcome, put_back
from tests import infrastructure
from tests.builders import NOW, a_link
from tests.functional.visitor import Visitor

LINK = a_link()
OTHER: dict[str, Any] = {
    "code": "another",
    "url": "https://example.org/other",
    "owner": "bob",
    "version": 7,
    "status": Status.DELETED,
    "created_at": NOW.replace(year=2025),
    "updated_at": NOW.replace(month=6),
    "changed_by": "a-key",
    "title": "Spring, sale",
    "tags": ("spring", "a, b"),
    "enabled": False,
    "starts_at": NOW.replace(month=7),
    "expires_at": NOW.replace(month=8),
    "expired_url": "https://example.net/over",
    "forward_query": True,
    "max_clicks": 100,
    "password": hashed("open sesame"),
}
EVERY_FIELD, CREATE, CHANGE, COMPARE, SECRET = (
    tuple(fields(use)) for use in (None, Use.CREATE, Use.CHANGE, Use.COMPARE, Use.SECRET)
)


def other(*names: str) -> Link:
    """The link with other values in these fields."""
    return replace(LINK, **{name: OTHER[name] for name in names})


def test_a_field_is_shown_or_compared_or_both() -> None:
    assert set(EVERY_FIELD) == {*fields(Use.SHOW), *COMPARE}
    assert {*CREATE, *CHANGE} <= set(COMPARE)


def test_a_field_that_came_later_has_a_default_so_that_older_links_stay_readable() -> None:
    assert {"code", "url", "owner", "version", "status", "created_at", "updated_at"} == {*EVERY_FIELD} - {*defaults()}


@pytest.mark.parametrize("name", EVERY_FIELD)
def test_it_is_stored_with_a_new_link(name: str) -> None:
    insert_link(other(name))

    assert other(name) == read_link(other(name).code)


@pytest.mark.parametrize("name", sorted({*EVERY_FIELD} - {"code", "version", "updated_at"}))
def test_it_is_set_and_unset_when_a_link_is_replaced(name: str) -> None:
    insert_link(LINK)
    replace_link(other(name), 1)
    replaced = read_link("my-link")
    replace_link(LINK, 2)

    assert replace(other(name), version=2) == replaced
    assert replace(LINK, version=3) == read_link("my-link")


@pytest.mark.parametrize("form", Format)
@pytest.mark.parametrize("name", EVERY_FIELD)
def test_it_is_exported_and_imported(name: str, form: Format) -> None:
    file = io.StringIO(newline="")
    write_links([other(name)], file, form)
    file.seek(0)

    assert [other(name)] == [link for _, link in read_links(file, form, frozenset())]


def test_the_owner_sees_what_is_shown_and_the_description_says_so() -> None:
    shown = other(*EVERY_FIELD).public("https://go.example.com")

    assert {
        "code": "another",
        "url": "https://example.org/other",
        "owner": "bob",
        "version": 7,
        "created_at": "2025-05-27T10:15:30.123Z",
        "updated_at": "2026-06-27T10:15:30.123Z",
        "changed_by": "a-key",
        "title": "Spring, sale",
        "tags": ["spring", "a, b"],
        "enabled": False,
        "starts_at": "2026-07-27T10:15:30.123Z",
        "expires_at": "2026-08-27T10:15:30.123Z",
        "expired_url": "https://example.net/over",
        "forward_query": True,
        "max_clicks": 100,
        "has_password": True,
        "short_url": "https://go.example.com/another",
    } == shown
    assert set(shown) == set(PublicLink.__struct_fields__)
    assert msgspec.convert(shown, PublicLink)


@pytest.mark.parametrize("name", sorted({*COMPARE} - {"code"}))
def test_a_link_that_differs_in_it_is_put_back_by_restore(name: str) -> None:
    insert_link(other(name))

    assert Outcome.PUT_BACK == put_back(LINK)
    assert replace(LINK, version=2) == read_link("my-link")


@pytest.mark.parametrize("name", sorted({*CREATE} - {*SECRET}))
def test_it_may_be_given_to_post_and_an_idempotency_key_stands_for_one_value_of_it(ada: Visitor, name: str) -> None:
    once = ada.sending(Idempotency_Key="order-66")
    body = {"url": LINK.url, "code": LINK.code}

    created = ada.post("/links", {**body, "code": "third", name: plain_value(OTHER[name])})
    answers = [once.post("/links", {**body, **change}).status for change in ({}, {name: plain_value(OTHER[name])})]

    assert (HTTPStatus.CREATED, OTHER[name]) == (created.status, asdict(read_link(created.body["code"]))[name])
    assert [HTTPStatus.CREATED, HTTPStatus.UNPROCESSABLE_ENTITY] == answers
    assert set(CREATE) == set(NewLink.__struct_fields__)


@pytest.mark.parametrize("name", sorted({*CHANGE} - {*SECRET}))
def test_it_may_be_given_to_put(ada: Visitor, name: str) -> None:
    insert_link(LINK)
    body = json.dumps({"url": LINK.url, name: plain_value(OTHER[name])}).encode()

    changed = ada.send("PUT", "/links/my-link", body, {"Content-Type": "application/json"})

    assert (HTTPStatus.OK, OTHER[name]) == (changed.status, asdict(read_link("my-link"))[name])
    assert {*CHANGE, *fields(Use.SHOW), *ALSO_SHOWN} == set(ChangedLink.__struct_fields__)


@pytest.mark.parametrize("name", sorted({*CHANGE} - {*SECRET}))
def test_it_may_be_given_to_patch_which_changes_nothing_else_and_null_is_its_default(ada: Visitor, name: str) -> None:
    insert_link(LINK)
    patch = {"Content-Type": "application/merge-patch+json"}

    changed = ada.send("PATCH", "/links/my-link", json.dumps({name: plain_value(OTHER[name])}).encode(), patch)
    stored = read_link("my-link")
    unset = ada.send("PATCH", "/links/my-link", json.dumps({name: None}).encode(), patch)

    as_set_by_us = {each: getattr(stored, each) for each in ("version", "updated_at", "changed_by")}
    assert (HTTPStatus.OK, replace(other(name), **as_set_by_us)) == (changed.status, stored)
    if name == "url":
        assert HTTPStatus.BAD_REQUEST == unset.status
    else:
        assert (HTTPStatus.OK, plain_value(defaults()[name])) == (unset.status, unset.body[name])
    assert set(CHANGE) == set(LinkPatch.__struct_fields__)


@pytest.mark.parametrize("name", SECRET)
def test_what_is_secret_is_told_to_nobody_and_an_idempotency_key_stands_for_any_value_of_it(
    ada: Visitor, lines: Callable[[], list[dict[str, Any]]], name: str
) -> None:
    once = ada.sending(Idempotency_Key="order-66")
    body = {"url": LINK.url, "code": LINK.code}

    answers = [once.post("/links", {**body, name: value}) for value in ("open sesame", "sesame, open")]
    answers += [ada.get("/links/my-link"), ada.get("/links")]
    stored = asdict(read_link("my-link"))[name]

    told = [infrastructure.items("IDEMPOTENCY_TABLE"), lines(), *answers]
    assert [201, 201, 200, 200] == [answer.status for answer in answers]
    assert stored
    assert not [each for each in ("sesame", stored) if each in repr(told)]
