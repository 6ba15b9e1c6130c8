"""Whatever goes wrong leaves as problem details."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import pytest

from chalicelib.links.store import insert_link
from tests.builders import a_link
from tests.faults import Fault, Faults, lost, refused, reset, throttled, timed_out, unavailable
from tests.functional.visitor import Answer, Visitor, a_problem

OUR_FAULT = a_problem(
    HTTPStatus.INTERNAL_SERVER_ERROR,
    "internal-error",
    "Something went wrong on our side. Try again; if it persists, tell the operator the time.",
)
UNREACHABLE = a_problem(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "unavailable",
    "The database cannot be reached just now. Try again in a moment.",
    Retry_After="1",
)


def test_health_is_answered_without_asking_anybody(anyone: Visitor, faults: Faults) -> None:
    answer = anyone.get("/health")

    assert Answer(200, {}, {"status": "ok"}) == answer
    assert [] == faults.calls


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/links"),
        ("POST", "/links/my-link"),
        ("POST", "/my-link"),
        ("PATCH", "/stats/my-link"),
        ("POST", "/health"),
    ],
)
def test_a_method_that_a_path_does_not_have_is_not_found(ada: Visitor, method: str, path: str) -> None:
    answer = ada.send(method, path)

    assert a_problem(HTTPStatus.NOT_FOUND, "not-found", f"There is nothing at {method} {path}.") == answer


@pytest.mark.parametrize(
    "setting", ["LINKS_TABLE", pytest.param("API_KEYS_TABLE", id="API_KEYS_TABLE, before a route is reached")]
)
def test_a_fault_of_ours_is_logged_and_not_shown(
    ada: Visitor, logs: Callable[[], list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    monkeypatch.delenv(setting)

    answer = ada.get("/links/my-link")

    (line,) = logs()
    assert answer == OUR_FAULT
    assert "SettingMissing" == line["exception_name"]
    assert setting in line["exception"]


@pytest.mark.parametrize(
    "fault",
    [throttled(), unavailable(), refused("AccessDeniedException"), timed_out(), reset(), lost(timed_out())],
    ids=str,
)
@pytest.mark.parametrize("call", [1, 2])
def test_a_database_that_fails_makes_the_service_unavailable(
    ada: Visitor, faults: Faults, logs: Callable[[], list[dict[str, Any]]], fault: Fault, call: int
) -> None:
    insert_link(a_link(code="my-link", owner="ada"))
    faults.calls.clear()
    faults.plan(fault, number=call)

    answer = ada.get("/links/my-link")

    (line,) = logs()
    assert answer == UNREACHABLE
    assert "a request failed at AWS" == line["message"]


@pytest.mark.parametrize("path", ["/links", "/links/my-link", "/my-link", "/stats/my-link", "/health", "/openapi.json"])
def test_the_type_of_a_body_that_is_not_read_does_not_matter(ada: Visitor, path: str) -> None:
    insert_link(a_link(code="my-link", owner="ada"))

    answer = ada.send("GET", path, b"anything", {"Content-Type": "text/plain"})

    assert answer.status in {200, 302}


def test_an_error_of_head_has_no_body(anyone: Visitor) -> None:
    answer = anyone.head("/nowhere")

    assert (
        Answer(404, {"Content-Type": "application/problem+json", "Cache-Control": "no-store", "Vary": "Accept"}, "")
        == answer
    )
