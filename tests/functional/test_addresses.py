"""Where visitors follow links, when BASE_URL leaves it to each request."""

import json
from typing import Any

import pytest

from app import app
from chalicelib.access.store import put_key
from tests.builders import TOKEN, LambdaContext, a_key, a_request

API_GATEWAY = "abc123.execute-api.eu-central-1.amazonaws.com"


@pytest.fixture(autouse=True)
def no_address_of_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BASE_URL", "")
    put_key(a_key(TOKEN))


def post_link(url: str, host: str, scheme: str | None, stage: str, **context: str) -> tuple[int, Any]:
    headers = {"Host": host, "Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    request = a_request(
        "POST",
        "/links",
        headers=headers | ({"X-Forwarded-Proto": scheme} if scheme else {}),
        body=json.dumps({"url": url, "code": "my-link"}),
        requestContext={"path": f"{stage}/links", **context},
    )
    answer = app(request, LambdaContext())
    return answer["statusCode"], json.loads(answer["body"])


def test_behind_api_gateway_it_is_the_address_with_the_stage() -> None:
    _, link = post_link("https://example.com/", "spoofed.example", "https", "/api", domainName=API_GATEWAY)

    assert f"https://{API_GATEWAY}/api/my-link" == link["short_url"]


def test_behind_a_custom_domain_it_is_that_domain() -> None:
    _, link = post_link("https://example.com/", "spoofed.example", "https", "", domainName="s.example.org")

    assert "https://s.example.org/my-link" == link["short_url"]


def test_on_a_laptop_it_is_the_host_that_was_asked() -> None:
    _, link = post_link("https://example.com/", "127.0.0.1:8000", None, "")

    assert "http://127.0.0.1:8000/my-link" == link["short_url"]


@pytest.mark.parametrize(
    ("url", "host", "stage"),
    [
        (f"https://{API_GATEWAY}/api/my-link", API_GATEWAY, "/api"),
        ("https://s.example.org/my-link", "s.example.org", ""),
        ("http://127.0.0.1:8000/my-link", "127.0.0.1:8000", ""),
        ("http://LOCALHOST:8000/my-link", "LocalHost:8000", ""),
    ],
)
def test_a_link_to_that_address_is_refused(url: str, host: str, stage: str) -> None:
    status, problem = post_link(url, host, "https", stage)

    assert (400, "urn:linkly:problem:invalid-url") == (status, problem["type"])


@pytest.mark.parametrize(
    ("base_url", "domain"), [("", "s.example.org"), ("https://go.example.com", "s.example.org"), ("", "")]
)
@pytest.mark.parametrize("target", [f"https://{API_GATEWAY}/api/other", f"http://{API_GATEWAY}./api/other"])
def test_a_link_to_api_gateways_own_address_is_refused_whichever_address_the_request_came_to(
    monkeypatch: pytest.MonkeyPatch, base_url: str, domain: str, target: str
) -> None:
    monkeypatch.setenv("BASE_URL", base_url)
    monkeypatch.setenv("DOMAIN_NAME", domain)

    status, problem = post_link(target, "x", "https", "", domainName="s.example.org", apiId="abc123")

    assert (400, "urn:linkly:problem:invalid-url") == (status, problem["type"])


def test_a_link_to_the_domain_is_refused_in_a_request_to_api_gateways_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BASE_URL", "https://go.example.com")
    monkeypatch.setenv("DOMAIN_NAME", "s.example.org")

    answers = [
        post_link(f"https://{host}/other", "x", "https", "/api", domainName=API_GATEWAY, apiId="abc123")
        for host in ("go.example.com", "s.example.org")
    ]

    assert [(400, "urn:linkly:problem:invalid-url")] * 2 == [(status, problem["type"]) for status, problem in answers]


def test_somebody_elses_api_is_a_target_like_any_other() -> None:
    status, _ = post_link(
        "https://xyz789.execute-api.eu-central-1.amazonaws.com/",
        "x",
        "https",
        "",
        domainName=API_GATEWAY,
        apiId="abc123",
    )

    assert 201 == status


def test_a_code_that_is_spelled_in_two_ways_is_not_taken_for_a_stage() -> None:
    request = a_request(
        "PUT",
        "/links/{code}",
        path="/links/caf\u00e9",
        pathParameters={"code": "caf%C3%A9"},
        headers={"Host": "x", "Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"},
        body=json.dumps({"url": "https://example.com/"}),
        requestContext={"path": "/api/links/caf%C3%A9", "domainName": API_GATEWAY},
    )

    answer = app(request, LambdaContext())

    assert (404, "urn:linkly:problem:link-not-found") == (answer["statusCode"], json.loads(answer["body"])["type"])


@pytest.mark.parametrize(
    ("host", "scheme"),
    [
        ("bad host^", "https"),
        ("go.example.com", "bad scheme"),
        ("go.example.com:http", "https"),
        ("ada@go.example.com", "https"),
        ("go.example.com/path?", "https"),
    ],
)
def test_a_request_that_came_in_at_no_address_cannot_be_told_from_a_loop_and_is_refused(host: str, scheme: str) -> None:
    status, problem = post_link("https://example.com/", host, scheme, "")

    assert (400, "urn:linkly:problem:bad-request") == (status, problem["type"])
    assert (
        f"The request came in at '{scheme}://{host}', which is no address. Check its Host header." == problem["detail"]
    )
