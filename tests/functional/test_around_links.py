"""Where visitors are sent who ask for no link, or for none that there is; and what else the redirect's URL answers."""

from http import HTTPStatus

import pytest
from chalice.test import Client

from chalicelib.links.status import Status
from chalicelib.links.store import insert_link
from chalicelib.redirects import entry
from tests import infrastructure
from tests.builders import LambdaContext, a_link, a_url_request
from tests.functional.visitor import Answer, UrlsVisitor, Visitor, a_problem

SITE = "https://www.example.com/"


@pytest.fixture
def a_site(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME_URL", "NOT_FOUND_URL"):
        monkeypatch.setenv(name, f"{SITE}{name.lower()}")


@pytest.fixture
def at_the_edge(client: Client) -> Visitor:
    """Somebody whose requests CloudFront sends to the redirect's own URL, with no API Gateway before it."""
    return UrlsVisitor(client, {})


@pytest.fixture(params=["anyone", "at_the_edge"])
def somebody(request: pytest.FixtureRequest) -> Visitor:
    """A visitor of the bare domain, which the app has, and the redirect where no API Gateway stands before it."""
    found: Visitor = request.getfixturevalue(request.param)
    return found


@pytest.mark.usefixtures("a_site")
def test_the_bare_domain_leads_to_the_site(somebody: Visitor) -> None:
    assert Answer(302, {"Location": f"{SITE}home_url", "Cache-Control": "no-store"}, "") == somebody.get("/")


def test_without_a_site_there_is_nothing_at_the_bare_domain(somebody: Visitor) -> None:
    expected = a_problem(
        HTTPStatus.NOT_FOUND, "not-found", "There is nothing here. A short link has a code after the slash."
    )

    assert expected == somebody.get("/")


@pytest.mark.parametrize("path", ["/no/such/path", "/my-link/deeper", "//my-link", "/my-link//", "/my-link%2Fx"])
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_a_deeper_path_is_not_found_at_the_edge_as_it_is_at_the_gateway(
    anyone: Visitor, at_the_edge: Visitor, method: str, path: str
) -> None:
    insert_link(a_link(code="my-link"))
    expected = a_problem(HTTPStatus.NOT_FOUND, "not-found", "There is nothing at this path for this method.")

    answer = at_the_edge.send(method, path)

    assert expected == answer == anyone.get("/no/such/path")
    assert [] == infrastructure.receive()


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/", "/my-link"])
def test_a_link_is_followed_with_get_and_head_only_at_the_edge(at_the_edge: Visitor, method: str, path: str) -> None:
    insert_link(a_link(code="my-link"))
    detail = "Links are followed with GET. What else can be done is described at /openapi.json."

    answer = at_the_edge.send(method, path)

    expected = a_problem(HTTPStatus.METHOD_NOT_ALLOWED, "method-not-allowed", detail, Allow="GET, HEAD, OPTIONS")
    assert expected == answer
    assert [] == infrastructure.receive()


def test_a_browser_asks_which_methods_a_link_has_with_the_same_answer_at_both_doors(
    anyone: Visitor, at_the_edge: Visitor
) -> None:
    answer = at_the_edge.send("OPTIONS", "/my-link")

    assert 204 == answer.status
    assert anyone.send("OPTIONS", "/my-link") == answer


def test_nothing_that_is_asked_or_answered_by_the_url_needs_several_headers_of_a_name() -> None:
    """It joins those of a request by commas, and ignores several in an answer."""
    insert_link(a_link(code="my-link"))

    answers = [
        entry.handler(a_url_request(method, path, {"Accept": "text/html,application/json"}), LambdaContext())
        for method, path in (("GET", "/my-link"), ("HEAD", "/my-link"), ("GET", "/"), ("GET", "/unknown"), ("PUT", "/"))
    ]

    assert [{"statusCode", "headers", "body"}] * 5 == [answer.keys() for answer in answers]
    assert {str} == {type(value) for answer in answers for value in answer["headers"].values()}


def test_head_of_the_bare_domain_is_empty(at_the_edge: Visitor) -> None:
    assert (404, "") == at_the_edge.head("/")[::2]


@pytest.mark.usefixtures("a_site")
@pytest.mark.parametrize("code", ["unknown", "%0a", "ab"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_an_unknown_code_leads_to_the_site_uncounted(visitor: Visitor, method: str, code: str) -> None:
    answer = visitor.send(method, f"/{code}")

    assert (302, f"{SITE}not_found_url") == (answer.status, answer.headers["Location"])
    assert [] == infrastructure.receive()


@pytest.mark.usefixtures("a_site")
def test_a_link_that_leads_nowhere_says_why_all_the_same(visitor: Visitor) -> None:
    insert_link(a_link(code="gone", status=Status.DELETED))
    insert_link(a_link(code="off", enabled=False))

    assert [410, 404] == [visitor.get(f"/{code}").status for code in ("gone", "off")]


def test_without_a_site_an_unknown_code_is_not_found(visitor: Visitor) -> None:
    assert 404 == visitor.get("/unknown").status
