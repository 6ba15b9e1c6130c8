"""The Lambda function `follow_link`: GET and HEAD /{code}, as API Gateway hands them over.

It answers as the app does (middleware.py), and imports neither the app nor Chalice, Powertools or the SDK unless
something goes wrong: a visitor after a pause waits for what is imported here.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from chalicelib import browsers, config, log, problems, signed_calls
from chalicelib.calls import CallFailed
from chalicelib.redirects.follow import follow


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Answer a request of API Gateway's (a REST API's proxy integration: payload format 1.0)."""
    method, visitor = "", {}
    try:
        request = event["requestContext"]
        log.begin(context, request.get("requestId"))
        method = request["httpMethod"]
        visitor = {name.lower(): value for name, value in (event["headers"] or {}).items()}
        code, query = unquote(event["pathParameters"]["code"]), event.get("multiValueQueryStringParameters")
        status, headers, body = follow(method, code, visitor, query, signed_calls.call)
    except problems.Problem as problem:
        status, headers, body = problem.answer()
    except CallFailed:
        log.exception("a request failed at AWS")
        status, headers, body = problems.Unavailable().answer()
    except Exception:  # noqa: BLE001 (whatever it was, the visitor gets an answer and the log the reason)
        log.exception("a request failed")
        status, headers, body = problems.InternalError().answer()
    return {
        "statusCode": status,
        "headers": {**headers, **browsers.headers_for(visitor.get("origin"), config.allowed_origins())},
        "body": "" if method == "HEAD" else body,
    }


if config.runs_in_lambda():
    # Before the first visitor comes: Lambda starts a function with more CPU than its memory buys it later.
    # https://docs.aws.amazon.com/lambda/latest/dg/best-practices.html
    signed_calls.connect()
