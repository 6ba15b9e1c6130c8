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


@pytest.mark.parametrize(("host", "scheme"), [("bad host^", "https"), ("go.example.com", "bad scheme")])
def test_a_request_whose_own_address_is_nonsense_creates_its_link(host: str, scheme: str) -> None:
    status, _ = post_link("https://example.com/", host, scheme, "")

    assert 201 == status
