"""The app over HTTP, as somebody who calls it sees it."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from botocore.exceptions import BotoCoreError, ClientError
from chalice.test import Client

from chalicelib import aws, browsers
from chalicelib.access.keys import Role, new_token
from chalicelib.access.store import put_key
from chalicelib.calls import SERVICES
from chalicelib.problems import title_of
from chalicelib.redirects.entry import handler
from tests.builders import NOW, LambdaContext, a_key, a_request, a_url_request


class Answer(NamedTuple):
    """What came back: JSON decoded, anything else as text; of the headers, those that not every answer has."""

    status: int
    headers: Mapping[str, str]
    body: Any


BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
"""What a browser says in `Accept` where it opens a document."""

NO_STORE: Mapping[str, str] = {"Cache-Control": "no-store"}
"""The headers of every answer to a key, whatever it is."""


class Visitor:
    """Somebody who sends these headers with every request."""

    def __init__(self, client: Client, headers: Mapping[str, str]) -> None:
        self._client = client
        self.headers = dict(headers)

    def get(self, path: str) -> Answer:
        return self.send("GET", path)

    def head(self, path: str) -> Answer:
        return self.send("HEAD", path)

    def post(self, path: str, body: Any) -> Answer:
        """Send `body` as JSON."""
        return self.send("POST", path, json.dumps(body).encode(), {"Content-Type": "application/json"})

    def send(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        response = self._client.http.request(method, path, {**self.headers, **(headers or {})}, body)
        text = response.body.decode()
        return Answer(response.status_code, _beyond_always(response.headers), _json_of(text))

    @property
    def key_id(self) -> str:
        """The id of the key that is sent."""
        return self.headers["Authorization"].split("_")[1]

    def sending(self, **headers: str) -> "Visitor":
        """The same, with more headers; an underscore stands for a hyphen."""
        return type(self)(
            self._client, self.headers | {name.replace("_", "-"): value for name, value in headers.items()}
        )


class FunctionsVisitor(Visitor):
    """A visitor of short links, whom the function `follow_link` answers, as behind API Gateway."""

    def send(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        assert not body
        path, _, query = path.partition("?")
        event = a_request(
            method,
            "/{code}",
            path=path,
            pathParameters={"code": path.strip("/")},
            multiValueQueryStringParameters=parse_qs(query) or None,
            headers={**self.headers, **(headers or {})},
        )
        answer = handler(event, LambdaContext())
        return Answer(answer["statusCode"], _beyond_always(answer["headers"]), _json_of(answer["body"]))


class UrlsVisitor(Visitor):
    """A visitor of short links, whom the function answers by its own URL, as behind CloudFront."""

    def send(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        assert not body
        answer = handler(a_url_request(method, path, {**self.headers, **(headers or {})}), LambdaContext())
        return Answer(answer["statusCode"], _beyond_always(answer["headers"]), _json_of(answer["body"]))


def sent_by_botocore(operation: str, body: bytes) -> tuple[int, bytes]:
    """Stands in for `signed_calls.send`, which moto does not see: the same call, with the same answer and failures."""
    client: Any = aws.dynamodb(1) if SERVICES[operation] == "dynamodb" else aws.sqs(1)
    try:
        answer = client._make_api_call(operation, json.loads(body))  # noqa: SLF001 (by its name in AWS's JSON)
    except ClientError as error:
        kind = f"com.amazonaws.{operation}#{error.response['Error']['Code']}"
        return error.response["ResponseMetadata"]["HTTPStatusCode"], json.dumps({"__type": kind}).encode()
    except BotoCoreError as error:
        raise ConnectionResetError(str(error)) from error
    del answer["ResponseMetadata"]
    return 200, json.dumps(answer).encode()


def sign_in(client: Client, owner: str, role: Role = Role.USER) -> Visitor:
    """Somebody with a new key, whose use was noted just now, so that tests do not meet that write by accident."""
    token = new_token()
    put_key(a_key(token, owner=owner, role=role, last_used_at=NOW))
    return Visitor(client, {"Authorization": f"Bearer {token}"})


def a_problem(status: HTTPStatus, kind: str, detail: str, **headers: str) -> Answer:
    """The answer that this problem is; an underscore in a header's name stands for a hyphen."""
    return Answer(
        status.value,
        {
            "Content-Type": "application/problem+json",
            "Cache-Control": "no-store",
            "Vary": "Accept",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        },
        {"type": f"urn:linkly:problem:{kind}", "title": title_of(status), "status": status.value, "detail": detail},
    )


def _beyond_always(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that not every answer has. All must have the others; a page's policy is its own, and stays."""
    always = dict(browsers.ALWAYS)
    if headers.get("Content-Type", "").startswith("text/html"):
        del always["Content-Security-Policy"]
    assert always.items() <= headers.items()
    return {name: value for name, value in headers.items() if name not in always}


def _json_of(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
