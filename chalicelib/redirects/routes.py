"""Chalice's door to the redirect: `chalice local` and the test client come in here, API Gateway by entry.py."""

from urllib.parse import unquote

from chalice.app import Blueprint, Response

from chalicelib.redirects.follow import follow

routes = Blueprint(__name__)


@routes.route("/{code}", methods=["GET", "HEAD"])
def follow_link(code: str) -> Response:
    """Redirect a visitor, as soon as the click is accepted by the queue."""
    request = routes.current_request
    given = request.query_params
    query = {name: given.getlist(name) for name in given} if given else None
    return Response("", {**follow(request.method, unquote(code), request.headers, query)}, 302)
