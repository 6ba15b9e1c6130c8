"""Chalice's door to the redirect: `chalice local` and the test client come in here, API Gateway by entry.py.

Passwords are taken here only, in AWS too.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qs, unquote

from chalice.app import Blueprint, Response

from chalicelib import config
from chalicelib.links.codes import is_code
from chalicelib.problems import BadRequest, BodyTooLarge, LinkNotFound, UnsupportedMediaType
from chalicelib.redirects.follow import follow

if TYPE_CHECKING:
    from chalice.app import Request

routes = Blueprint(__name__)

FORM = "application/x-www-form-urlencoded"

LARGEST_FORM = 16 * 1024
"""Bytes."""


@routes.route("/{code}", methods=["GET", "HEAD"])
def follow_link(code: str) -> Response:
    """Redirect a visitor, as soon as the click is accepted by the queue. With a plus behind the code, only show."""
    request = routes.current_request
    status, headers, body = follow(request.method, unquote(code), request.headers, _query(request))
    return Response(body, {**headers}, status)


@routes.route("/unlock/{code}", methods=["POST"], content_types=[FORM])
def unlock_link(code: str) -> Response:
    """Redirect a visitor who gives the password of a link, as soon as the click is accepted by the queue."""
    from chalicelib.redirects.unlock import unlock

    request = routes.current_request
    form = _form(request)
    if "password" not in form:
        raise BadRequest("The form has no field 'password'.")
    headers = {name.lower(): value for name, value in request.headers.items()}
    if form.get("referrer"):  # the browser itself comes from our own page by now
        headers["referer"] = form["referrer"]
    if known := config.base_url():  # CloudFront asks by API Gateway's host, which is not that of our page
        headers["host"] = known.partition("//")[2]
    url = unlock(unquote(code), form["password"], headers, _query(request) or {})
    return _see(url) if url else get_unlock(code)


@routes.route("/unlock/{code}", methods=["GET"])
def get_unlock(code: str) -> Response:
    """Lead back to the link, of which a visitor has kept the address that the password was sent to."""
    request = routes.current_request
    code = unquote(code)
    if not is_code(code):
        raise LinkNotFound(code)
    from chalicelib.redirects.life import encoded

    query = _query(request)
    # Relative, since a stage of API Gateway is in the path that a visitor sees, and in none that we do.
    return _see(f"../{code}" + (f"?{encoded(query)}" if query else ""))


def _see(url: str) -> Response:
    """The answer to a form that leads elsewhere (RFC 9110, section 15.4.4)."""
    return Response("", {"Location": url, "Cache-Control": "private, no-store"}, 303)


def _query(request: "Request") -> Mapping[str, Sequence[str]] | None:
    given = request.query_params
    return {name: given.getlist(name) for name in given} if given else None


def _form(request: "Request") -> Mapping[str, str]:
    """The fields of a form, the last of each name. Raises what is wrong with it."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise UnsupportedMediaType("password as a form", FORM)
    body = cast("bytes", request.raw_body)
    if len(body) > LARGEST_FORM:
        raise BodyTooLarge(f"The form has {len(body)} bytes. At most {LARGEST_FORM} are read.")
    try:
        fields = parse_qs(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=10)
    except ValueError as error:
        raise BadRequest(f"The form cannot be read: {error}.") from error
    return {name: values[-1] for name, values in fields.items()}
