"""GET and HEAD /{code}: what a visitor gets, and what is sent to the queue."""

import json
import sys
import uuid
from collections.abc import Callable
from http import HTTPStatus
from types import FrameType
from typing import Any

import pytest

from app import app
from bench.events import follow as follow_event
from chalicelib import browsers, signed_calls
from chalicelib.links.status import Status
from chalicelib.links.store import insert_link
from chalicelib.redirects import entry, follow
from chalicelib.redirects.cache import Redirect, put_redirect
from tests import infrastructure
from tests.builders import LambdaContext, a_link, a_request, a_url_request
from tests.faults import Fault, Faults, lost, lost_once, refused, reset, throttled, timed_out, unavailable
from tests.functional.visitor import Answer, Visitor, a_problem, sent_by_botocore

TO_THE_TARGET = Answer(302, {"Location": "https://example.com/", "Cache-Control": "private, no-store"}, "")
SEND = signed_calls.send

MOST_CALLS = 75
"""68 with Python 3.11; what makes them many more must be worth it."""

GONE = a_problem(HTTPStatus.GONE, "link-deleted", "The link 'my-link' has been deleted by its owner.")


@pytest.fixture(autouse=True)
def a_link_to_follow() -> None:
    insert_link(a_link(code="my-link", url="https://example.com/"))


def messages() -> list[dict[str, Any]]:
    """The click messages that wait in the queue, which is emptied."""
    return [json.loads(record["body"]) for record in infrastructure.receive()]


def test_a_visitor_is_redirected(visitor: Visitor) -> None:
    assert TO_THE_TARGET == visitor.get("/my-link")


def test_a_visitors_click_waits_in_the_queue(visitor: Visitor) -> None:
    browser = visitor.sending(
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


def test_a_short_links_tags_wait_with_its_click(visitor: Visitor) -> None:
    visitor.get("/my-link?utm_source=a&utm_source=News%20letter&utm_medium=&utm_campaign=fr%C3%BChling&q=ada")

    (message,) = messages()
    assert {"utm_source": "News letter", "utm_campaign": "frühling"} == {
        name: value for name, value in message.items() if name.startswith(("utm", "q"))
    }


@pytest.mark.parametrize("asks", ["Sec_GPC", "DNT"])
def test_of_who_asks_not_to_be_followed_nothing_waits_but_the_click(visitor: Visitor, asks: str) -> None:
    browser = visitor.sending(
        Referer="https://news.example/", User_Agent="Browser/1.0", CloudFront_Viewer_Country="DE", **{asks: "1"}
    )

    browser.get("/my-link?utm_source=newsletter")

    (message,) = messages()
    told = {name: value for name, value in message.items() if name not in {"v", "id", "code", "occurred_at"}}
    assert {"referrer": None, "user_agent": None, "country": None} == told


def test_who_comes_from_a_page_of_the_short_links_own_host_comes_from_nowhere(visitor: Visitor) -> None:
    """CloudFront does not say which host was asked for, so the setting does."""
    visitor.sending(Host="go.example.com", Referer="https://go.example.com/").get("/my-link")

    (message,) = messages()
    assert message["referrer"] is None


def test_a_visitor_who_says_nothing_is_a_click_too(visitor: Visitor) -> None:
    visitor.get("/my-link")

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


def test_every_visit_is_a_click_of_its_own(visitor: Visitor) -> None:
    for _ in range(3):
        visitor.get("/my-link")

    assert 3 == len({message["id"] for message in messages()})


def test_head_redirects_and_is_not_counted(visitor: Visitor) -> None:
    answer = visitor.head("/my-link")

    assert TO_THE_TARGET == answer
    assert [] == messages()


@pytest.mark.parametrize("path", ["/my%2Dlink", "/%6d%79-link", "/my-link/", "/my-link?utm_source=mail"])
def test_a_link_is_found_however_its_path_is_spelled(visitor: Visitor, path: str) -> None:
    answer = visitor.get(path)

    (message,) = messages()
    assert TO_THE_TARGET == answer
    assert "my-link" == message["code"]


@pytest.mark.parametrize("content_type", ["text/html", "application/x-www-form-urlencoded", "nonsense", ""])
def test_a_visitor_may_claim_to_send_anything(visitor: Visitor, content_type: str) -> None:
    assert TO_THE_TARGET == visitor.sending(Content_Type=content_type, Accept="image/*").get("/my-link")


@pytest.mark.parametrize("answer_to", [app, entry.handler], ids=["the app", "the function"])
def test_a_visitor_without_any_header_is_redirected(
    answer_to: Callable[[Any, Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signed_calls, "send", sent_by_botocore)
    request = a_request("GET", "/{code}", path="/my-link", pathParameters={"code": "my-link"}, headers=None)

    answer = answer_to(request, LambdaContext())

    answer.pop("multiValueHeaders", None)
    assert {
        "statusCode": 302,
        "headers": {"Location": "https://example.com/", "Cache-Control": "private, no-store", **browsers.ALWAYS},
        "body": "",
    } == answer


@pytest.mark.parametrize("answer_to", [app, entry.handler], ids=["the app", "the function"])
@pytest.mark.parametrize(
    "event",
    [
        {},
        {"requestContext": {}},
        {"requestContext": {"httpMethod": "GET"}},
        {"version": "2.0", "requestContext": {"http": {"method": "GET"}}},
    ],
    ids=str,
)
def test_what_is_no_request_of_api_gateways_is_answered_and_logged(
    answer_to: Callable[[Any, Any], Any], event: Any
) -> None:
    answer = answer_to(event, LambdaContext())

    assert 500 == answer["statusCode"]


def test_an_international_target_is_sent_as_ascii(ada: Visitor, visitor: Visitor) -> None:
    ada.post("/links", {"url": "https://bücher.example/straße?ü", "code": "books"})

    answer = visitor.get("/books")

    assert "https://xn--bcher-kva.example/stra%C3%9Fe?%C3%BC" == answer.headers["Location"]


@pytest.mark.parametrize("path", ["/My-Link", "/my-link%0A", "/no", "/favicon.ico", "/%F0%9F%92%A9%F0%9F%92%A9"])
def test_a_code_without_a_link_is_not_found_and_not_counted(visitor: Visitor, path: str) -> None:
    answer = visitor.get(path)

    assert (404, "urn:linkly:problem:link-not-found") == (answer.status, answer.body["type"])
    assert [] == messages()


@pytest.mark.parametrize("path", ["/no", "/favicon.ico", "/my-link%0A", f"/{'a' * 65}"])
def test_nobody_is_asked_for_what_cannot_be_a_code(visitor: Visitor, faults: Faults, path: str) -> None:
    answer = visitor.get(path)

    assert 404 == answer.status
    assert [] == faults.calls


def test_a_deleted_link_is_gone_and_not_counted(visitor: Visitor) -> None:
    insert_link(a_link(code="old-link", status=Status.DELETED))

    answer = visitor.get("/old-link")

    assert a_problem(HTTPStatus.GONE, "link-deleted", "The link 'old-link' has been deleted by its owner.") == answer
    assert [] == messages()


def test_a_link_whose_deletion_is_in_the_cache_is_gone(visitor: Visitor) -> None:
    put_redirect(Redirect("my-link", "https://example.com/", Status.DELETED, version=2))

    assert GONE == visitor.get("/my-link")


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
    visitor: Visitor, faults: Faults, logs: Callable[[], list[dict[str, Any]]], fault: Fault
) -> None:
    faults.plan(fault, operation="SendMessage")

    answer = visitor.sending(User_Agent='"Browser"\n').get("/my-link")

    [line] = [line for line in logs() if "unqueued_click" in line]
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
    visitor: Visitor, faults: Faults, logs: Callable[[], list[dict[str, Any]]]
) -> None:
    faults.plan(lost(timed_out()), operation="SendMessage")

    answer = visitor.get("/my-link")

    [line] = [line for line in logs() if "unqueued_click" in line]
    assert TO_THE_TARGET == answer
    # The function's second try is the SDK's.
    assert {line["unqueued_click"]} == {record["body"] for record in infrastructure.receive()}


def test_a_click_that_is_sent_twice_has_the_same_id_twice(visitor: Visitor, faults: Faults) -> None:
    faults.plan(lost_once(), operation="SendMessage")

    answer = visitor.get("/my-link")

    first, second = messages()
    assert TO_THE_TARGET == answer
    assert first == second


def test_a_redirect_costs_one_call_from_memory_two_from_the_cache_and_four_the_first_time(
    visitor: Visitor, faults: Faults
) -> None:
    visitor.get("/my-link")
    assert ["GetItem", "GetItem", "PutItem", "SendMessage"] == faults.operations

    faults.calls.clear()
    visitor.get("/my-link")
    assert ["SendMessage"] == faults.operations

    faults.calls.clear()
    follow.forget()
    visitor.get("/my-link")
    assert ["GetItem", "SendMessage"] == faults.operations


@pytest.mark.parametrize(
    "event",
    [follow_event("my-link"), a_url_request("GET", "/my-link", {"User-Agent": "Browser/1.0"})],
    ids=["API Gateway's", "the URL's"],
)
def test_but_for_sqs_a_redirect_from_memory_calls_no_more_functions_than_it_did(
    monkeypatch: pytest.MonkeyPatch, event: Any
) -> None:
    """A busy machine makes them no more, as it does with milliseconds. With what signs a call, and Python's own."""
    monkeypatch.setattr(signed_calls, "send", sent_by_botocore)
    entry.handler(event, LambdaContext())
    monkeypatch.setattr(signed_calls, "send", SEND)
    monkeypatch.setattr(signed_calls, "_exchange", lambda *_: (200, b"{}"))
    entry.handler(event, LambdaContext())
    called: list[str] = []

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            called.append(frame.f_code.co_qualname)

    sys.setprofile(note)
    try:
        answer = entry.handler(event, LambdaContext())
    finally:
        sys.setprofile(None)
        signed_calls.disconnect()

    assert 302 == answer["statusCode"]
    assert len(called) < MOST_CALLS, (len(called), called)
