"""The HTTP routes of links."""

from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec
from chalice.app import Blueprint, Request, Response

from chalicelib import config
from chalicelib.access.callers import Caller
from chalicelib.links.create import create_link
from chalicelib.links.store import read_link
from chalicelib.problems import BadRequest, BodyTooLarge

routes = Blueprint(__name__)

LARGEST_BODY = 16 * 1024
"""Bytes."""


class NewLink(msgspec.Struct, forbid_unknown_fields=True):
    """The body of POST /links."""

    url: str
    code: str | None = None


@routes.route("/links", methods=["POST"])
def post_link() -> Response:
    """Create a link."""
    request = routes.current_request
    wish = _body(request)
    base = base_url_of(request)
    own_hosts = frozenset({urlsplit(base).netloc, urlsplit(_address_of(request)).netloc})
    link = create_link(wish.url, wish.code, _caller(request).owner, own_hosts).public(base)
    return Response(link, {"Location": link["short_url"]}, 201)


@routes.route("/links/{code}", methods=["GET"])
def get_link(code: str) -> Response:
    """Show a link to its owner."""
    request = routes.current_request
    link = read_link(unquote(code))
    _caller(request).require_may_see(link.owner)
    return Response(link.public(base_url_of(request)), {"ETag": f'"{link.version}"'})


def base_url_of(request: Request) -> str:
    """Where visitors follow links, without a slash at the end: the setting, or else where this request came in."""
    return config.base_url() or _address_of(request)


def _address_of(request: Request) -> str:
    """The address at which the app was reached: API Gateway's own with its stage, or a custom domain without one."""
    context = request.context
    host = context.get("domainName") or request.headers.get("host", "localhost")
    scheme = request.headers.get("x-forwarded-proto", "http")
    stage_path = context["path"].removesuffix(request.to_original_event().get("path") or context["path"])
    return f"{scheme}://{host}{stage_path}"


def _caller(request: Request) -> Caller:
    caller: Caller = request.context["caller"]
    return caller


def _body(request: Request) -> NewLink:
    body: Any = request.raw_body
    if len(body) > LARGEST_BODY:
        raise BodyTooLarge(f"The body has {len(body)} bytes. At most {LARGEST_BODY} are read.")
    try:
        return msgspec.json.decode(body, type=NewLink)
    except msgspec.ValidationError as error:
        raise BadRequest(f"The body does not fit: {error}.") from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadRequest(f'The body is not JSON ({error}). Send an object like {{"url": "https://…"}}.') from error
