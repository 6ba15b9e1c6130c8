"""POST /links."""

import json
from http import HTTPStatus
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from app import app
from chalicelib.access.store import put_key
from chalicelib.base58 import ALPHABET
from chalicelib.links import create
from chalicelib.links.codes import RESERVED, is_code
from chalicelib.links.link import plain
from chalicelib.links.status import Status
from chalicelib.links.store import every_link, insert_link
from chalicelib.links.targets import normalise_url
from tests import infrastructure
from tests.builders import TOKEN, LambdaContext, a_key, a_link, a_request
from tests.faults import Faults, lost_once
from tests.functional.visitor import NO_STORE, Answer, Visitor, a_problem
from tests.odd_urls import odd_urls

AN_OBJECT_LIKE = 'Send an object like {"url": "https://…"}.'
TAKEN = "The code 'my-link' is taken. Choose another one, or leave it out to be given one."
MALFORMED = "A code has 3 to 64 of the characters A-Z, a-z, 0-9, '_' and '-'."
PRIVATE = "The url's host {!r} is only known on a private network. Give one that everybody can reach."
ITSELF = "The url points at this shortener itself. Give the address where the visitor should end."


def test_a_link_is_created_under_the_code_that_was_wished_for(ada: Visitor) -> None:
    answer = ada.post("/links", {"url": "example.com/page", "code": "my-link"})

    assert (
        Answer(
            201,
            {"Location": "https://go.example.com/my-link", "ETag": '"1"', **NO_STORE},
            a_link(url="https://example.com/page", changed_by=ada.key_id).public("https://go.example.com"),
        )
        == answer
    )


def test_a_created_link_is_stored_whole(ada: Visitor) -> None:
    ada.post("/links", {"url": "https://example.com/page", "code": "my-link"})

    (item,) = infrastructure.items("LINKS_TABLE")
    fields = plain(a_link(url="https://example.com/page", changed_by=ada.key_id))
    origin = {"request_id": item["request_id"], "payload_hash": "", "write_id": item["request_id"]}
    assert {name: value for name, value in fields.items() if value not in (None, [])} | origin == item


def test_without_a_wish_the_code_is_seven_characters_that_are_not_mistaken_for_others(ada: Visitor) -> None:
    answers = [ada.post("/links", {"url": "https://example.com/"}) for _ in range(5)]

    codes = [answer.body["code"] for answer in answers]
    assert [7] * 5 == [len(code) for code in codes]
    assert set(ALPHABET) >= set("".join(codes))
    assert 5 == len(set(codes))


def test_a_created_link_can_be_followed_at_once(ada: Visitor, anyone: Visitor) -> None:
    code = ada.post("/links", {"url": "https://example.com/"}).body["code"]

    assert 302 == anyone.get(f"/{code}").status


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON"])
def test_json_may_be_called_by_its_other_names(ada: Visitor, content_type: str) -> None:
    answer = ada.send("POST", "/links", b'{"url": "https://example.com/"}', {"Content-Type": content_type})

    assert 201 == answer.status


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        pytest.param(b"{", f"The body is not JSON (Input data was truncated). {AN_OBJECT_LIKE}", id="malformed"),
        pytest.param(b"", f"The body is not JSON (Input data was truncated). {AN_OBJECT_LIKE}", id="empty"),
        pytest.param(
            b'{"url": "\xff"}',
            "The body is not JSON ('utf-8' codec can't decode byte 0xff in position 0: invalid start byte). "
            + AN_OBJECT_LIKE,
            id="not UTF-8",
        ),
        pytest.param(b"7", "The body does not fit: Expected `object`, got `int`.", id="a number"),
        pytest.param(
            b"[" * 16_000,
            "The body is not JSON (maximum recursion depth exceeded while deserializing an object). " + AN_OBJECT_LIKE,
            id="deep",
        ),
        pytest.param(b"{}", "The body does not fit: Object missing required field `url`.", id="no url"),
        pytest.param(
            b'{"url": 1}', "The body does not fit: Expected `str`, got `int` - at `$.url`.", id="url is a number"
        ),
        pytest.param(
            b'{"url": "example.com", "code": 1}',
            "The body does not fit: Expected `str | null`, got `int` - at `$.code`.",
            id="code is a number",
        ),
        pytest.param(
            b'{"url": "example.com", "owner": "bob"}',
            "The body does not fit: Object contains unknown field `owner`.",
            id="unknown member",
        ),
    ],
)
def test_a_body_that_is_not_a_new_link_is_refused(ada: Visitor, body: bytes, detail: str) -> None:
    answer = ada.send("POST", "/links", body, {"Content-Type": "application/json"})

    assert a_problem(HTTPStatus.BAD_REQUEST, "bad-request", detail) == answer


@pytest.mark.parametrize(
    ("body", "encoded", "status"),
    [
        pytest.param(None, False, 400, id="none"),
        pytest.param("eyJ1cmwiOiAiZXhhbXBsZS5jb20ifQ==", True, 201, id="base 64"),
        pytest.param("eyJ1cmwi", True, 400, id="malformed in base 64"),
    ],
)
def test_a_body_may_come_as_api_gateway_sends_it(body: str | None, *, encoded: bool, status: int) -> None:
    put_key(a_key(TOKEN))
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}

    answer = app(a_request("POST", "/links", headers=headers, body=body, isBase64Encoded=encoded), LambdaContext())

    assert status == answer["statusCode"]


@pytest.mark.parametrize(
    ("url", "detail"),
    [
        ("", "The url is empty. Give the address to redirect to."),
        ("https://", "The url is not valid. Give one like https://example.com/page."),
        ("javascript:alert(1)", "The url's scheme is 'javascript:'. Only http: and https: are redirected to."),
        ("data:text/html,hello", "The url's scheme is 'data:'. Only http: and https: are redirected to."),
        ("file:///etc/passwd", "The url's scheme is 'file:'. Only http: and https: are redirected to."),
        (
            "https://example.com/\r\nSet-Cookie: a=b",
            "The url contains a control character, such as a line break. Remove it.",
        ),
        (
            "https://ada:secret@example.com/",
            "The url contains a user name or password. Remove it: everybody who follows it would see it.",
        ),
        ("https://go.example.com/other", ITSELF),
        ("GO.EXAMPLE.COM", ITSELF),
        ("http://localhost/other", ITSELF),
        ("https://go.example.com.:8443/other", ITSELF),
        ("http://169.254.169.254/latest/meta-data/", PRIVATE.format("169.254.169.254")),
        ("http://0x7f.1/", PRIVATE.format("127.0.0.1")),
        (
            "https://exa$mple.com/",
            "The url's host 'exa$mple.com' is neither a domain nor an address. Check its spelling.",
        ),
        ("https://example.com/" + "a" * 2048, "The url has 2068 characters. At most 2048 are allowed."),
    ],
)
def test_a_url_that_must_not_be_redirected_to_is_refused(ada: Visitor, url: str, detail: str) -> None:
    answer = ada.post("/links", {"url": url})

    assert a_problem(HTTPStatus.BAD_REQUEST, "invalid-url", detail) == answer


def test_a_private_target_is_redirected_to_if_the_operator_allows_it(
    ada: Visitor, anyone: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRIVATE_TARGETS_ALLOWED", "true")

    ada.post("/links", {"url": "http://wiki.corp/page", "code": "my-link"})

    assert "http://wiki.corp/page" == anyone.get("/my-link").headers["Location"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # each example has a link of its own
@given(odd_urls())
def test_whatever_url_is_accepted_comes_back_byte_for_byte_as_the_location(
    ada: Visitor, anyone: Visitor, url: str
) -> None:
    created = ada.post("/links", {"url": url})
    if created.status == HTTPStatus.BAD_REQUEST:
        return

    answer = anyone.get(f"/{created.body['code']}")

    assert (302, created.body["url"]) == (answer.status, answer.headers["Location"])
    assert created.body["url"] == normalise_url(url, frozenset())


@pytest.mark.parametrize(
    ("setting", "url"),
    [
        ("https://Go.Example.com", "https://go.example.com/other"),
        ("https://go.example.com:443", "https://go.example.com/other"),
        ("https://bücher.example", "https://xn--bcher-kva.example/other"),
    ],
)
def test_the_shortener_knows_itself_however_its_address_is_set(
    ada: Visitor, monkeypatch: pytest.MonkeyPatch, setting: str, url: str
) -> None:
    monkeypatch.setenv("BASE_URL", setting)

    answer = ada.post("/links", {"url": url})

    assert a_problem(HTTPStatus.BAD_REQUEST, "invalid-url", ITSELF) == answer


@pytest.mark.parametrize("code", ["ab", "", "a" * 65, "a b", "a/b", "ümlaut", "abc\n", "abc.html"])
def test_a_malformed_code_is_refused(ada: Visitor, code: str) -> None:
    answer = ada.post("/links", {"url": "https://example.com/", "code": code})

    assert a_problem(HTTPStatus.BAD_REQUEST, "invalid-code", MALFORMED) == answer


def test_a_reserved_code_is_refused(ada: Visitor) -> None:
    answer = ada.post("/links", {"url": "https://example.com/", "code": "stats"})

    detail = "The code 'stats' is reserved for our own pages. Choose another one."
    assert a_problem(HTTPStatus.BAD_REQUEST, "invalid-code", detail) == answer


def test_no_link_can_stand_where_one_of_our_own_routes_does() -> None:
    first_segments = {path.split("/")[1] for path in app.routes} - {"{code}"}

    assert {segment for segment in first_segments if is_code(segment)} <= RESERVED


def test_a_taken_code_is_refused_and_its_link_stays(ada: Visitor, bob: Visitor) -> None:
    first = bob.post("/links", {"url": "https://example.com/first", "code": "my-link"})

    answer = ada.post("/links", {"url": "https://example.com/second", "code": "my-link"})

    assert a_problem(HTTPStatus.CONFLICT, "code-taken", TAKEN) == answer
    assert first.body == bob.get("/links/my-link").body


def test_the_code_of_a_deleted_link_is_never_given_out_again(ada: Visitor) -> None:
    insert_link(a_link(code="my-link", status=Status.DELETED))

    answer = ada.post("/links", {"url": "https://example.com/", "code": "my-link"})

    assert a_problem(HTTPStatus.CONFLICT, "code-taken", TAKEN) == answer


@pytest.mark.parametrize(("length", "status"), [(16 * 1024, 400), (16 * 1024 + 1, 413)])
def test_sixteen_kibibytes_of_body_are_read_and_no_more(ada: Visitor, length: int, status: int) -> None:
    answer = ada.send("POST", "/links", b" " * length, {"Content-Type": "application/json"})

    assert status == answer.status


def test_a_body_that_is_too_large_is_a_problem_of_its_own(ada: Visitor) -> None:
    body = json.dumps({"url": "https://example.com/" + "a" * 16 * 1024}).encode()

    answer = ada.send("POST", "/links", body, {"Content-Type": "application/json"})

    detail = f"The body has {len(body)} bytes. At most 16384 are read."
    assert a_problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body-too-large", detail) == answer


@pytest.mark.parametrize(
    "headers",
    [
        {},
        *({"Content-Type": value} for value in ("application/x-www-form-urlencoded", "text/plain", "", "*/*", "json")),
        {"Content-Type": "text/plain, application/json"},
        {"Content-Type": "text/plain; application/json"},
    ],
    ids=str,
)
@pytest.mark.parametrize(("method", "path"), [("POST", "/links"), ("PUT", "/links/my-link")])
def test_a_body_is_json_and_says_so(ada: Visitor, method: str, path: str, headers: dict[str, str]) -> None:
    insert_link(a_link(code="my-link", owner="ada"))

    answer = ada.send(method, path, b'{"url": "https://example.com/new"}', headers)

    detail = "Send the body as JSON, with the header 'Content-Type: application/json'."
    assert a_problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", detail) == answer
    assert [a_link(code="my-link", owner="ada")] == list(every_link())


@pytest.mark.parametrize(
    "body",
    [
        {"url": "javascript:alert(1)"},
        {"url": "https://example.com/", "code": "no code"},
        {"link": "https://example.com/"},
    ],
)
def test_a_refused_link_leaves_nothing_behind(ada: Visitor, body: dict[str, Any]) -> None:
    ada.post("/links", body)

    assert [] == infrastructure.items("LINKS_TABLE")


def test_a_random_code_that_is_taken_is_replaced_by_another(ada: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    codes = iter(["taken11", "taken11", "Preview", "free111"])
    monkeypatch.setattr(create, "generate_code", lambda _: next(codes))
    ada.post("/links", {"url": "https://example.com/first"})

    answer = ada.post("/links", {"url": "https://example.com/second"})

    assert "free111" == answer.body["code"]


def test_after_five_random_codes_that_are_taken_the_caller_is_asked_to_try_again(
    ada: Visitor, monkeypatch: pytest.MonkeyPatch, faults: Faults
) -> None:
    monkeypatch.setattr(create, "generate_code", lambda _: "taken11")
    insert_link(a_link(code="taken11"))
    before = len(faults.of("PutItem"))

    answer = ada.post("/links", {"url": "https://example.com/"})

    detail = "5 random codes in a row were taken. Try again."
    assert a_problem(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", detail, Retry_After="1") == answer
    assert 5 == len(faults.of("PutItem")) - before


def test_a_link_whose_answer_is_lost_is_not_taken_for_somebody_elses(ada: Visitor, faults: Faults) -> None:
    faults.plan(lost_once(), operation="PutItem")

    answer = ada.post("/links", {"url": "https://example.com/", "code": "my-link"})

    assert 201 == answer.status
