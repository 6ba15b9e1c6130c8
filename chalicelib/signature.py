"""AWS's Signature Version 4 for a POST with a body of JSON to the root of a service.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

_ALGORITHM = "AWS4-HMAC-SHA256"
_CONTENT_TYPE = "application/x-amz-json-1.0"


class Credentials(NamedTuple):
    """Who calls. The token is empty for those of a user; a role's have one."""

    access_key: str
    secret_key: str
    token: str


class Place(NamedTuple):
    """Where a request goes; `host` is the Host header that is sent, with a port if it is not the scheme's own."""

    host: str
    region: str
    service: str


def signed_headers(
    credentials: Credentials, place: Place, target: str, body: bytes, moment: datetime
) -> dict[str, str]:
    """The headers of a request for `target`, such as AmazonSQS.SendMessage, made at a time in UTC."""
    timestamp = moment.strftime("%Y%m%dT%H%M%SZ")
    day = timestamp[:8]
    # In alphabetical order, as the signature wants them.
    headers = {"content-type": _CONTENT_TYPE, "host": place.host, "x-amz-date": timestamp}
    if credentials.token:
        headers["x-amz-security-token"] = credentials.token
    headers["x-amz-target"] = target
    names = ";".join(headers)
    lines = "".join([f"{name}:{value}\n" for name, value in headers.items()])
    request = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{day}/{place.region}/{place.service}/aws4_request"
    text = f"{_ALGORITHM}\n{timestamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = signing_key(credentials.secret_key, day, place.region, place.service)
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    headers["authorization"] = (
        f"{_ALGORITHM} Credential={credentials.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return headers


@lru_cache(maxsize=8)
def signing_key(secret_key: str, day: str, region: str, service: str) -> bytes:
    """The key that signs a day's requests, kept for the next one."""
    key = f"AWS4{secret_key}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
