"""What every request meets before its route, and every answer afterwards: keys, problems, headers, log lines.

`install` is called once, when all routes are there.
"""

import functools
from collections.abc import Callable
from typing import Any, cast

from botocore.exceptions import BotoCoreError, ClientError
from chalice.app import Chalice, Request, Response

from chalicelib import browsers, config, observability, problems, visitor_pages
from chalicelib.calls import CallFailed
from chalicelib.observability import logger

PUBLIC = frozenset(
    {
        ("GET", "/"),
        ("GET", "/health"),
        ("GET", "/openapi.json"),
        ("GET", "/robots.txt"),
        ("GET", "/{code}"),
        ("HEAD", "/{code}"),
        ("GET", "/links/{code}/qr.svg"),
        ("GET", "/ui"),
        ("GET", "/ui/{version}/{file}"),
        ("GET", "/unlock/{code}"),
        ("POST", "/unlock/{code}"),
    }
)
"""What anyone may call, beside OPTIONS. Every other route, and every one to come, asks for an API key."""

View = Callable[..., Any]
Next = Callable[[Request], Response]


def install(app: Chalice) -> None:
    """Give an app this middleware, and each of its paths an answer to OPTIONS.

    The first one is the outermost. Triggers meet `begin_logging` only.
    """
    _answer_options(app)
    for methods in app.routes.values():
        for route in methods.values():
            # Chalice turns what a view raises into a 500 before any middleware sees it:
            # https://github.com/aws/chalice/issues/1884
            route.view_function = functools.wraps(route.view_function)(
                functools.partial(_view, app, route.view_function)
            )
            route.content_types = []  # a view that reads a body looks at its type, and needs one
    app.register_middleware(tell_browsers, "http")
    app.register_middleware(answer_problems, "http")
    app.register_middleware(begin_logging, "all")
    app.register_middleware(functools.partial(admit_caller, app), "http")


def tell_browsers(request: Request, get_response: Next) -> Response:
    """Give every answer the headers that say what a browser may do with it; one that it has already stays."""
    response = get_response(request)
    response.headers = browsers.told(response.headers, request.headers.get("origin"), config.allowed_origins())
    return response


def answer_problems(request: Request, get_response: Next) -> Response:
    """Let every error leave as RFC 9457 problem details or as a page, Chalice's own included."""
    response = _answer(request, functools.partial(get_response, request))
    ours = {problems.CONTENT_TYPE, visitor_pages.CONTENT_TYPE}
    if response.status_code >= 400 and response.headers.get("Content-Type") not in ours:
        response = _problem(problems.of_status(response.status_code), request)
    if request.method == "HEAD":
        response.body = ""
    return response


def begin_logging(event: Any, get_response: Callable[[Any], Any]) -> Any:
    """Have every log line say which invocation it is of."""
    if isinstance(event, Request):
        observability.begin(event.lambda_context, event.context.get("requestId"))
    else:
        observability.begin(event.context)
    return get_response(event)


def admit_caller(app: Chalice, request: Request, get_response: Next) -> Response:
    """Refuse whoever has no valid key, on every route that is not PUBLIC; keep what a key's holder gets from caches."""
    if request.method not in app.routes.get(request.path, {}):
        raise problems.NotFound(f"There is nothing at {request.method} {request.context['path']}.")
    if request.method == "OPTIONS" or (request.method, request.path) in PUBLIC:
        return get_response(request)
    from chalicelib.access.callers import authenticate  # noqa: PLC0415 (a redirect does without it)

    request.context["caller"] = authenticate(request.headers.get("authorization"))
    response = get_response(request)
    response.headers["Cache-Control"] = "no-store"  # it is this caller's alone: RFC 9111, section 3.5
    return response


def _answer_options(app: Chalice) -> None:
    # Chalice's own CORS allows one origin or all of them, and API Gateway answers for it without asking the app.
    def show_options(**_: str) -> Response:
        """Say which methods a path has: what a browser asks before it sends another site's request with a key."""
        path = cast("Request", app.current_request).path
        return Response("", {**browsers.options_of(app.routes[path])}, 204)

    for path in tuple(app.routes):
        app.route(path, methods=["OPTIONS"])(show_options)


def _view(app: Chalice, view: View, **parameters: str) -> Response:
    return _answer(cast("Request", app.current_request), functools.partial(view, **parameters))


def _answer(request: Request, call: Callable[[], Response]) -> Response:
    try:
        return call()
    except problems.Problem as problem:
        return _problem(problem, request)
    except (BotoCoreError, ClientError, CallFailed):
        logger.exception("a request failed at AWS")
        return _problem(problems.Unavailable(), request)
    except Exception:  # noqa: BLE001 (whatever it was, the caller gets an answer and the log the reason)
        logger.exception("a request failed")
        return _problem(problems.InternalError(), request)


def _problem(problem: problems.Problem, request: Request) -> Response:
    status, headers, body = visitor_pages.answer_to(problem, request.headers.get("accept"))
    return Response(body, {**headers}, status)
