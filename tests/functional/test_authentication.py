"""Who may call what."""

from datetime import timedelta
from http import HTTPStatus

import pytest
from chalice.test import Client

from app import PUBLIC, app
from chalicelib.access.keys import Token, new_token
from chalicelib.access.store import put_key, revoke_key
from chalicelib.links.codes import RESERVED, is_code
from chalicelib.links.store import insert_link
from tests.builders import NOW, TOKEN, LambdaContext, a_key, a_link, a_request
from tests.faults import Faults, unavailable
from tests.functional.visitor import Answer, Visitor, a_problem

WITHOUT_KEY = "Send your API key in the header 'Authorization: Bearer lk_…'."
MALFORMED = "The Authorization header must be 'Bearer ' and a key of the form lk_<id>_<secret>."
NOT_VALID = "This key is not valid: it is unknown, expired or revoked. Ask the operator for another."

ROUTES = {(method, path) for path, methods in app.routes.items() for method in methods}


def refused(detail: str) -> Answer:
    challenge = 'Bearer realm="linkly"'
    return a_problem(HTTPStatus.UNAUTHORIZED, "unauthenticated", detail, WWW_Authenticate=challenge)


def test_only_the_redirect_and_the_health_check_are_public() -> None:
    assert {("GET", "/{code}"), ("HEAD", "/{code}"), ("GET", "/health")} == PUBLIC


@pytest.mark.parametrize(("method", "path"), sorted(ROUTES - PUBLIC))
def test_a_route_that_is_not_public_asks_for_a_key(anyone: Visitor, method: str, path: str) -> None:
    answer = anyone.send(method, path.replace("{code}", "my-link"))

    assert refused(WITHOUT_KEY) == answer


def test_a_route_that_nobody_made_public_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.routes, "/new", app.routes["/health"])

    answer = app(a_request("GET", "/new"), LambdaContext())

    assert 401 == answer["statusCode"]


def test_no_link_can_hide_behind_a_route_of_ours() -> None:
    segments = {path.split("/")[1] for _, path in ROUTES}

    assert {segment for segment in segments if is_code(segment)} <= RESERVED


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer",
        "Bearer ",
        "Bearer secret",
        "Bearer lk_AAAAAAAAAAAA_",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN} {TOKEN}",
        f"Basic {TOKEN}",
        f"{TOKEN}",
        f"Bearer{TOKEN}",
        "Bearer lk_ÄÄÄÄÄÄÄÄÄÄÄÄ_ssssssssssssssssssssssssssssssss",
    ],
)
def test_a_malformed_key_is_refused_without_asking_the_database(
    anyone: Visitor, faults: Faults, authorization: str
) -> None:
    put_key(a_key(TOKEN))
    faults.calls.clear()

    answer = anyone.sending(Authorization=authorization).get("/links/my-link")

    assert refused(MALFORMED) == answer
    assert [] == faults.calls


def test_an_empty_header_is_no_key(anyone: Visitor) -> None:
    assert refused(WITHOUT_KEY) == anyone.sending(Authorization="").get("/links/my-link")


def test_an_unknown_key_is_refused(anyone: Visitor) -> None:
    assert refused(NOT_VALID) == anyone.sending(Authorization=f"Bearer {TOKEN}").get("/links/my-link")


def test_a_wrong_secret_is_refused(anyone: Visitor) -> None:
    put_key(a_key(TOKEN))
    guess = Token(TOKEN.id, new_token().secret)

    assert refused(NOT_VALID) == anyone.sending(Authorization=f"Bearer {guess}").get("/links/my-link")


def test_a_revoked_key_is_refused_from_that_moment_on(anyone: Visitor) -> None:
    put_key(a_key(TOKEN, owner="ada"))
    insert_link(a_link(code="my-link", owner="ada"))
    ada = anyone.sending(Authorization=f"Bearer {TOKEN}")
    before = ada.get("/links/my-link")

    revoke_key(TOKEN.id)

    assert 200 == before.status
    assert refused(NOT_VALID) == ada.get("/links/my-link")


@pytest.mark.parametrize(("seconds_left", "status"), [(1, 200), (0, 401), (-1, 401)])
def test_a_key_is_good_until_it_expires(anyone: Visitor, seconds_left: int, status: int) -> None:
    put_key(a_key(TOKEN, owner="ada", expires_at=NOW + timedelta(seconds=seconds_left)))
    insert_link(a_link(code="my-link", owner="ada"))

    answer = anyone.sending(Authorization=f"Bearer {TOKEN}").get("/links/my-link")

    assert status == answer.status


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer "])
def test_the_scheme_may_be_written_in_any_case(anyone: Visitor, scheme: str) -> None:
    put_key(a_key(TOKEN, owner="ada"))
    insert_link(a_link(code="my-link", owner="ada"))

    answer = anyone.sending(authorization=f"{scheme} {TOKEN}").get("/links/my-link")

    assert 200 == answer.status


def test_nobody_gets_in_while_keys_cannot_be_read(ada: Visitor, faults: Faults) -> None:
    faults.plan(unavailable(), operation="GetItem")

    answer = ada.get("/links/my-link")

    detail = "The database cannot be reached just now. Try again in a moment."
    assert a_problem(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", detail, Retry_After="1") == answer


def test_an_authenticated_caller_is_still_asked_for_json(client: Client, ada: Visitor) -> None:
    """Who has no key learns nothing of what the route would accept."""
    form = {"Content-Type": "text/plain"}

    assert 401 == Visitor(client, {}).send("POST", "/links", b"", form).status
    assert 415 == ada.send("POST", "/links", b"", form).status
