"""The same requests get the same answers over API Gateway and from `chalice local`."""

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from chalicelib import browsers
from chalicelib.openapi import PublicLink
from ops.deploying.deployment import Deployment
from tests.deployed import Linkly, eventually, http_process, linkly_at
from tests.stack import ALLOWED_ORIGIN


@pytest.fixture(scope="module")
def chalice_local(deployment: Deployment) -> Iterator[Linkly]:
    """`chalice local` on the deployed stage's tables and queue."""
    assert deployment.outputs
    with http_process({}) as (url, _), linkly_at(url) as local:
        yield local


@pytest.fixture(params=["deployed", "chalice local"])
def somewhere(request: pytest.FixtureRequest) -> Linkly:
    """Linkly over API Gateway, then from `chalice local`."""
    fixture: Linkly = request.getfixturevalue("linkly" if request.param == "deployed" else "chalice_local")
    return fixture


BAD_REQUESTS: dict[str, tuple[str, str, dict[str, Any], int]] = {
    "an unknown path": ("GET", "/no/such/path", {}, 404),
    "an unknown path with a key": ("GET", "/no/such/path", {"headers": {"Authorization": "Bearer lk_x"}}, 404),
    "a method that a path does not have": ("PATCH", "/links", {}, 404),
    "an unknown code": ("GET", "/unknown", {}, 404),
    "a code that cannot be": ("GET", "/%3Cscript%3E", {}, 404),
    "no key": ("POST", "/links", {"json": {"url": "https://example.com"}}, 401),
    "a malformed key": ("GET", "/links/abc", {"headers": {"Authorization": "Basic YTpi"}}, 401),
    "an unknown key": ("GET", "/stats/abc", {"headers": {"Authorization": f"Bearer lk_{'a' * 12}_{'b' * 32}"}}, 401),
}


@pytest.mark.parametrize("case", BAD_REQUESTS)
def test_a_visitors_bad_request_gets_its_status_and_a_sentence(somewhere: Linkly, case: str) -> None:
    method, path, extra, status = BAD_REQUESTS[case]

    answer = somewhere.visitor.request(method, path, **extra)

    assert_problem(answer, status)


BAD_BODIES: dict[str, tuple[Any, int]] = {
    "malformed JSON": ('{"url": ', 400),
    "deeply nested JSON": ("[" * 10_000, 400),
    "no url": ("{}", 400),
    "a url that is no text": ('{"url": 7}', 400),
    "an unknown member": ('{"url": "https://example.com", "colour": "red"}', 400),
    "a script": ('{"url": "javascript:alert(1)"}', 400),
    "data": ('{"url": "data:text/html,x"}', 400),
    "a file": ('{"url": "file:///etc/passwd"}', 400),
    "a line break in the url": ('{"url": "https://example.com/\\r\\nSet-Cookie: a=b"}', 400),
    "a password in the url": ('{"url": "https://me:secret@example.com/"}', 400),
    "a reserved code": ('{"url": "https://example.com", "code": "stats"}', 400),
    "a code that is too short": ('{"url": "https://example.com", "code": "ab"}', 400),
    "a code that is too long": (f'{{"url": "https://example.com", "code": "{"a" * 65}"}}', 400),
    "a body over 16 KiB": (f'{{"url": "https://example.com/{"a" * 17_000}"}}', 413),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_BODIES)
def test_a_bad_body_gets_its_status_and_a_sentence(somewhere: Linkly, case: str) -> None:
    body, status = BAD_BODIES[case]

    answer = somewhere.alice.post("/links", content=body, headers={"Content-Type": "application/json"})

    assert_problem(answer, status)


def test_a_body_that_is_not_json_by_its_type_is_refused(somewhere: Linkly) -> None:
    answer = somewhere.alice.post("/links", content="url=https://example.com", headers={"Content-Type": "text/plain"})

    assert_problem(answer, 415)


def test_a_url_that_points_at_the_shortener_itself_is_refused(somewhere: Linkly) -> None:
    answer = somewhere.alice.post("/links", json={"url": f"{somewhere.visitor.base_url}x"})

    assert_problem(answer, 400)


def test_a_link_is_created_shown_followed_and_counted(somewhere: Linkly) -> None:
    wish = {"url": "example.com/a?b=c", "code": f"e2e-{uuid.uuid4()}"}

    created = somewhere.alice.post("/links", json=wish)
    shown = somewhere.alice.get(f"/links/{wish['code']}")
    followed = somewhere.visitor.get(f"/{wish['code']}")
    looked_at = somewhere.visitor.head(f"/{wish['code']}")

    link = created.json()
    assert (201, link["short_url"]) == (created.status_code, created.headers["location"])
    as_asked = {"code": wish["code"], "url": "https://example.com/a?b=c"}
    key_id = somewhere.alice.headers["Authorization"].split("_")[1]
    new = {"owner": "alice", "version": 1, "updated_at": link["created_at"], "changed_by": key_id}
    assert {**link, **as_asked, **new} == link
    assert set(PublicLink.__struct_fields__) == set(link)
    assert (200, link, '"1"') == (shown.status_code, shown.json(), shown.headers["etag"])
    for answer in (followed, looked_at):
        headers = answer.headers
        assert (302, link["url"], "private, no-store", b"") == (
            answer.status_code, headers["location"], headers["cache-control"], answer.content,
        )  # fmt: skip
    eventually(lambda: somewhere.total(wish["code"]) == 1)
    [today] = somewhere.alice.get(f"/stats/{wish['code']}?days=1").json()["by_day"]
    assert {"day": today["day"], "clicks": 1} == today


def test_a_link_is_its_owners_and_an_admins_business(somewhere: Linkly) -> None:
    code = somewhere.create()

    statuses = [
        (who.get(f"/links/{code}").status_code, who.get(f"/stats/{code}").status_code)
        for who in (somewhere.alice, somewhere.admin, somewhere.bob)
    ]

    assert statuses == [(200, 200), (200, 200), (403, 403)]


def test_two_clients_that_ask_for_the_same_code_at_once_do_not_both_get_it(somewhere: Linkly) -> None:
    for _ in range(5):
        wish = {"url": "https://example.com", "code": f"race-{uuid.uuid4()}"}
        with ThreadPoolExecutor(2) as both:
            answers = list(
                both.map(lambda who, wish=wish: who.post("/links", json=wish), (somewhere.alice, somewhere.bob))
            )

        assert sorted(answer.status_code for answer in answers) == [201, 409]


def test_the_app_says_that_it_is_well(somewhere: Linkly) -> None:
    answer = somewhere.visitor.get("/health")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_every_answer_has_the_security_headers(somewhere: Linkly) -> None:
    visitor, alice, code = somewhere.visitor, somewhere.alice, somewhere.create()

    answers = [
        visitor.get(f"/{code}"),
        visitor.get("/unknown"),
        visitor.get("/no/such/path"),
        visitor.get("/robots.txt"),
        visitor.get("/links"),
        alice.get("/links"),
        visitor.options("/links"),
        visitor.options("/no/such/path"),
        alice.post("/links", content="{", headers={"Content-Type": "application/json"}),
    ]

    assert [302, 404, 404, 200, 401, 200, 204, 404, 400] == [answer.status_code for answer in answers]
    expected = {name.lower(): value for name, value in browsers.ALWAYS.items()}
    for answer in answers:
        assert expected.items() <= dict(answer.headers).items(), answer.url


def test_a_browser_may_send_what_it_asks_for_if_its_site_is_allowed(somewhere: Linkly) -> None:
    path = f"/links/{somewhere.create()}"
    asking = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "authorization,if-match"}

    asked = [
        somewhere.visitor.options(path, headers={"Origin": origin, **asking})
        for origin in (ALLOWED_ORIGIN, "https://other.example")
    ]
    read = somewhere.alice.get(path, headers={"Origin": ALLOWED_ORIGIN})

    assert [(204, ALLOWED_ORIGIN), (204, None)] == [
        (answer.status_code, answer.headers.get("access-control-allow-origin")) for answer in asked
    ]
    assert "DELETE, GET, OPTIONS, PATCH, PUT" == asked[0].headers["access-control-allow-methods"]
    assert (ALLOWED_ORIGIN, "Origin") == (read.headers["access-control-allow-origin"], read.headers["vary"])


def assert_problem(answer: httpx.Response, status: int) -> None:
    assert (status, "application/problem+json") == (answer.status_code, answer.headers["content-type"]), answer.text
    problem = answer.json()
    assert list(problem) == ["type", "title", "status", "detail"]
    assert problem["status"] == status
    assert problem["detail"].endswith((".", "…'."))
