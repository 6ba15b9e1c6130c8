"""The route that everything else is there for."""

from urllib.parse import unquote

from chalice.app import Blueprint, Response

from chalicelib import clock
from chalicelib.clicks.click import new_click
from chalicelib.clicks.queue import enqueue
from chalicelib.redirects.follow import target_of

routes = Blueprint(__name__)


# No content type is asked of a visitor's request: none of what they send is read.
@routes.route("/{code}", methods=["GET", "HEAD"], content_types=[])
def follow_link(code: str) -> Response:
    """Redirect a visitor, as soon as the click is accepted by the queue.

    302 and no-store (RFC 9110, section 15.4.3; RFC 9111, section 5.2.2.5): a redirect that a browser, a proxy or a
    link preview remembers is a click that never reaches us.
    """
    request = routes.current_request
    code = unquote(code)
    url = target_of(code)
    if request.method == "GET":
        enqueue(new_click(code, request.headers, clock.now()))
    return Response("", {"Location": url, "Cache-Control": "private, no-store"}, 302)
