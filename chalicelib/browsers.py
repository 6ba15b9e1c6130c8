"""What every answer tells a browser: how to treat it, and which other sites' scripts may read it.

API Gateway answers some requests itself: infra/template.yaml gives those answers the same headers, and
ops/local/gateway.py those of `chalice local`.
"""

from collections.abc import Iterable, Mapping
from typing import Any

ALWAYS: Mapping[str, str] = {
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
    # What a target learns of the page that a visitor came from: its origin and never its path, as browsers do by
    # default, even where that page would send more. Nothing would be learnt with no-referrer, but then links would
    # hide from a target's own statistics where its visitors come from. A redirect's policy can only tighten the page's:
    # https://www.w3.org/TR/referrer-policy/#set-requests-referrer-policy-on-redirect
    "Referrer-Policy": "strict-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",  # for browsers that do not know frame-ancestors
    "X-Robots-Tag": "noindex",
}
"""See https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html#security-headers."""


def headers_for(origin: str | None, allowed_origins: frozenset[str]) -> dict[str, str]:
    """ALWAYS, and what an answer to a script of `origin`, or to nobody's, says about who may read it.

    https://fetch.spec.whatwg.org. Credentials are never allowed: a key is in a header that the script itself sets, and
    there are no cookies.
    """
    if not allowed_origins:
        return {**ALWAYS}
    if origin not in allowed_origins:
        return {**ALWAYS, "Vary": "Origin"}
    return {
        **ALWAYS,
        "Vary": "Origin",
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Expose-Headers": "ETag, Location, Retry-After",
    }


def told(headers: Mapping[str, Any], origin: str | None, allowed_origins: frozenset[str]) -> dict[str, Any]:
    """The headers of an answer, and with them `headers_for`. One that the answer has already stays; Vary adds up."""
    added = headers_for(origin, allowed_origins)
    vary = ", ".join(each["Vary"] for each in (headers, added) if "Vary" in each)
    return {**headers, **added, **headers, **({"Vary": vary} if vary else {})}


def options_of(methods: Iterable[str]) -> dict[str, str]:
    """What the answer to OPTIONS says of a path with these methods; a browser heeds it if it may read the answer."""
    listed = ", ".join(sorted(methods))
    return {
        "Allow": listed,
        "Access-Control-Allow-Methods": listed,
        "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key, If-Match",
        "Access-Control-Max-Age": "600",
    }
