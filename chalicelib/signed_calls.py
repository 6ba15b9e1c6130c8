"""The calls of a redirect without the SDK: signed requests over connections that are kept.

botocore takes nine tenths of a redirect's CPU, and importing it three quarters of a cold start. What it does beyond the
good case is left to it: on anything that is no answer, the same call is made once more by the SDK.

One call at a time: a process of Lambda's answers one request after the other.
"""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from ssl import SSLContext, SSLError, create_default_context
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from chalicelib import clock, config, log
from chalicelib.calls import CONDITION_FAILED, SERVICES, ConditionFailed, by_sdk
from chalicelib.signature import Credentials, Place, signed_headers

_TARGETS = {"dynamodb": "DynamoDB_20120810", "sqs": "AmazonSQS"}

SECONDS = {"dynamodb": (1, 2), "sqs": (0.5, 0.5)}
"""How long connecting and being answered may take, as of the SDK's clients (aws.py)."""

# The regions of the partitions aws and aws-us-gov, whose hosts all end alike; others are left to the SDK:
# https://github.com/boto/botocore/blob/1.44.5/botocore/data/partitions.json
_REGION = re.compile(r"(?:us|eu|ap|sa|ca|me|af|il|mx)-(?:gov-)?[a-z]+-[0-9]+")


class NoAnswer(Exception):
    """AWS said something that is no answer to the call. The message says what."""


class Endpoint(NamedTuple):
    """Where a service is reached."""

    place: Place
    secure: bool


def call(operation: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """A Call (calls.py), made by a signed request or else, once, by the SDK."""
    try:
        return _answer_in(*send(operation, json.dumps(parameters).encode()))
    except (OSError, HTTPException, ValueError, NoAnswer) as error:
        reason = f"{type(error).__name__}: {error}"
        log.warning("signed call failed", {"operation": operation, "reason": reason}, SignedCallsFailed=1)
        return by_sdk(operation, parameters, attempts=1)


def send(operation: str, body: bytes) -> tuple[int, bytes]:
    """Send a signed request; gives the status and the body of what comes back.

    Raises NoAnswer if only the SDK knows where to send it or as whom, OSError or HTTPException if nothing comes back.
    """
    service = SERVICES[operation]
    way = _way_to(service)
    if not way:
        raise NoAnswer("left to the SDK")
    credentials, endpoint = way
    target = f"{_TARGETS[service]}.{operation}"
    headers = signed_headers(credentials, endpoint.place, target, body, clock.now())
    if trace := config.trace_id():
        headers["x-amzn-trace-id"] = trace
    connection = _connection(endpoint)
    kept = connection.sock is not None
    request = _request(headers, body)
    try:
        return _exchange(connection, endpoint, request)
    except (ConnectionError, SSLError):
        if not kept:
            raise
        # The other side has closed it meanwhile, which is no failure of this call.
        return _exchange(connection, endpoint, request)


def connect() -> None:
    """Open the connections, before the first request comes. What fails now is tried again then."""
    for service in _TARGETS:
        if endpoint := _endpoint(service):
            try:
                _open(_connection(endpoint), endpoint)
            except OSError as error:
                log.warning("not connected", {"service": service, "reason": str(error)})


def disconnect() -> None:
    """Close the connections and forget where they led, and as whom."""
    for connection in _connections.values():
        connection.close()
    _connections.clear()
    _way_to.cache_clear()


_connections: dict[Endpoint, HTTPConnection] = {}


def _connection(endpoint: Endpoint) -> HTTPConnection:
    connection = _connections.get(endpoint)
    if connection is None:
        seconds, _ = SECONDS[endpoint.place.service]
        connection = (
            HTTPSConnection(endpoint.place.host, timeout=seconds, context=_trusted(config.ca_bundle()))
            if endpoint.secure
            else HTTPConnection(endpoint.place.host, timeout=seconds)
        )
        _connections[endpoint] = connection
    return connection


def _open(connection: HTTPConnection, endpoint: Endpoint) -> None:
    connection.connect()
    connection.sock.settimeout(SECONDS[endpoint.place.service][1])


def _exchange(connection: HTTPConnection, endpoint: Endpoint, request: bytes) -> tuple[int, bytes]:
    try:
        if connection.sock is None:
            _open(connection, endpoint)
        connection.send(request)
        response = HTTPResponse(connection.sock, method="POST")
        response.begin()
        body = response.read()
        if response.will_close:
            connection.close()
    except BaseException:
        connection.close()
        raise
    return response.status, body


def _request(headers: Mapping[str, str], body: bytes) -> bytes:
    """The bytes of a request. http.client would send its head and its body one after the other, in two packets."""
    lines = [f"{name}: {value}" for name, value in headers.items()]
    if not "".join(lines).isprintable():
        raise NoAnswer("a header has characters that none may have")
    head = "\r\n".join(["POST / HTTP/1.1", *lines, f"content-length: {len(body)}", "", ""])
    return head.encode("latin-1") + body


def _answer_in(status: int, body: bytes) -> Mapping[str, Any]:
    answer = json.loads(body)
    if not isinstance(answer, dict):
        raise NoAnswer(f"{status} with {type(answer).__name__}")
    if status == HTTPStatus.OK:
        return answer
    # An error may be written as com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException.
    kind = str(answer.get("__type")).rpartition("#")[2]
    if kind == CONDITION_FAILED:
        raise ConditionFailed(kind)
    raise NoAnswer(f"{status} {kind}")


@lru_cache(maxsize=len(_TARGETS))
def _way_to(service: str) -> tuple[Credentials, Endpoint] | None:
    """As whom a service is called, and where; None for what is left to the SDK.

    Read once: Lambda sets a process's environment before it starts, credentials included, and reading it takes as long
    as signing.
    """
    credentials = Credentials(*config.aws_credentials())
    endpoint = _endpoint(service)
    return (credentials, endpoint) if credentials.access_key and credentials.secret_key and endpoint else None


def _endpoint(service: str) -> Endpoint | None:
    return _endpoint_in(service, config.aws_region(), config.aws_endpoint(service), config.special_endpoints())


@lru_cache(maxsize=8)
def _endpoint_in(service: str, region: str, url: str, special: bool) -> Endpoint | None:
    """Where a service of a region is reached, at `url` if one is set; None for what is left to the SDK."""
    if url:
        parts = urlsplit(url)
        own_port = {"http": 80, "https": 443}.get(parts.scheme)
        if own_port is None or not parts.hostname or parts.path.strip("/") or parts.query or parts.username:
            return None
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        port = "" if parts.port in {None, own_port} else f":{parts.port}"
        return Endpoint(Place(host + port, region, service), parts.scheme == "https") if region else None
    if special or not _REGION.fullmatch(region):
        return None
    return Endpoint(Place(f"{service}.{region}.amazonaws.com", region, service), secure=True)


@lru_cache(maxsize=2)
def _trusted(bundle: str) -> SSLContext:
    """Who may vouch for AWS: in a file that is set, or in Lambda Amazon's own authorities, five of them.

    Reading all 126 of the system's takes as long as a call. Amazon recommends these five to whoever keeps a list:
    https://www.amazontrust.com/repository/
    """
    own = f"{__file__.rpartition('/')[0]}/amazon-roots.pem"  # pathlib takes as long to import as this file to read
    return create_default_context(cafile=bundle or (own if config.runs_in_lambda() else None))
