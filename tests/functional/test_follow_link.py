"""GET and HEAD /{code}: what a visitor gets, and what is sent to the queue."""

import json
import sys
import uuid
from collections.abc import Callable
from http import HTTPStatus
from types import FrameType, SimpleNamespace
from typing import Any

import pytest

from app import app
from bench.events import follow as follow_event
from chalicelib import aws, browsers
from chalicelib.links.status import Status
from chalicelib.links.store import insert_link
from chalicelib.redirects import follow
from chalicelib.redirects.cache import Redirect, put_redirect
from tests import infrastructure
from tests.builders import LambdaContext, a_link, a_request
from tests.faults import Fault, Faults, lost, lost_once, refused, reset, throttled, timed_out, unavailable
from tests.functional.visitor import Answer, Visitor, a_problem

TO_THE_TARGET = Answer(302, {"Location": "https://example.com/", "Cache-Control": "private, no-store"}, "")
GONE = a_problem(HTTPStatus.GONE, "link-deleted", "The link 'my-link' has been deleted by its owner.")


@pytest.fixture(autouse=True)
def a_link_to_follow() -> None:
    insert_link(a_link(code="my-link", url="https://example.com/"))


def messages() -> list[dict[str, Any]]:
    """The click messages that wait in the queue, which is emptied."""
    return [json.loads(record["body"]) for record in infrastructure.receive()]


def test_a_visitor_is_redirected(anyone: Visitor) -> None:
    assert TO_THE_TARGET == anyone.get("/my-link")


def test_a_visitors_click_waits_in_the_queue(anyone: Visitor) -> None:
    browser = anyone.sending(
        Referer="https://news.example/today", User_Agent="Browser/1.0", CloudFront_Viewer_Country="DE", Cookie="a=b"
    )

    browser.get("/my-link")

    (message,) = messages()
    assert {
        "v": 1,
        "id": str(uuid.UUID(message["id"], version=4)),
        "code": "my-link",
        "occurred_at": "2026-05-27T10:15:30.123000Z",
        "referrer": "https://news.example/today",
        "user_agent": "Browser/1.0",
        "country": "DE",
    } == message


def test_a_visitor_who_says_nothing_is_a_click_too(anyone: Visitor) -> None:
    anyone.get("/my-link")

    (message,) = messages()
    assert {
        "v": 1,
        "id": message["id"],
        "code": "my-link",
        "occurred_at": "2026-05-27T10:15:30.123000Z",
        "referrer": None,
        "user_agent": None,
        "country": None,
    } == message


def test_every_visit_is_a_click_of_its_own(anyone: Visitor) -> None:
    for _ in range(3):
        anyone.get("/my-link")

    assert 3 == len({message["id"] for message in messages()})


def test_head_redirects_and_is_not_counted(anyone: Visitor) -> None:
    answer = anyone.head("/my-link")

    assert TO_THE_TARGET == answer
    assert [] == messages()


@pytest.mark.parametrize("path", ["/my%2Dlink", "/%6d%79-link", "/my-link/", "/my-link?utm_source=mail"])
def test_a_link_is_found_however_its_path_is_spelled(anyone: Visitor, path: str) -> None:
    answer = anyone.get(path)

    (message,) = messages()
    assert TO_THE_TARGET == answer
    assert "my-link" == message["code"]


@pytest.mark.parametrize("content_type", ["text/html", "application/x-www-form-urlencoded", "nonsense", ""])
def test_a_visitor_may_claim_to_send_anything(anyone: Visitor, content_type: str) -> None:
    assert TO_THE_TARGET == anyone.sending(Content_Type=content_type, Accept="image/*").get("/my-link")


def test_a_visitor_without_any_header_is_redirected() -> None:
    request = a_request("GET", "/{code}", path="/my-link", pathParameters={"code": "my-link"}, headers=None)

    answer = app(request, LambdaContext())

    assert {
        "statusCode": 302,
        "headers": {"Location": "https://example.com/", "Cache-Control": "private, no-store", **browsers.ALWAYS},
        "multiValueHeaders": {},
        "body": "",
    } == answer


def test_an_international_target_is_sent_as_ascii(ada: Visitor, anyone: Visitor) -> None:
    ada.post("/links", {"url": "https://bücher.example/straße?ü", "code": "books"})

    answer = anyone.get("/books")

    assert "https://xn--bcher-kva.example/stra%C3%9Fe?%C3%BC" == answer.headers["Location"]


@pytest.mark.parametrize("path", ["/My-Link", "/my-link%0A", "/no", "/favicon.ico", "/%F0%9F%92%A9%F0%9F%92%A9"])
def test_a_code_without_a_link_is_not_found_and_not_counted(anyone: Visitor, path: str) -> None:
    answer = anyone.get(path)

    assert (404, "urn:linkly:problem:link-not-found") == (answer.status, answer.body["type"])
    assert [] == messages()


@pytest.mark.parametrize("path", ["/no", "/favicon.ico", "/my-link%0A", f"/{'a' * 65}"])
def test_nobody_is_asked_for_what_cannot_be_a_code(anyone: Visitor, faults: Faults, path: str) -> None:
    answer = anyone.get(path)

    assert 404 == answer.status
    assert [] == faults.calls


def test_a_deleted_link_is_gone_and_not_counted(anyone: Visitor) -> None:
    insert_link(a_link(code="old-link", status=Status.DELETED))

    answer = anyone.get("/old-link")

    assert a_problem(HTTPStatus.GONE, "link-deleted", "The link 'old-link' has been deleted by its owner.") == answer
    assert [] == messages()


def test_a_link_whose_deletion_is_in_the_cache_is_gone(anyone: Visitor) -> None:
    put_redirect(Redirect("my-link", "https://example.com/", Status.DELETED, version=2))

    assert GONE == anyone.get("/my-link")


NO_QUEUE = [
    timed_out(),
    reset(),
    throttled(),
    unavailable(),
    refused("AccessDenied", status=403),
    refused("AWS.SimpleQueueService.NonExistentQueue"),
]


@pytest.mark.parametrize("fault", NO_QUEUE, ids=str)
def test_without_its_queue_a_click_is_one_line_of_the_log(
    anyone: Visitor, faults: Faults, logs: Callable[[], list[dict[str, Any]]], fault: Fault
) -> None:
    faults.plan(fault, operation="SendMessage")

    answer = anyone.sending(User_Agent='"Browser"\n').get("/my-link")

    (line,) = logs()
    message = json.loads(line["unqueued_click"])
    assert TO_THE_TARGET == answer
    assert [] == messages()
    assert ("ERROR", "click not queued", "linkly") == (line["level"], line["message"], line["service"])
    assert {
        "v": 1,
        "id": str(uuid.UUID(message["id"], version=4)),
        "code": "my-link",
        "occurred_at": "2026-05-27T10:15:30.123000Z",
        "referrer": None,
        "user_agent": '"Browser"\ufffd',
        "country": None,
    } == message


def test_a_click_whose_answer_is_lost_has_the_same_id_in_queue_and_log(
    anyone: Visitor, faults: Faults, logs: Callable[[], list[dict[str, Any]]]
) -> None:
    faults.plan(lost(timed_out()), operation="SendMessage")

    answer = anyone.get("/my-link")

    (line,) = logs()
    assert TO_THE_TARGET == answer
    assert [json.loads(line["unqueued_click"])] == messages()


def test_a_click_that_botocore_sends_twice_has_the_same_id_twice(anyone: Visitor, faults: Faults) -> None:
    faults.plan(lost_once(), operation="SendMessage")

    answer = anyone.get("/my-link")

    first, second = messages()
    assert TO_THE_TARGET == answer
    assert first == second


def test_a_redirect_costs_one_call_from_memory_two_from_the_cache_and_four_the_first_time(
    anyone: Visitor, faults: Faults
) -> None:
    anyone.get("/my-link")
    assert ["GetItem", "GetItem", "PutItem", "SendMessage"] == faults.operations

    faults.calls.clear()
    anyone.get("/my-link")
    assert ["SendMessage"] == faults.operations

    faults.calls.clear()
    follow.forget()
    anyone.get("/my-link")
    assert ["GetItem", "SendMessage"] == faults.operations


def test_but_for_sqs_a_redirect_from_memory_calls_no_more_functions_than_it_did(
    anyone: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of Chalice, Powertools and our own: a busy machine makes them no more, as it does with milliseconds."""
    anyone.get("/my-link")
    monkeypatch.setattr(aws, "sqs", lambda *_: SimpleNamespace(send_message=lambda **_: None))
    called: list[str] = []

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            called.append(frame.f_code.co_qualname)

    sys.setprofile(note)
    try:
        answer = app(follow_event("my-link"), LambdaContext())
    finally:
        sys.setprofile(None)

    assert 302 == answer["statusCode"]
    # 269 with Python 3.11; what makes them many more must be worth it.
    assert len(called) < 290, called
