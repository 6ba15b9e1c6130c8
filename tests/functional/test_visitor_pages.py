"""Whoever asks for HTML gets a page instead of problem details; all else is as for programs."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from chalicelib import browsers
from chalicelib.links.status import Status
from chalicelib.links.store import insert_link
from chalicelib.redirects.cache import Redirect, put_redirect
from tests.builders import NOW, a_link
from tests.faults import Faults, unavailable
from tests.functional.visitor import BROWSER, Visitor

JSON, HTML = "application/problem+json", "text/html; charset=utf-8"
LATER = NOW + timedelta(days=1)


def block() -> None:
    put_redirect(Redirect("my-link", "https://example.com/", Status.BLOCKED, 1))


Arrange = Callable[[Faults, pytest.MonkeyPatch], object]

SITUATIONS: dict[str, tuple[int, str, Arrange]] = {
    "unknown": (404, "There is no such link", lambda _, __: None),
    "switched off": (404, "This link is switched off", lambda _, __: insert_link(a_link(enabled=False))),
    "not started": (404, "This link does not work yet", lambda _, __: insert_link(a_link(starts_at=LATER))),
    "expired": (410, "This link has expired", lambda _, __: insert_link(a_link(expires_at=NOW))),
    "deleted": (410, "This link has been deleted", lambda _, __: insert_link(a_link(status=Status.DELETED))),
    "blocked": (410, "This link is blocked", lambda _, __: block()),
    "unreachable": (503, "This does not work just now", lambda faults, _: faults.plan(unavailable())),
    "broken": (500, "Something went wrong on our side", lambda _, patch: patch.delenv("REDIRECTS_TABLE")),
}


@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_browser_gets_a_page_with_the_status_and_the_headers_that_a_program_gets(
    visitor: Visitor, faults: Faults, monkeypatch: pytest.MonkeyPatch, method: str, situation: str
) -> None:
    status, title, arrange = SITUATIONS[situation]
    arrange(faults, monkeypatch)

    program = visitor.send(method, "/my-link", headers={"Accept": "application/json"})
    person = visitor.send(method, "/my-link", headers={"Accept": BROWSER})

    retry = {"Retry-After": "1"} if status == 503 else {}
    as_always = {"Cache-Control": "no-store", "Vary": "Accept", **retry}
    assert (status, {"Content-Type": JSON, **as_always}) == (program.status, program.headers)
    policy = person.headers["Content-Security-Policy"]
    assert (status, {"Content-Type": HTML, "Content-Security-Policy": policy, **as_always}) == (
        person.status,
        person.headers,
    )
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    if method == "HEAD":
        assert ("", "") == (program.body, person.body)
    else:
        assert f"<h1>{title}</h1>" in person.body
        assert status == program.body["status"]


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/html;q=0.1, application/json", ""])
def test_whoever_does_not_ask_for_html_gets_problem_details(visitor: Visitor, accept: str) -> None:
    assert JSON == visitor.sending(Accept=accept).get("/unknown").headers["Content-Type"]


def test_a_link_that_leads_somewhere_is_no_page(visitor: Visitor) -> None:
    insert_link(a_link())

    answer = visitor.sending(Accept=BROWSER).get("/my-link")

    assert (302, "https://example.com/", "") == (answer.status, answer.headers["Location"], answer.body)
    assert "Vary" not in answer.headers


@pytest.mark.parametrize(
    ("path", "title"),
    [
        pytest.param("/", "There is nothing here", id="the bare domain"),
        pytest.param("/no/such/path", "There is nothing here", id="a path that API Gateway knows nothing of"),
        pytest.param("/links", "Unauthorized", id="what is for programs"),
    ],
)
def test_all_else_that_is_refused_is_a_page_too(anyone: Visitor, path: str, title: str) -> None:
    answer = anyone.sending(Accept=BROWSER).get(path)

    assert (HTML, "no-store", "Accept") == tuple(
        answer.headers[name] for name in ("Content-Type", "Cache-Control", "Vary")
    )
    assert f"<h1>{title}</h1>" in answer.body


@pytest.mark.parametrize("accept", ["*/*", BROWSER])
def test_where_other_sites_may_call_an_answer_depends_on_who_asks_as_well(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch, accept: str
) -> None:
    origin = "https://admin.example.com"
    monkeypatch.setenv("ALLOWED_ORIGINS", origin)

    answer = visitor.sending(Accept=accept, Origin=origin).get("/unknown")

    assert ("Accept, Origin", origin) == (answer.headers["Vary"], answer.headers["Access-Control-Allow-Origin"])


def test_what_is_no_page_keeps_the_policy_of_all_answers(anyone: Visitor) -> None:
    answer = anyone.get("/unknown")

    assert "Content-Security-Policy" not in answer.headers  # beyond the one that Visitor has looked for
    assert "default-src 'none'; frame-ancestors 'none'" == browsers.ALWAYS["Content-Security-Policy"]


def test_the_operators_name_is_on_the_page(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRAND_NAME", "Stadtbücherei <Nord>")
    monkeypatch.setenv("BRAND_URL", "https://www.example.com/?a=1&b=2")
    monkeypatch.setenv("BRAND_TEXT", "Questions: links@example.com")

    page = visitor.sending(Accept=BROWSER).get("/unknown").body

    assert '<a href="https://www.example.com/?a=1&amp;b=2">Stadtbücherei &lt;Nord&gt;</a>' in page
    assert "<footer><p>Questions: links@example.com</p></footer>" in page
