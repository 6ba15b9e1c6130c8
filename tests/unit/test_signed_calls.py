"""Signed calls: where they go, what is an answer, and what is left to the SDK."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPSConnection, RemoteDisconnected
from pathlib import Path
from ssl import SSLEOFError
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.httpsession import DEFAULT_CA_BUNDLE

from chalicelib import aws, signed_calls
from chalicelib.calls import CallFailed, ConditionFailed
from ops import PROJECT

OK = (200, b'{"Item": {}}')
LOST = [RemoteDisconnected("closed"), BrokenPipeError(), ConnectionResetError(), SSLEOFError()]
NO_ANSWER = [
    (400, b'{"__type": "com.amazon.coral.service#ExpiredTokenException"}'),
    (400, b'{"__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException"}'),
    (403, b'{"__type": "com.amazon.coral.service#InvalidSignatureException"}'),
    (307, b"{}"),
    (500, b'{"__type": "com.amazonaws.dynamodb.v20120810#InternalServerError"}'),
    (503, b"<html>Service Unavailable</html>"),
    (200, b"cut of"),
    (200, b"[1]"),
    (400, b'"text"'),
    (400, b'{"__type": null}'),
    TimeoutError("timed out"),
    OSError("no route"),
]


class Connection:
    """Stands in for http.client's: gives or raises what it is told, and knows what was asked."""

    def __init__(self, host: str, timeout: float, context: Any = None) -> None:
        self.host, self.timeout, self.secure = host, timeout, context is not None
        self.sock: object | None = None
        self.requests: list[tuple[str, str, bytes, Mapping[str, str]]] = []
        self.answers: list[Any] = []
        self.read_timeouts: list[float] = []

    def connect(self) -> None:
        self.sock = SimpleNamespace(settimeout=self.read_timeouts.append, connection=self)

    def send(self, request: bytes) -> None:
        head, _, body = request.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        method, path, _ = first.split(" ")
        self.requests.append((method, path, body, dict(line.split(": ", 1) for line in lines)))

    def close(self) -> None:
        self.sock = None


class Response:
    """Stands in for http.client's: what comes back over a connection."""

    def __init__(self, sock: Any, method: str) -> None:
        assert method == "POST"
        self._connection: Connection = sock.connection

    def begin(self) -> None:
        answer = self._connection.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        self.status, self._body, *closes = answer
        self.will_close = bool(closes)

    def read(self) -> bytes:
        body: bytes = self._body
        return body


@pytest.fixture(autouse=True)
def a_new_process() -> Iterator[None]:
    """Nothing is known of another test's environment."""
    signed_calls.disconnect()
    yield
    signed_calls.disconnect()


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Connection]:
    """Call it with what comes back of the next calls of DynamoDB; gives the connection."""
    monkeypatch.setattr(signed_calls, "HTTPSConnection", Connection)
    monkeypatch.setattr(signed_calls, "HTTPConnection", Connection)
    monkeypatch.setattr(signed_calls, "HTTPResponse", Response)

    def come_back(*answers: Any) -> Connection:
        endpoint = signed_calls._endpoint("dynamodb")  # noqa: SLF001 (it is what the next call uses)
        assert endpoint
        connection: Any = signed_calls._connection(endpoint)  # noqa: SLF001
        connection.answers += answers
        made: Connection = connection
        return made

    return come_back


@pytest.fixture
def sdk(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What is left to the SDK."""
    left: list[tuple[Any, ...]] = []

    def by_sdk(operation: str, parameters: Mapping[str, Any], attempts: int) -> Mapping[str, Any]:
        left.append((operation, parameters, attempts))
        return {"by": "the SDK"}

    monkeypatch.setattr(signed_calls, "by_sdk", by_sdk)
    return left


def get() -> Mapping[str, Any]:
    return signed_calls.call("GetItem", {"TableName": "links"})


def test_an_answer_is_given(answers: Callable[..., Connection], sdk: list[Any]) -> None:
    connection = answers(OK)

    answer = get()

    [(method, path, body, headers)] = connection.requests
    assert {"Item": {}} == answer
    assert ("POST", "/", {"TableName": "links"}) == (method, path, json.loads(body))
    assert "DynamoDB_20120810.GetItem" == headers["x-amz-target"]
    assert [] == sdk


def test_the_length_of_the_body_is_told(answers: Callable[..., Connection]) -> None:
    connection = answers(OK)

    get()

    [(_, _, body, headers)] = connection.requests
    assert str(len(body)) == headers["content-length"]


def test_a_connection_that_the_other_side_will_close_is_not_kept(answers: Callable[..., Connection]) -> None:
    connection = answers((*OK, "and closes"))

    get()

    assert connection.sock is None


@pytest.mark.parametrize("character", ["\n", "\r", "\0"])
def test_no_variable_can_smuggle_a_header_in(
    monkeypatch: pytest.MonkeyPatch, answers: Callable[..., Connection], sdk: list[Any], character: str
) -> None:
    connection = answers(OK)
    monkeypatch.setattr("chalicelib.config.trace_id", lambda: f"Root=1{character}x-evil: 1")

    get()

    assert ([], 1) == (connection.requests, len(sdk))


def test_a_condition_that_fails_is_an_answer(answers: Callable[..., Connection], sdk: list[Any]) -> None:
    answers((400, b'{"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"}'))

    with pytest.raises(ConditionFailed):
        get()
    assert [] == sdk


@pytest.mark.parametrize("answer", NO_ANSWER, ids=repr)
def test_what_is_no_answer_is_left_to_the_sdk_once_and_told(
    answers: Callable[..., Connection], sdk: list[Any], logs: Callable[[], list[dict[str, Any]]], answer: Any
) -> None:
    answers(answer)

    found = get()

    [line] = logs()
    assert {"by": "the SDK"} == found
    assert [("GetItem", {"TableName": "links"}, 1)] == sdk
    assert ("WARNING", "signed call failed", 1) == (line["level"], line["message"], line["SignedCallsFailed"])


def test_if_the_sdk_has_no_answer_either_the_call_has_failed(
    answers: Callable[..., Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> Mapping[str, Any]:
        raise CallFailed("timed out")

    monkeypatch.setattr(signed_calls, "by_sdk", fail)
    answers(TimeoutError())

    with pytest.raises(CallFailed):
        get()


@pytest.mark.parametrize("error", LOST, ids=repr)
def test_a_connection_that_was_closed_meanwhile_is_opened_again(
    answers: Callable[..., Connection], sdk: list[Any], error: Exception
) -> None:
    connection = answers(OK, error, OK)
    get()

    assert {"Item": {}} == get()
    assert 3 == len(connection.requests)
    assert [] == sdk


@pytest.mark.parametrize("error", LOST, ids=repr)
def test_a_new_connection_that_breaks_is_left_to_the_sdk(
    answers: Callable[..., Connection], sdk: list[Any], error: Exception
) -> None:
    connection = answers(error)

    get()

    assert (1, 1) == (len(connection.requests), len(sdk))


def test_a_call_that_timed_out_is_not_made_again_without_the_sdk(
    answers: Callable[..., Connection], sdk: list[Any]
) -> None:
    connection = answers(OK, TimeoutError(), OK)
    get()

    get()

    assert (2, 1) == (len(connection.requests), len(sdk))
    assert connection.sock is None  # what may still come belongs to no other call


@pytest.mark.parametrize(
    "change",
    [
        {"AWS_ACCESS_KEY_ID": ""},
        {"AWS_SECRET_ACCESS_KEY": ""},
        {"AWS_DEFAULT_REGION": ""},
        {"AWS_DEFAULT_REGION": "cn-north-1"},
        {"AWS_DEFAULT_REGION": "us-iso-east-1"},
        {"AWS_DEFAULT_REGION": "eusc-de-east-1"},
        {"AWS_USE_FIPS_ENDPOINT": "true"},
        {"AWS_USE_DUALSTACK_ENDPOINT": "true"},
        {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566/path"},
        {"AWS_ENDPOINT_URL": "ftp://127.0.0.1"},
    ],
    ids=str,
)
def test_where_only_the_sdk_knows_the_way_it_goes(
    monkeypatch: pytest.MonkeyPatch, sdk: list[Any], change: dict[str, str]
) -> None:
    for name, value in change.items():
        monkeypatch.setenv(name, value)

    assert {"by": "the SDK"} == get()
    assert 1 == len(sdk)


@pytest.mark.parametrize("service", ["dynamodb", "sqs"])
def test_in_every_region_a_call_goes_where_the_sdks_goes_or_is_left_to_it(
    monkeypatch: pytest.MonkeyPatch, service: str
) -> None:
    session = boto3.Session()
    regions = {
        partition: session.get_available_regions(service, partition) for partition in session.get_available_partitions()
    }

    signed = set()
    for region in [region for each in regions.values() for region in each]:
        monkeypatch.setenv("AWS_DEFAULT_REGION", region)
        if endpoint := signed_calls._endpoint(service):  # noqa: SLF001 (nobody else tells)
            theirs = session.client(service, region_name=region).meta.endpoint_url
            assert theirs == f"https://{endpoint.place.host}"
            signed.add(region)

    assert {*regions["aws"], *regions["aws-us-gov"]} == signed


@pytest.mark.parametrize(
    ("urls", "host", "secure"),
    [
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}, "127.0.0.1:4566", False),
        ({"AWS_ENDPOINT_URL": "http://LocalHost:80/"}, "localhost", False),
        ({"AWS_ENDPOINT_URL": "https://aws.example:443"}, "aws.example", True),
        ({"AWS_ENDPOINT_URL": "https://[::1]:4566"}, "[::1]:4566", True),
        ({"AWS_ENDPOINT_URL": "http://a:1", "AWS_ENDPOINT_URL_DYNAMODB": "http://b:2"}, "b:2", False),
        ({"AWS_ENDPOINT_URL": "http://a:1", "AWS_ENDPOINT_URL_SQS": "http://b:2"}, "a:1", False),
    ],
)
def test_an_endpoint_that_is_set_is_where_calls_go(
    monkeypatch: pytest.MonkeyPatch,
    answers: Callable[..., Connection],
    urls: dict[str, str],
    host: str,
    secure: bool,
) -> None:
    for name, value in urls.items():
        monkeypatch.setenv(name, value)
    connection = answers(OK)

    get()

    [(*_, headers)] = connection.requests
    assert (host, host, secure) == (connection.host, headers["host"], connection.secure)


def test_a_call_may_take_as_long_as_the_sdks(answers: Callable[..., Connection]) -> None:
    connection = answers(OK)
    clients: list[Any] = [aws.dynamodb(), aws.sqs()]

    get()

    assert (1, [2]) == (connection.timeout, connection.read_timeouts)
    assert [(each.meta.config.connect_timeout, each.meta.config.read_timeout) for each in clients] == [
        signed_calls.SECONDS[service] for service in ("dynamodb", "sqs")
    ]


def test_the_trace_of_an_invocation_goes_along_unsigned(
    monkeypatch: pytest.MonkeyPatch, answers: Callable[..., Connection]
) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-2-3;Parent=4;Sampled=0")
    connection = answers(OK)

    get()

    [(*_, headers)] = connection.requests
    assert "Root=1-2-3;Parent=4;Sampled=0" == headers["x-amzn-trace-id"]
    assert "trace" not in headers["authorization"]


def test_connecting_early_may_fail_without_harm(
    monkeypatch: pytest.MonkeyPatch, logs: Callable[[], list[dict[str, Any]]]
) -> None:
    def fail(_: Any) -> None:
        raise OSError("no route")

    monkeypatch.setattr(HTTPSConnection, "connect", fail)

    signed_calls.connect()

    assert ["not connected"] * 2 == [line["message"] for line in logs()]


def test_in_lambda_amazon_vouches_for_its_endpoints() -> None:
    own = (PROJECT / "chalicelib" / "amazon-roots.pem").read_text()
    known = Path(DEFAULT_CA_BUNDLE).read_text()

    certificates = re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END", own, re.DOTALL)

    assert 5 == len(certificates)
    assert {*certificates} < {*re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END", known, re.DOTALL)}


@pytest.mark.parametrize(
    ("settings", "authorities"),
    [
        ({"AWS_LAMBDA_FUNCTION_NAME": "f"}, f"{PROJECT}/chalicelib/amazon-roots.pem"),
        ({"AWS_LAMBDA_FUNCTION_NAME": "f", "AWS_CA_BUNDLE": "/other.pem"}, "/other.pem"),
        ({"REQUESTS_CA_BUNDLE": "/other.pem"}, "/other.pem"),
        ({}, None),
    ],
    ids=str,
)
def test_who_vouches_for_aws(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], authorities: str | None
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(signed_calls, "create_default_context", lambda cafile: asked.append(cafile))  # noqa: PLW0108 (it is called by name)
    monkeypatch.setattr(signed_calls, "HTTPSConnection", Connection)
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    signed_calls._trusted.cache_clear()  # noqa: SLF001 (it would remember another test's)

    endpoint = signed_calls._endpoint("sqs")  # noqa: SLF001
    assert endpoint
    signed_calls._connection(endpoint)  # noqa: SLF001

    assert [authorities] == asked
    signed_calls._trusted.cache_clear()  # noqa: SLF001
