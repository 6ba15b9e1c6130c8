"""POST /links with an Idempotency-Key: one link, however often the request comes."""

from http import HTTPStatus

import pytest

from tests import infrastructure
from tests.faults import Fault, Faults, lost, refused, reset, throttled, timed_out
from tests.functional.visitor import Visitor, a_problem

WISH = {"url": "https://example.com/page"}
REUSED = "This Idempotency-Key was used with another body. Use a new one for a new request."
BAD_KEY = "The Idempotency-Key must have 1 to 255 printable ASCII characters."

FAULTS = [throttled(), refused("AccessDeniedException"), timed_out(), reset(), lost(timed_out())]


@pytest.fixture
def ada_once(ada: Visitor) -> Visitor:
    """Ada, who sends the same key with every request."""
    return ada.sending(Idempotency_Key="order-66")


def test_the_same_request_gets_the_first_answer_again(ada_once: Visitor) -> None:
    first, second = ada_once.post("/links", WISH), ada_once.post("/links", WISH)

    assert (201, first) == (first.status, second)
    assert 1 == len(infrastructure.items("LINKS_TABLE"))


def test_without_a_key_each_request_makes_a_link(ada: Visitor) -> None:
    codes = {ada.post("/links", WISH).body["code"] for _ in range(2)}

    assert 2 == len(codes)


def test_the_same_key_with_another_body_is_refused(ada_once: Visitor) -> None:
    ada_once.post("/links", WISH)

    for other in ({"url": "https://example.com/other"}, {**WISH, "code": "my-link"}):
        answer = ada_once.post("/links", other)
        assert a_problem(HTTPStatus.UNPROCESSABLE_ENTITY, "idempotency-key-reused", REUSED) == answer


def test_a_key_is_its_callers_own(ada_once: Visitor, bob: Visitor) -> None:
    answers = [each.post("/links", WISH) for each in (ada_once, bob.sending(Idempotency_Key="order-66"))]

    assert [("ada", 201), ("bob", 201)] == [(answer.body["owner"], answer.status) for answer in answers]


def test_a_request_that_was_refused_may_be_mended_under_the_same_key(ada_once: Visitor) -> None:
    refused_answer = ada_once.post("/links", {"url": "javascript:alert(1)"})
    mended = ada_once.post("/links", WISH)

    assert (400, 201) == (refused_answer.status, mended.status)


@pytest.mark.parametrize("key", ["", "a" * 256, "caf\u00e9", "line\x07"])
def test_a_key_must_be_printable(ada: Visitor, key: str) -> None:
    answer = ada.sending(Idempotency_Key=key).post("/links", WISH)

    assert a_problem(HTTPStatus.BAD_REQUEST, "bad-request", BAD_KEY) == answer


@pytest.mark.parametrize("code", [None, "my-link"], ids=["a random code", "a code of one's choice"])
@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_whichever_call_breaks_the_request_that_is_sent_again_finds_its_one_link(
    ada: Visitor, faults: Faults, fault: Fault, code: str | None
) -> None:
    for number in faults.each_call(fault):
        wish = {**WISH, "code": f"{code}-{number}"} if code else WISH
        once = ada.sending(Idempotency_Key=f"order-{number}")
        before = len(infrastructure.items("LINKS_TABLE"))

        once.post("/links", wish)
        faults.repair()
        forget_what_is_in_progress()
        again = once.post("/links", wish)

        assert HTTPStatus.CREATED == again.status
        assert before + 1 == len(infrastructure.items("LINKS_TABLE"))

    assert {"GetItem", "PutItem", "UpdateItem"} <= {call.operation for call in faults.broken}


def forget_what_is_in_progress() -> None:
    """As if the time that a request may take had passed."""
    for item in infrastructure.items("IDEMPOTENCY_TABLE"):
        if item["status"] == "INPROGRESS":
            infrastructure.dynamodb().delete_item(
                TableName=infrastructure.environment()["IDEMPOTENCY_TABLE"], Key={"id": {"S": item["id"]}}
            )
