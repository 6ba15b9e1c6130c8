"""Who may call what: every route, tried by every kind of caller, and what a refusal costs."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import pytest
from chalice.test import Client

from app import app
from chalicelib import aws
from chalicelib.access.keys import Role, Token
from chalicelib.access.store import find_key, put_key, revoke_key
from chalicelib.links.codes import RESERVED, is_code
from chalicelib.links.store import insert_link
from chalicelib.middleware import PUBLIC
from tests import infrastructure
from tests.builders import NOW, TOKEN, LambdaContext, StoppedClock, a_key, a_link, a_request
from tests.faults import Fault, Faults, lost, lost_once, refused, reset, throttled, timed_out, unavailable
from tests.functional.visitor import Answer, Visitor, a_problem

WITHOUT_KEY = "Send your API key in the header 'Authorization: Bearer lk_…'."
MALFORMED = "The Authorization header must be 'Bearer ' and a key of the form lk_<id>_<secret>."
NOT_VALID = "This key is not valid: it is unknown, expired or revoked. Ask the operator for another."

TABLE = """
                              nobody malformed unknown wrong revoked expired another owner admin
GET    /                         404       404     404   404     404     404     404   404   404
GET    /health                   200       200     200   200     200     200     200   200   200
GET    /openapi.json             200       200     200   200     200     200     200   200   200
GET    /robots.txt               200       200     200   200     200     200     200   200   200
GET    /{code}                   302       302     302   302     302     302     302   302   302
HEAD   /{code}                   302       302     302   302     302     302     302   302   302
GET    /unlock/{code}            303       303     303   303     303     303     303   303   303
POST   /unlock/{code}            415       415     415   415     415     415     415   415   415
POST   /links                    401       401     401   401     401     401     201   201   201
GET    /links                    401       401     401   401     401     401     200   200   200
GET    /links?owner=ada          401       401     401   401     401     401     403   200   200
GET    /links/{code}/qr.svg      200       200     200   200     200     200     200   200   200
GET    /me                       401       401     401   401     401     401     200   200   200
GET    /ui                       200       200     200   200     200     200     200   200   200
GET    /ui/{version}/{file}      404       404     404   404     404     404     404   404   404
GET    /links/{code}             401       401     401   401     401     401     403   200   200
PUT    /links/{code}             401       401     401   401     401     401     403   200   200
PATCH  /links/{code}             401       401     401   401     401     401     403   200   200
DELETE /links/{code}             401       401     401   401     401     401     403   204   204
GET    /stats/{code}             401       401     401   401     401     401     403   200   200
GET    /stats                    401       401     401   401     401     401     200   200   200
GET    /stats?owner=ada          401       401     401   401     401     401     403   200   200
GET    /analytics/links          401       401     401   401     401     401     403   403   200
"""
"""What each caller gets of each route, about a link of ada's; `another` is a user, and so is the owner."""

CALLERS, *ROWS = [line.split() for line in TABLE.strip().splitlines()]

ROUTES = {(method, path) for path, methods in app.routes.items() for method in methods} - {
    ("OPTIONS", path)
    for path in app.routes  # anyone's: tests/functional/test_browsers.py
}

EXPIRED, REVOKED, UNKNOWN = (Token(letter * 12, "s" * 32) for letter in "EFG")
GUESS = Token(TOKEN.id, "t" * 32)


@pytest.fixture
def callers(client: Client, ada: Visitor, bob: Visitor, admin: Visitor) -> Mapping[str, Visitor]:
    """Everybody in the table."""
    put_key(a_key(TOKEN, owner="ada"))
    put_key(a_key(REVOKED, owner="ada", role=Role.ADMIN, revoked=True))
    put_key(a_key(EXPIRED, owner="ada", role=Role.ADMIN, expires_at=NOW))
    texts = {"malformed": "lk_ada", "unknown": UNKNOWN, "wrong": GUESS, "revoked": REVOKED, "expired": EXPIRED}
    strangers = {name: Visitor(client, {"Authorization": f"Bearer {text}"}) for name, text in texts.items()}
    return {"nobody": Visitor(client, {}), **strangers, "another": bob, "owner": ada, "admin": admin}


@pytest.fixture(autouse=True)
def adas_link() -> None:
    insert_link(a_link(code="my-link", owner="ada"))


def test_every_route_has_a_row_and_every_row_a_route() -> None:
    assert ROUTES == {(method, path.partition("?")[0]) for method, path, *_ in ROWS}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: " ".join(row[:2]))
def test_each_caller_gets_what_the_table_says(callers: Mapping[str, Visitor], row: list[str]) -> None:
    method, path, *statuses = row
    body = b'{"url": "https://example.org/"}' if method in {"POST", "PUT", "PATCH"} else b""

    found = {}
    for name in CALLERS:
        code = f"link-of-{name}"  # one each, since a link is deleted once
        insert_link(a_link(code=code, owner="ada"))
        answer = callers[name].send(method, path.replace("{code}", code), body, {"Content-Type": "application/json"})
        found[name] = str(answer.status)

    assert dict(zip(CALLERS, statuses, strict=True)) == found


def test_the_public_routes_are_those_that_nobody_is_refused() -> None:
    assert {(method, path) for method, path, nobody, *_ in ROWS if nobody != "401"} == PUBLIC


def refusal(detail: str) -> Answer:
    challenge = 'Bearer realm="linkly"'
    return a_problem(HTTPStatus.UNAUTHORIZED, "unauthenticated", detail, WWW_Authenticate=challenge)


@pytest.mark.parametrize(("method", "path"), sorted(ROUTES - PUBLIC))
@pytest.mark.parametrize(
    ("caller", "detail"),
    [
        ("nobody", WITHOUT_KEY),
        ("malformed", MALFORMED),
        *((caller, NOT_VALID) for caller in ("unknown", "wrong", "revoked", "expired")),
    ],
)
def test_a_refusal_does_not_tell_what_is_wrong_with_a_key(
    callers: Mapping[str, Visitor], caller: str, detail: str, method: str, path: str
) -> None:
    answer = callers[caller].send(method, path.replace("{code}", "my-link"))

    assert refusal(detail) == answer


def test_a_refusal_costs_the_same_whatever_is_wrong_with_a_key(
    callers: Mapping[str, Visitor], faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    work: list[Any] = []

    def compared(one: str, other: str) -> bool:
        work.append(("compared", len(one), len(other)))
        return really_compared(one, other)

    def hashed(data: bytes) -> Any:
        work.append(("hashed", len(data)))
        return really_hashed(data)

    really_compared, really_hashed = hmac.compare_digest, hashlib.sha256
    monkeypatch.setattr("chalicelib.access.keys.hmac.compare_digest", compared)
    monkeypatch.setattr("chalicelib.access.keys.hashlib.sha256", hashed)

    done: dict[str, list[Any]] = {}
    for name in ("unknown", "wrong", "revoked", "expired"):
        work.clear()
        faults.calls.clear()
        callers[name].get("/links/my-link")
        done[name] = [*((call.operation, call.table) for call in faults.calls), *work]

    one_read = ("GetItem", infrastructure.environment()["API_KEYS_TABLE"])
    assert [[one_read, ("hashed", 32), ("compared", 64, 64)]] * 4 == list(done.values())


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

    assert refusal(MALFORMED) == answer
    assert [] == faults.calls


def test_an_empty_header_is_no_key(anyone: Visitor) -> None:
    assert refusal(WITHOUT_KEY) == anyone.sending(Authorization="").get("/links/my-link")


@pytest.fixture
def holder(anyone: Visitor) -> Visitor:
    """Whoever has ada's key TOKEN, which was never used."""
    put_key(a_key(TOKEN, owner="ada"))
    return anyone.sending(Authorization=f"Bearer {TOKEN}")


def test_a_revoked_key_is_refused_at_once_by_the_process_that_just_let_it_in_and_by_another(
    holder: Visitor, faults: Faults
) -> None:
    before = [holder.get("/links/my-link").status for _ in range(2)]

    infrastructure.dynamodb().update_item(  # by somebody else's hand: nothing in this process hears of it
        TableName=infrastructure.environment()["API_KEYS_TABLE"],
        Key={"id": {"S": TOKEN.id}},
        UpdateExpression="SET revoked = :yes",
        ExpressionAttributeValues={":yes": {"BOOL": True}},
    )
    in_the_same_process = holder.get("/links/my-link")
    consistent = faults.calls[-1].params["ConsistentRead"]
    aws.forget_clients()
    in_another_one = holder.get("/links/my-link")

    assert [200, 200] == before
    assert [refusal(NOT_VALID)] * 2 == [in_the_same_process, in_another_one]
    assert consistent  # or it could be a second old: moto has only one copy of a table


def test_a_key_that_is_revoked_by_command_is_refused_from_then_on(holder: Visitor) -> None:
    before = holder.get("/links/my-link")

    revoke_key(TOKEN.id)

    assert 200 == before.status
    assert refusal(NOT_VALID) == holder.get("/links/my-link")


@pytest.mark.parametrize(("seconds_left", "status"), [(1, 200), (0, 401), (-1, 401)])
def test_a_key_is_good_until_it_expires(anyone: Visitor, seconds_left: int, status: int) -> None:
    put_key(a_key(TOKEN, owner="ada", expires_at=NOW + timedelta(seconds=seconds_left)))

    answer = anyone.sending(Authorization=f"Bearer {TOKEN}").get("/links/my-link")

    assert status == answer.status


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer "])
def test_the_scheme_may_be_written_in_any_case(holder: Visitor, scheme: str) -> None:
    assert 200 == holder.sending(Authorization=f"{scheme} {TOKEN}").get("/links/my-link").status


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


def last_used(token: Token = TOKEN) -> Any:
    key = find_key(token.id)
    return key and key.last_used_at


def test_a_keys_use_is_noted_and_again_when_more_than_an_hour_has_passed(
    holder: Visitor, faults: Faults, clock: StoppedClock
) -> None:
    noted = []
    for wait in (0, 1, 3599, 1, 3600, 1):
        clock.time += timedelta(seconds=wait)
        faults.calls.clear()
        holder.get("/links/my-link")
        noted.append((wait, len(faults.of("UpdateItem")), last_used()))

    second, third = NOW + timedelta(seconds=3601), NOW + timedelta(seconds=7202)
    assert [
        (0, 1, NOW),
        (1, 0, NOW),
        (3599, 0, NOW),
        (1, 1, second),
        (3600, 0, second),
        (1, 1, third),
    ] == noted


def test_of_two_processes_that_find_a_use_to_note_one_writes_it(
    holder: Visitor, faults: Faults, logs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_read_before = find_key(TOKEN.id)
    holder.get("/links/my-link")
    monkeypatch.setattr("chalicelib.access.callers.find_key", lambda _: as_read_before)
    monkeypatch.setattr("chalicelib.clock.now", lambda: NOW + timedelta(seconds=1))

    answer = holder.get("/links/my-link")

    assert 200 == answer.status
    assert 2 == len(faults.of("UpdateItem"))
    assert NOW == last_used()
    assert [] == logs()


@pytest.mark.parametrize("stranger", ["unknown", "wrong", "revoked", "expired"])
def test_whoever_is_refused_has_not_used_a_key(callers: Mapping[str, Visitor], stranger: str) -> None:
    callers[stranger].get("/links/my-link")

    used = [item["id"] for item in infrastructure.items("API_KEYS_TABLE") if item["owner"] == "ada"]
    assert 4 == len(used)
    assert [None] * 3 == [last_used(token) for token in (TOKEN, REVOKED, EXPIRED)]


def test_a_visitor_who_sends_a_key_along_is_redirected_without_a_look_at_it(holder: Visitor, faults: Faults) -> None:
    holder.get("/my-link")

    assert infrastructure.environment()["API_KEYS_TABLE"] not in {call.table for call in faults.calls}
    assert last_used() is None


FAULTS = [
    throttled(),
    unavailable(),
    refused("AccessDeniedException"),
    timed_out(),
    reset(),
    lost(timed_out()),
    lost_once(),
]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_use_that_cannot_be_noted_keeps_nobody_out(holder: Visitor, faults: Faults, logs: Any, fault: Fault) -> None:
    faults.plan(fault, operation="UpdateItem", table=infrastructure.environment()["API_KEYS_TABLE"])

    answer = holder.get("/links/my-link")

    warnings = [(line["level"], line["message"], line["key_id"]) for line in logs()]
    heals_itself = fault.name == lost_once().name
    assert 200 == answer.status
    assert ([] if heals_itself else [("WARNING", "use of a key not noted", TOKEN.id)]) == warnings
