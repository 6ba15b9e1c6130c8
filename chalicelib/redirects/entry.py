"""The Lambda function `follow_link`: GET and HEAD /{code}, as API Gateway or the function's own URL hands them over.

It answers as the app does (middleware.py), and imports neither the app nor Chalice, Powertools or the SDK unless
something goes wrong: a visitor after a pause waits for what is imported here.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote

from chalicelib import browsers, config, log, problems, signed_calls
from chalicelib.calls import CallFailed
from chalicelib.redirects.follow import follow

_NO_HEADERS: Mapping[str, str] = {}


class Asked(NamedTuple):
    """A visitor's request: its headers by names in lower case, its query decoded, all values by their names."""

    method: str
    path: str
    """Decoded, without the slash before it: a code, unless `anywhere`."""
    headers: Mapping[str, str]
    query: Mapping[str, Sequence[str]] | None
    anywhere: bool
    """Whether it may be about something else than a link."""


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Answer a request of API Gateway's (payload format 1.0) or of the function's URL (payload format 2.0)."""
    method, visitor = "", _NO_HEADERS
    try:
        log.begin(context, event["requestContext"].get("requestId"))
        asked = _of_function_url(event) if event.get("version") == "2.0" else _of_rest_api(event)
        method, code, visitor, query, anywhere = asked
        if anywhere and (method not in {"GET", "HEAD"} or not code or "/" in code):
            from chalicelib.redirects import around  # noqa: PLC0415 (a redirect does without it)

            status, headers, body = around.answer(method, code)
        else:
            status, headers, body = follow(method, code, visitor, query, signed_calls.call)
    except problems.Problem as problem:
        status, headers, body = _answer_to(problem, visitor)
    except CallFailed:
        log.exception("a request failed at AWS")
        status, headers, body = _answer_to(problems.Unavailable(), visitor)
    except Exception:  # noqa: BLE001 (whatever it was, the visitor gets an answer and the log the reason)
        log.exception("a request failed")
        status, headers, body = _answer_to(problems.InternalError(), visitor)
    return {
        "statusCode": status,
        "headers": browsers.told(headers, visitor.get("origin"), config.allowed_origins()),
        "body": "" if method == "HEAD" else body,
    }


def _of_rest_api(event: Mapping[str, Any]) -> Asked:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html."""
    return Asked(
        event["requestContext"]["httpMethod"],
        unquote(event["pathParameters"]["code"]),
        {name.lower(): value for name, value in (event["headers"] or {}).items()},
        event.get("multiValueQueryStringParameters"),
        anywhere=False,
    )


def _of_function_url(event: Mapping[str, Any]) -> Asked:
    """https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html: headers are in lower case already."""
    headers, query = event["headers"], event.get("rawQueryString")
    # CloudFront asks by the URL's own host, and not by the one that the visitor knows, which is no referrer.
    if "referer" in headers and (known := config.base_url()):
        headers = {**headers, "host": known.partition("//")[2]}
    return Asked(
        event["requestContext"]["http"]["method"],
        unquote(event["rawPath"][1:].removesuffix("/")),
        headers,
        parse_qs(query, keep_blank_values=True) if query else None,
        anywhere=True,
    )


def _answer_to(problem: problems.Problem, visitor: Mapping[str, str]) -> tuple[int, dict[str, str], str]:
    from chalicelib.visitor_pages import answer_to  # noqa: PLC0415 (a redirect does without it)

    return answer_to(problem, visitor.get("accept"))


if config.runs_in_lambda():
    # Before the first visitor comes: Lambda starts a function with more CPU than its memory buys it later.
    # https://docs.aws.amazon.com/lambda/latest/dg/best-practices.html
    signed_calls.connect()
