"""What answers tell browsers: security headers, who may read them, and that crawlers are to stay away."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.robotparser import RobotFileParser

import pytest

from app import app
from chalicelib import browsers
from chalicelib.links.status import Status
from chalicelib.links.store import insert_link
from chalicelib.middleware import PUBLIC
from chalicelib.pages.page import POLICY
from tests.builders import LambdaContext, a_link, a_request
from tests.faults import Faults, unavailable
from tests.functional.visitor import NO_STORE, Answer, Visitor, a_problem

ADMIN, OTHER = "https://admin.example.com", "https://other.example"
ROUTES = sorted((method, path) for path, methods in app.routes.items() for method in methods)


@pytest.fixture(autouse=True)
def links() -> None:
    insert_link(a_link(code="my-link", owner="ada"))
    insert_link(a_link(code="old-link", owner="ada", status=Status.DELETED))


@pytest.fixture
def admin_site(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_ORIGINS", f"{ADMIN}, http://localhost:3000")


def answer_to(method: str, path: str, visitor: Visitor) -> dict[str, Any]:
    """Lambda's whole response object."""
    names = {"code": "my-link", "version": "0123456789ab", "file": "app.js"}
    request = a_request(method, path, pathParameters=names, headers=visitor.headers, body="{}")
    answer: dict[str, Any] = app(request, LambdaContext())
    return answer


def the_usual_policy_of(page: dict[str, Any]) -> str:
    """The policy of every answer, if this one's own is the page's."""
    assert POLICY == page["headers"]["Content-Security-Policy"]
    return browsers.ALWAYS["Content-Security-Policy"]


SITUATIONS: dict[str, Callable[[Faults, pytest.MonkeyPatch], None]] = {
    "all is well": lambda _, __: None,
    "AWS cannot be reached": lambda faults, _: faults.plan(unavailable()),
    "a setting is missing": lambda _, patch: patch.delenv("LINKS_TABLE"),
    "another site asks": lambda _, patch: patch.setenv("ALLOWED_ORIGINS", ADMIN),
}


@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("who", ["anyone", "ada"])
def test_every_answer_of_every_route_has_the_security_headers(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, faults: Faults, who: str, situation: str
) -> None:
    visitor: Visitor = request.getfixturevalue(who)
    SITUATIONS[situation](faults, monkeypatch)

    for method, path in [*ROUTES, ("PATCH", "/links"), ("GET", "/no/such/path")]:
        answer = answer_to(method, path, visitor)

        if (method, path, answer["statusCode"]) == ("GET", "/ui", 200):
            answer["headers"]["Content-Security-Policy"] = the_usual_policy_of(answer)
        assert browsers.ALWAYS.items() <= answer["headers"].items(), f"{answer['statusCode']} of {method} {path}"


@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("who", ["anyone", "ada", "admin"])
def test_no_cache_keeps_what_a_route_that_asks_for_a_key_answers(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, faults: Faults, who: str, situation: str
) -> None:
    visitor: Visitor = request.getfixturevalue(who)
    SITUATIONS[situation](faults, monkeypatch)

    for method, path in ROUTES:
        if method != "OPTIONS" and (method, path) not in PUBLIC:
            answer = answer_to(method, path, visitor)

            assert "no-store" == answer["headers"]["Cache-Control"], f"{answer['statusCode']} of {method} {path}"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/my-link", 302),
        ("/old-link", 410),
        ("/nowhere", 404),
        ("/links", 401),
        ("/health", 200),
        ("/no/such/path", 404),
    ],
)
def test_chalice_local_passes_them_on_and_sets_its_own(anyone: Visitor, path: str, status: int) -> None:
    assert status == anyone.get(path).status  # and Visitor looks for the headers in every answer


def test_a_redirect_is_not_indexed_and_shows_its_target_no_more_than_an_origin() -> None:
    assert {
        "Strict-Transport-Security": "max-age=31536000",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "strict-origin",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        "X-Frame-Options": "DENY",
        "X-Robots-Tag": "noindex",
    } == browsers.ALWAYS


@pytest.mark.parametrize(
    ("robot", "may"),
    [
        ("Googlebot", False),
        ("AnyBot/1.0", False),
        ("Twitterbot/1.0", True),
        ("facebookexternalhit/1.1", True),
        ("WhatsApp/2.23", True),
        ("Slackbot-LinkExpanding 1.0", True),
    ],
)
def test_crawlers_are_asked_to_stay_away_but_for_those_that_make_previews(
    anyone: Visitor, robot: str, may: bool
) -> None:
    answer = anyone.get("/robots.txt")

    robots = RobotFileParser()
    robots.parse(answer.body.splitlines())
    assert (200, {"Content-Type": "text/plain"}) == (answer.status, answer.headers)
    assert may is robots.can_fetch(robot, "https://go.example.com/spring")


@pytest.mark.parametrize("origin", [ADMIN, OTHER, "null", "*"])
def test_unless_an_origin_is_configured_no_answer_speaks_of_origins(ada: Visitor, origin: str) -> None:
    answer = ada.sending(Origin=origin).get("/links/my-link")

    assert {"ETag": '"1"', **NO_STORE} == answer.headers


@pytest.mark.usefixtures("admin_site")
@pytest.mark.parametrize("origin", [ADMIN, "http://localhost:3000"])
def test_a_script_of_a_configured_origin_may_read_the_answer(ada: Visitor, origin: str) -> None:
    answer = ada.sending(Origin=origin).get("/links/my-link")

    assert {
        "ETag": '"1"',
        **NO_STORE,
        "Vary": "Origin",
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Expose-Headers": "ETag, Location, Retry-After",
    } == answer.headers


@pytest.mark.usefixtures("admin_site")
@pytest.mark.parametrize(
    "origin", [OTHER, f"{ADMIN}.evil.example", f"{ADMIN}/", ADMIN.upper(), "http://admin.example.com", "null", "*", ""]
)
def test_a_script_of_any_other_origin_may_not(ada: Visitor, origin: str) -> None:
    answer = ada.sending(Origin=origin).get("/links/my-link")

    assert {"ETag": '"1"', **NO_STORE, "Vary": "Origin"} == answer.headers


@pytest.mark.usefixtures("admin_site")
def test_an_error_may_be_read_too_or_a_script_could_not_tell_why(anyone: Visitor) -> None:
    answer = anyone.sending(Origin=ADMIN).get("/nowhere")

    assert (404, ADMIN) == (answer.status, answer.headers["Access-Control-Allow-Origin"])


@pytest.mark.usefixtures("admin_site")
@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/links", "GET, OPTIONS, POST"),
        ("/links/my-link", "DELETE, GET, OPTIONS, PATCH, PUT"),
        ("/stats/my-link", "GET, OPTIONS"),
        ("/analytics/links", "GET, OPTIONS"),
        ("/my-link", "GET, HEAD, OPTIONS"),
    ],
)
def test_a_browser_that_asks_first_is_told_what_a_path_takes(
    anyone: Visitor, faults: Faults, path: str, methods: str
) -> None:
    asking = anyone.sending(
        Origin=ADMIN, Access_Control_Request_Method="PUT", Access_Control_Request_Headers="authorization,if-match"
    )

    answer = asking.send("OPTIONS", path)

    expected = {
        "Allow": methods,
        "Access-Control-Allow-Origin": ADMIN,
        "Access-Control-Allow-Methods": methods,
        "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key, If-Match",
        "Access-Control-Expose-Headers": "ETag, Location, Retry-After",
        "Access-Control-Max-Age": "600",
        "Vary": "Origin",
    }
    assert Answer(204, expected, "") == answer
    assert [] == faults.calls


def test_a_browser_that_asks_from_elsewhere_is_told_nothing_that_it_heeds(anyone: Visitor) -> None:
    answer = anyone.sending(Origin=OTHER, Access_Control_Request_Method="PUT").send("OPTIONS", "/links/my-link")

    assert 204 == answer.status
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_credentials_are_never_shared(ada: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_ORIGINS", "*")

    answers = [ada.sending(Origin=origin).get("/links/my-link") for origin in (ADMIN, "null", "")]

    assert [{"ETag": '"1"', **NO_STORE, "Vary": "Origin"}] * 3 == [answer.headers for answer in answers]


def test_options_of_a_path_that_is_not_there_is_not_found(anyone: Visitor) -> None:
    detail = "There is nothing at this path for this method."

    assert a_problem(HTTPStatus.NOT_FOUND, "not-found", detail) == anyone.send("OPTIONS", "/no/such/path")
