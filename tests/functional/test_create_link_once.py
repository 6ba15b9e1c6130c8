"""POST /links with an Idempotency-Key: one link, however often the request comes."""

from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus

import pytest

from chalicelib.links.store import insert_link, read_link
from ops.repairing.restore import put_back
from tests import infrastructure
from tests.builders import StoppedClock, a_link
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


@pytest.fixture
def forgotten() -> Callable[[], None]:
    """Call it to have 24 hours pass: what was answered is forgotten."""

    def forget() -> None:
        table = infrastructure.environment()["IDEMPOTENCY_TABLE"]
        for item in infrastructure.items("IDEMPOTENCY_TABLE"):
            infrastructure.dynamodb().delete_item(TableName=table, Key={"id": {"S": item["id"]}})

    return forget


@pytest.mark.parametrize("code", [{}, {"code": "my-link"}], ids=["a random code", "a code of one's choice"])
def test_after_a_day_the_same_request_finds_its_link_as_it_is_by_then(
    ada_once: Visitor, forgotten: Callable[[], None], clock: StoppedClock, code: dict[str, str]
) -> None:
    first = ada_once.post("/links", WISH | code).body
    clock.time += timedelta(days=2)
    forgotten()
    unchanged = ada_once.post("/links", WISH | code)
    changed = ada_once.send(
        "PUT", f"/links/{first['code']}", b'{"url": "https://example.com/new"}', {"Content-Type": "application/json"}
    )
    forgotten()
    again = ada_once.post("/links", WISH | code)

    assert (201, first) == (unchanged.status, unchanged.body)
    assert (201, changed.body) == (again.status, again.body)
    assert ('"2"', 2) == (again.headers["ETag"], again.body["version"])
    assert 1 == len(infrastructure.items("LINKS_TABLE"))


@pytest.mark.parametrize("code", [{}, {"code": "my-link"}], ids=["a random code", "a code of one's choice"])
def test_after_a_day_another_request_under_the_same_key_does_not_get_its_link(
    ada_once: Visitor, forgotten: Callable[[], None], code: dict[str, str]
) -> None:
    first = ada_once.post("/links", WISH | code)
    forgotten()

    answer = ada_once.post("/links", {"url": "https://example.com/other"} | code)

    assert a_problem(HTTPStatus.UNPROCESSABLE_ENTITY, "idempotency-key-reused", REUSED) == answer
    assert first.body == ada_once.get(f"/links/{first.body['code']}").body


def test_after_a_day_a_link_that_was_deleted_is_not_made_again(
    ada_once: Visitor, forgotten: Callable[[], None]
) -> None:
    code = ada_once.post("/links", WISH).body["code"]
    ada_once.send("DELETE", f"/links/{code}")
    forgotten()

    answer = ada_once.post("/links", WISH)

    assert a_problem(HTTPStatus.GONE, "link-deleted", f"The link '{code}' has been deleted by its owner.") == answer
    assert 1 == len(infrastructure.items("LINKS_TABLE"))


def test_a_link_that_was_restored_still_knows_the_request_that_made_it(
    ada_once: Visitor, forgotten: Callable[[], None]
) -> None:
    code = ada_once.post("/links", WISH).body["code"]
    before = read_link(code)
    ada_once.send("DELETE", f"/links/{code}")
    put_back(before)
    forgotten()

    answer = ada_once.post("/links", WISH)

    assert (201, code, 3) == (answer.status, answer.body["code"], answer.body["version"])
    assert 1 == len(infrastructure.items("LINKS_TABLE"))


def test_a_link_of_before_there_were_such_ids_is_another_requests(ada_once: Visitor) -> None:
    insert_link(a_link(code="my-link", owner="ada"))
    infrastructure.dynamodb().update_item(
        TableName=infrastructure.environment()["LINKS_TABLE"],
        Key={"code": {"S": "my-link"}},
        UpdateExpression="REMOVE request_id, payload_hash",
    )

    assert HTTPStatus.CONFLICT == ada_once.post("/links", WISH | {"code": "my-link"}).status


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
