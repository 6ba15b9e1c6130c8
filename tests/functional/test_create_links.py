"""POST /links with an array: each link has a status of its own."""

import json
from http import HTTPStatus
from typing import Any

import pytest

from chalicelib.links import many
from chalicelib.links.store import insert_link
from tests import infrastructure
from tests.builders import a_link
from tests.faults import Faults, timed_out
from tests.functional.visitor import Answer, Visitor, a_problem

URL = "https://example.com/"


def statuses(answer: Answer) -> list[int]:
    return [item["status"] for item in answer.body["items"]]


def codes() -> set[str]:
    return {item["code"] for item in infrastructure.items("LINKS_TABLE")}


def test_each_link_has_its_answer_in_the_order_of_the_request(ada: Visitor) -> None:
    insert_link(a_link(code="taken"))

    answer = ada.post(
        "/links",
        [
            {"url": URL, "code": "one", "title": "First"},
            {"url": "javascript:alert(1)"},
            {"url": URL, "code": "taken"},
            {"colour": "red"},
            7,
            {"url": URL, "code": "two"},
            {"url": URL, "code": "one"},
        ],
    )

    assert HTTPStatus.OK == answer.status
    assert [201, 400, 409, 400, 400, 201, 409] == statuses(answer)
    assert ada.get("/links/one").body == answer.body["items"][0]["link"]
    problem = answer.body["items"][2]["problem"]
    assert ("urn:linkly:problem:code-taken", 409) == (problem["type"], problem["status"])
    assert all(("link" in item) != ("problem" in item) for item in answer.body["items"])
    assert {"taken", "one", "two"} == codes()


def test_a_hundred_are_created_at_once(ada: Visitor) -> None:
    answer = ada.post("/links", [{"url": f"{URL}{number}"} for number in range(100)])

    assert [201] * 100 == statuses(answer)
    assert [f"{URL}{number}" for number in range(100)] == [item["link"]["url"] for item in answer.body["items"]]


@pytest.mark.parametrize("number", [0, 101])
def test_none_and_more_than_a_hundred_are_refused(ada: Visitor, number: int) -> None:
    answer = ada.post("/links", [{"url": URL}] * number)

    detail = f"The body has {number} links. It may have 1 to 100."
    assert a_problem(HTTPStatus.BAD_REQUEST, "bad-request", detail) == answer
    assert set() == codes()


def test_a_link_that_is_too_long_is_refused_alone_and_a_body_that_is_as_a_whole(ada: Visitor) -> None:
    long = {"url": URL, "title": "a" * 17_000}

    assert [413, 201] == statuses(ada.post("/links", [long, {"url": URL}]))
    assert HTTPStatus.REQUEST_ENTITY_TOO_LARGE == ada.post("/links", [long] * 16).status


@pytest.mark.parametrize("body", [b"[", b"[{]"])
def test_what_is_no_json_is_refused_as_a_whole(ada: Visitor, body: bytes) -> None:
    answer = ada.send("POST", "/links", body, {"Content-Type": "application/json"})

    assert HTTPStatus.BAD_REQUEST == answer.status
    assert set() == codes()


def test_a_call_that_fails_costs_one_link(ada: Visitor, faults: Faults) -> None:
    faults.plan(timed_out(), operation="PutItem", nth=2)

    answer = ada.post("/links", [{"url": URL}] * 3)

    assert [201, 503, 201] == statuses(answer)


def test_what_time_did_not_allow_is_to_be_sent_again(ada: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many, "SECONDS_TO_ANSWER", 10**9)

    answer = ada.post("/links", [{"url": URL}] * 2)

    assert [503, 503] == statuses(answer)
    assert "There was no time left for this link. Send it again." == answer.body["items"][0]["problem"]["detail"]


def test_a_key_makes_the_same_links_every_time(ada: Visitor) -> None:
    once = ada.sending(Idempotency_Key="import-1")
    wish: list[Any] = [{"url": URL}, {"url": URL}, {"url": "javascript:"}]

    first, again = once.post("/links", wish), once.post("/links", wish)

    assert [201, 201, 400] == statuses(first)
    assert first.body == again.body
    assert 2 == len(codes())


def test_what_was_not_finished_goes_on_with_the_same_key(ada: Visitor, faults: Faults) -> None:
    once = ada.sending(Idempotency_Key="import-1")
    faults.plan(timed_out(), operation="PutItem", nth=3)  # the second link's: the first is what remembers the key

    first = once.post("/links", [{"url": URL}] * 3)
    again = once.post("/links", [{"url": URL}] * 3)

    assert ([201, 503, 201], [201, 201, 201]) == (statuses(first), statuses(again))
    assert first.body["items"][0] == again.body["items"][0]
    assert 3 == len(codes())


def test_a_key_stands_for_one_body(ada: Visitor) -> None:
    once = ada.sending(Idempotency_Key="import-1")
    once.post("/links", [{"url": URL}])

    assert [422, 422, 200] == [
        once.post("/links", [{"url": f"{URL}other"}]).status,
        once.post("/links", {"url": URL}).status,
        once.post("/links", [{"url": URL}]).status,
    ]


def test_an_array_may_have_space_before_it(ada: Visitor) -> None:
    body = b" \n" + json.dumps([{"url": URL}]).encode()

    assert HTTPStatus.OK == ada.send("POST", "/links", body, {"Content-Type": "application/json"}).status
