"""Whatever is asked over HTTP gets an answer that the description gives, and no answer or log line can be forged."""

import base64
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import app
from chalicelib.access.keys import Role
from chalicelib.access.store import put_key
from chalicelib.links.link import Link
from chalicelib.links.status import Status
from chalicelib.redirects import follow
from ops.local import openapi
from tests import infrastructure
from tests.builders import TOKEN, LambdaContext, a_key, a_link, a_request
from tests.functional.odd import ODD, texts, values
from tests.functional.test_publish_link_events import image

ROUTES = [(path, method) for path, methods in app.routes.items() for method in methods if method != "OPTIONS"]
DESCRIPTION = json.loads(openapi.PATH.read_text())

codes = st.sampled_from(["my-link", "gone", "nowhere"]) | texts
urls = st.sampled_from(["https://example.com/", "example.org"]) | st.builds(
    lambda start, rest: start + rest,
    st.sampled_from(["https://", "http:", "//", "a.de:80/", "javascript:", "https://a.de/", "https://[", "https://x@"]),
    texts,
)
headers = st.fixed_dictionaries(
    {},
    optional={
        "authorization": texts | texts.map("Bearer {}".format),
        "content-type": texts,
        "if-match": st.sampled_from(["*", '"1"', '"2"', 'W/"1"', '"1", "2"']) | texts,
        "idempotency-key": st.sampled_from(["one", "two"]) | texts,
        **dict.fromkeys(
            ("user-agent", "referer", "cloudfront-viewer-country", "accept", "origin", "host", "x-forwarded-proto"),
            texts | texts.map("https://{}".format),
        ),
    },
)
queries = st.none() | st.dictionaries(
    st.sampled_from(["days", "limit", "cursor", "owner", "x"]), st.lists(texts, min_size=1, max_size=2), max_size=3
)
bodies = (
    st.builds(lambda url, code: json.dumps({"url": url, "code": code}).encode(), urls, codes)
    | urls.map(lambda url: json.dumps({"url": url}).encode())
    | values.map(lambda value: json.dumps(value).encode())
    | st.binary(max_size=40)
)
often = st.integers(0, 3)


@st.composite
def requests(draw: st.DrawFn) -> dict[str, Any]:
    """A request to one of the routes as API Gateway hands it over, with a good key three times out of four."""
    path, method = draw(st.sampled_from(ROUTES))
    sent = draw(headers)
    if draw(often):
        sent["authorization"] = f"Bearer {TOKEN}"
    if draw(often):
        sent["content-type"] = "application/json"
    code = draw(st.just("my-link") | codes)
    return a_request(
        method,
        path,
        headers=sent,
        pathParameters={
            "code": draw(st.sampled_from([code, quote(code, safe="")])),
            "version": draw(texts),
            "file": draw(st.just("app.js") | texts),
        },
        multiValueQueryStringParameters=draw(queries),
        body=base64.b64encode(draw(bodies)).decode(),
        isBase64Encoded=True,
    )


@pytest.fixture(params=list(Role))
def key(request: pytest.FixtureRequest) -> None:
    put_key(a_key(TOKEN, owner="ada", role=request.param))


def given_link(link: Link) -> None:
    """A link, whatever an earlier run has made of it."""
    infrastructure.dynamodb().put_item(TableName=infrastructure.environment()["LINKS_TABLE"], Item=image(link))


@pytest.mark.usefixtures("key")
@settings(ODD, max_examples=300)
@given(request=requests())
def test_whatever_is_asked_is_answered_as_described(
    lines: Callable[[], list[dict[str, Any]]], request: dict[str, Any]
) -> None:
    given_link(a_link(code="my-link", owner="ada"))
    given_link(a_link(code="gone", owner="ada", status=Status.DELETED))
    follow.forget()

    answer = app(request, LambdaContext())

    context = request["requestContext"]
    described = DESCRIPTION["paths"][context["resourcePath"]][context["httpMethod"].lower()]["responses"]
    assert answer["statusCode"] < 500, lines()
    assert str(answer["statusCode"]) in described
    assert all(text.isprintable() and text.isascii() for text in answer["headers"].values())
    assert {"INFO"} >= {line["level"] for line in lines()}
