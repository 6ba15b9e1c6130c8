"""Valid values, so that a test names only what it is about."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib import clock
from chalicelib.access.keys import ApiKey, Role, Token, hash_secret
from chalicelib.clicks.admission import NOTHING, admit
from chalicelib.clicks.click import Click, encode
from chalicelib.clicks.message import Message
from chalicelib.clicks.transactions import Transaction
from chalicelib.links.events import LinkEvent
from chalicelib.links.link import Link
from chalicelib.links.status import Status

NOW = datetime(2026, 5, 27, 10, 15, 30, 123000, tzinfo=UTC)
"""What the time is in tests. Milliseconds are what the tables keep."""

TODAY = "2026-05-27"

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


class StoppedClock:
    """Stands in for chalicelib.clock: time passes only when somebody sleeps, and then at once."""

    def __init__(self) -> None:
        self.time = NOW
        self.sleeps: list[float] = []

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.time += timedelta(seconds=seconds)


class LambdaContext:
    """A Lambda context that has `seconds_left` each time it is asked, and the last of them from then on."""

    function_name = "linkly-test-function"
    aws_request_id = "request-1"

    def __init__(self, *seconds_left: float) -> None:
        self._answers = list(seconds_left or (60,))

    def get_remaining_time_in_millis(self) -> float:
        return 1000 * (self._answers.pop(0) if len(self._answers) > 1 else self._answers[0])


def a_click(**given: Any) -> Click:
    usual = {
        "v": 1,
        "id": uuid.uuid4(),
        "code": "my-link",
        "occurred_at": NOW,
        "referrer": None,
        "user_agent": None,
        "country": None,
    }
    return Click(**{**usual, **given})


def a_click_message(click: Click) -> Message:
    """The message that the redirect sends of a click."""
    return Message(str(click.id), click.code, clock.rfc3339(click.occurred_at), encode(click))


def clicks(number: int, **given: Any) -> list[Click]:
    return [a_click(**given) for _ in range(number)]


def actions_of(*counted: Click, shard: int = 7, retention_days: int = 90) -> list[Any]:
    """What the recorder writes to count these clicks, if it knows nothing of their counters yet."""
    transaction = Transaction(counted)
    admissions = {key: admit(amounts, NOTHING) for key, amounts in transaction.counters.items()}
    return [*transaction.actions(shard, retention_days, admissions)]


def a_message(body: Click | str | None = None, receive_count: int = 1) -> dict[str, Any]:
    """A record of an SQS event: a click's, unless a text is given."""
    return {
        "messageId": str(uuid.uuid4()),
        "receiptHandle": str(uuid.uuid4()),
        "attributes": {"ApproximateReceiveCount": str(receive_count)},
        "body": body if isinstance(body, str) else encode(body or a_click()),
    }


def an_sqs_event(*records: dict[str, Any]) -> dict[str, Any]:
    return {"Records": list(records)}


def a_link(**given: Any) -> Link:
    usual = {
        "code": "my-link",
        "url": "https://example.com/",
        "owner": "ada",
        "version": 1,
        "status": Status.ACTIVE,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Link(**{**usual, **given})


def a_created_event(**given: Any) -> LinkEvent:
    usual = {
        "v": 1,
        "id": uuid.uuid4(),
        "type": "link.created",
        "code": "my-link",
        "url": "https://example.com/",
        "version": 1,
        "occurred_at": NOW,
    }
    return LinkEvent(**{**usual, **given})


TOKEN = Token("A" * 12, "s" * 32)


def a_key(token: Token = TOKEN, **given: Any) -> ApiKey:
    """The stored side of a token."""
    usual = {
        "id": token.id,
        "hash": hash_secret(token.secret),
        "owner": "ada",
        "role": Role.USER,
        "created_at": NOW,
        "expires_at": None,
        "revoked": False,
        "replaced_by": None,
        "last_used_at": None,
    }
    return ApiKey(**{**usual, **given})


def a_request(method: str, resource: str, **given: Any) -> dict[str, Any]:
    """The event that API Gateway hands to the app for one of its resources, such as /links/{code}."""
    context = {"httpMethod": method, "resourcePath": resource, "path": resource, "identity": {"sourceIp": "192.0.2.1"}}
    usual: dict[str, Any] = {
        "path": resource,
        "headers": {},
        "pathParameters": {},
        "multiValueQueryStringParameters": None,
        "stageVariables": None,
        "body": None,
        "isBase64Encoded": False,
    }
    return {**usual, **given, "requestContext": {**context, **given.get("requestContext", {})}}


def a_url_request(method: str, path: str, headers: Mapping[str, str]) -> dict[str, Any]:
    """The event that a function's own URL hands to the function; `path` with its query, as it was asked for."""
    path, _, query = path.partition("?")
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        # Behind CloudFront, the host is the URL's own, and the address of whoever asks CloudFront is added.
        "headers": {
            **{name.lower(): value for name, value in headers.items()},
            "host": "abc.lambda-url.eu-central-1.on.aws",
            "x-forwarded-for": "192.0.2.1",
        },
        "requestContext": {
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1"},
            "requestId": "request-1",
            "stage": "$default",
        },
        "isBase64Encoded": False,
    }
