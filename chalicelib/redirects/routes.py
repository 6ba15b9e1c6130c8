"""The route that everything else is there for."""

from http import HTTPStatus
from urllib.parse import unquote

from chalice.app import Blueprint, Response

from chalicelib import clock
from chalicelib.clicks.click import new_click
from chalicelib.clicks.queue import enqueue
from chalicelib.links.codes import LONGEST_CODE
from chalicelib.observability import logger, measured
from chalicelib.problems import Problem
from chalicelib.redirects.follow import target_of

routes = Blueprint(__name__)

_REFUSALS = {HTTPStatus.NOT_FOUND: "RedirectsUnknown", HTTPStatus.GONE: "RedirectsDeleted"}
"""The metric of each; any other is RedirectsFailed."""


@routes.route("/{code}", methods=["GET", "HEAD"])
def follow_link(code: str) -> Response:
    """Redirect a visitor, as soon as the click is accepted by the queue.

    302 and no-store (RFC 9110, section 15.4.3; RFC 9111, section 5.2.2.5): a redirect that a browser, a proxy or a
    link preview remembers is a click that never reaches us.
    """
    request = routes.current_request
    code = unquote(code)
    try:
        target = target_of(code)
    except Exception as error:
        status = error.status if isinstance(error, Problem) else HTTPStatus.INTERNAL_SERVER_ERROR
        outcome = _REFUSALS.get(status, "RedirectsFailed")
        logger.info("not redirected", extra={"code": code[:LONGEST_CODE], **measured(**{outcome: 1})})
        raise
    metrics = {"RedirectsFound": 1, target.source: 1}
    if request.method == "GET":
        enqueue(new_click(code, request.headers, clock.now()), metrics)
    else:
        logger.info("redirected", extra={"code": code, **measured(**metrics)})
    return Response("", {"Location": target.url, "Cache-Control": "private, no-store"}, 302)
