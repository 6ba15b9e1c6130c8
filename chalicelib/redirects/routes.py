"""Chalice's door to the redirect: `chalice local` and the test client come in here, API Gateway by entry.py."""

from urllib.parse import unquote

from chalice.app import Blueprint, Response

from chalicelib.redirects.follow import follow

routes = Blueprint(__name__)


@routes.route("/{code}", methods=["GET", "HEAD"])
def follow_link(code: str) -> Response:
    """Redirect a visitor, as soon as the click is accepted by the queue."""
    request = routes.current_request
    return Response("", {**follow(request.method, unquote(code), request.headers, request.query_params)}, 302)
