"""The Chalice app, as a table of contents: its middleware, its routes, and a line for each trigger."""

import gc

gc.disable()  # until all is imported: nothing of it ever becomes garbage, but looking takes a twentieth of a cold start

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import BotoCoreError, ClientError
from chalice.app import Chalice, DynamoDBEvent, Request, Response, SNSEvent, SQSEvent

from chalicelib import addresses, aws, browsers, config, observability, problems
from chalicelib.analytics.routes import routes as analytics_routes
from chalicelib.clicks.routes import routes as clicks_routes
from chalicelib.links.routes import routes as links_routes
from chalicelib.observability import logger
from chalicelib.redirects.routes import routes as redirects_routes

if TYPE_CHECKING:
    from chalicelib.openapi import Health

app = Chalice("linkly", configure_logs=False)

PUBLIC = frozenset(
    {("GET", "/health"), ("GET", "/openapi.json"), ("GET", "/robots.txt"), ("GET", "/{code}"), ("HEAD", "/{code}")}
)
"""What anyone may call, beside OPTIONS. Every other route, and every one to come, asks for an API key."""


@app.middleware("http")
def tell_browsers(request: Request, get_response: Callable[[Request], Response]) -> Response:
    """Give every answer the headers that say what a browser may do with it."""
    response = get_response(request)
    response.headers.update(browsers.ALWAYS)
    response.headers.update(browsers.headers_for(request.headers.get("origin"), config.allowed_origins()))
    return response


@app.middleware("http")
def answer_problems(request: Request, get_response: Callable[[Request], Response]) -> Response:
    """Let every error leave as RFC 9457 problem details, Chalice's own included."""
    response = _answer(get_response, request)
    if response.status_code >= 400 and response.headers.get("Content-Type") != problems.CONTENT_TYPE:
        response = _problem(problems.of_status(response.status_code))
    if request.method == "HEAD":
        response.body = ""
    return response


@app.middleware("all")
def begin_logging(event: Any, get_response: Callable[[Any], Any]) -> Any:
    """Have every log line say which invocation it is of."""
    if isinstance(event, Request):
        observability.begin(event.lambda_context, event.context.get("requestId"))
    else:
        observability.begin(event.context)
    return get_response(event)


@app.middleware("http")
def admit_caller(request: Request, get_response: Callable[[Request], Response]) -> Response:
    """Refuse whoever has no valid key, on every route that is not PUBLIC."""
    if request.method not in app.routes.get(request.path, {}):
        raise problems.NotFound(f"There is nothing at {request.method} {request.context['path']}.")
    if request.method != "OPTIONS" and (request.method, request.path) not in PUBLIC:
        from chalicelib.access.callers import authenticate

        request.context["caller"] = authenticate(request.headers.get("authorization"))
        answer = get_response(request)
        answer.headers["Cache-Control"] = "no-store"  # it is this caller's alone: RFC 9111, section 3.5
        return answer
    return get_response(request)


app.register_blueprint(links_routes)
app.register_blueprint(clicks_routes)
app.register_blueprint(analytics_routes)
app.register_blueprint(redirects_routes)


@app.route("/health", methods=["GET"])
def get_health() -> "Health":
    """Say that the app answers; no table and no queue is asked."""
    return {"status": "ok"}


@app.route("/robots.txt", methods=["GET"])
def get_robots() -> Response:
    """Ask crawlers to stay away."""
    return Response(browsers.ROBOTS, {"Content-Type": "text/plain"})


@app.route("/openapi.json", methods=["GET"])
def get_openapi() -> dict[str, Any]:
    """Describe this API, as OpenAPI 3.1."""
    from chalicelib import openapi

    return openapi.describe(app.routes, PUBLIC, addresses.base_url(cast("Request", app.current_request)))


def show_options(**_: str) -> Response:
    """Say which methods a path has: what a browser asks before it sends another site's request with a key."""
    path = cast("Request", app.current_request).path
    return Response("", {**browsers.options_of(app.routes[path])}, 204)


# Chalice's own CORS allows one origin or all of them, and API Gateway answers for it without asking the app.
for path in tuple(app.routes):
    app.route(path, methods=["OPTIONS"])(show_options)


# infra/template.yaml says which queue, topic or stream each of these names means: they have the stage in their names.
# Each function imports its own feature: the others, and above all the redirect, start without it.


# 495 clicks on one link are five full transactions; with five more, a sixth would have next to nothing in it.
@app.on_sqs_message(queue="clicks", batch_size=495, maximum_batching_window_in_seconds=2, maximum_concurrency=5)
def record_clicks(event: SQSEvent) -> dict[str, Any]:
    """Count clicks."""
    from chalicelib.clicks import recorder

    return recorder.record_clicks(event.to_dict(), event.context)


@app.on_dynamodb_record("links", batch_size=100, starting_position="TRIM_HORIZON")
def publish_link_events(event: DynamoDBEvent) -> None:
    """Announce changes of links."""
    from chalicelib.links import publisher

    publisher.publish_link_events(event.to_dict())


@app.on_sqs_message(queue="link-changes", batch_size=10)
def refresh_redirects(event: SQSEvent) -> dict[str, Any]:
    """Keep the redirect cache right."""
    from chalicelib.redirects import refresher

    return refresher.refresh_redirects(event.to_dict(), event.context)


@app.on_sns_message(topic="link-events")
def count_created_links(event: SNSEvent) -> None:
    """Count new links."""
    from chalicelib.analytics.daily_links import count_created_link

    count_created_link(event.message)


@app.on_sqs_message(queue="deleted-links", batch_size=1)
def purge_clicks(event: SQSEvent) -> dict[str, Any]:
    """Remove the clicks of deleted links."""
    from chalicelib.clicks import purge

    return purge.purge_clicks(event.to_dict(), event.context)


def _answer(call: Callable[..., Response], *args: Any, **kwargs: Any) -> Response:
    try:
        return call(*args, **kwargs)
    except problems.Problem as problem:
        return _problem(problem)
    except (BotoCoreError, ClientError):
        logger.exception("a request failed at AWS")
        return _problem(problems.Unavailable("The database cannot be reached just now. Try again in a moment."))
    except Exception:  # noqa: BLE001 (whatever it was, the caller gets an answer and the log the reason)
        logger.exception("a request failed")
        return _problem(problems.InternalError())


def _problem(problem: problems.Problem) -> Response:
    answer = Response(
        problem.body(), {"Content-Type": problems.CONTENT_TYPE, "Cache-Control": "no-store"}, problem.status
    )
    answer.headers.update(problem.headers)
    return answer


def _answering(view: Callable[..., Response]) -> Callable[..., Response]:
    return functools.wraps(view)(functools.partial(_answer, view))


# Chalice turns what a view raises into a 500 before any middleware sees it: https://github.com/aws/chalice/issues/1884
for methods in app.routes.values():
    for route in methods.values():
        route.view_function = _answering(route.view_function)
        route.content_types = []  # a view that reads a body looks at its type, and needs one

if config.runs_in_lambda():
    # Before the first request comes: Lambda starts a function with more CPU than its memory buys it later.
    # https://docs.aws.amazon.com/lambda/latest/dg/best-practices.html
    aws.dynamodb()
    aws.sqs()

gc.freeze()
gc.enable()
