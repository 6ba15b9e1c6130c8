"""The HTTP routes of links. Each imports its own feature: a redirect, which has none of them, starts without it."""

import re
from typing import TYPE_CHECKING, Annotated, Any, TypedDict, TypeVar
from urllib.parse import unquote

import msgspec
from chalice.app import Blueprint, Request, Response

from chalicelib import config
from chalicelib.links.codes import WishedCode
from chalicelib.links.link import LONGEST_URL, Link, PublicLink, Status
from chalicelib.parameters import whole_number
from chalicelib.problems import BadRequest, BodyTooLarge, LinkDeleted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalicelib.access.callers import Caller

routes = Blueprint(__name__)

LARGEST_BODY = 16 * 1024
"""Bytes."""

DEFAULT_LIMIT = 50
LARGEST_LIMIT = 100

VERSION_TAG = '"([1-9][0-9]{0,17})"'
"""The ETag of a link, which is its version, and what If-Match asks for."""

Body = TypeVar("Body")

Target = Annotated[
    str,
    msgspec.Meta(
        description=(
            "Where the link leads: http or https, which it gets if it has neither, without a user name or password, "
            "not the shortener's own address."
        ),
        extra_json_schema={"minLength": 1, "maxLength": LONGEST_URL},
    ),
]
"""A url in a request, to be checked by `normalise_url`, which says why it is refused."""


class NewLink(msgspec.Struct, forbid_unknown_fields=True):
    """A wish for a link; without a code, one is chosen."""

    url: Target
    code: WishedCode | None = None


class NewTarget(msgspec.Struct, forbid_unknown_fields=True):
    """Where a link shall lead from now on."""

    url: Target


class LinkList(TypedDict):
    """A page of links; `next` is the cursor of the one after it, or null."""

    items: list[PublicLink]
    next: str | None


@routes.route("/links", methods=["POST"])
def post_link() -> Response:
    """Create a link."""
    from chalicelib.links.create import Wish, create_link
    from chalicelib.links.once import create_link_once

    request = routes.current_request
    body = _body(request, NewLink)
    wish = Wish(body.url, body.code, _caller(request).owner, _own_addresses(request))
    base_url = base_url_of(request)
    key = request.headers.get("idempotency-key")
    if key is None:
        link = create_link(wish).public(base_url)
    else:
        link = create_link_once(key, wish, base_url, request.lambda_context)
    return Response(link, {"Location": link["short_url"], "ETag": f'"{link["version"]}"'}, 201)


@routes.route("/links", methods=["GET"])
def get_links() -> LinkList:
    """List links, newest first: the caller's, or those of the owner that an admin asks for."""
    from chalicelib.access.keys import LONGEST_OWNER
    from chalicelib.links.listing import list_links

    request = routes.current_request
    parameters: Mapping[str, str] = request.query_params or {}
    caller = _caller(request)
    owner = parameters.get("owner", caller.owner)
    if not 1 <= len(owner) <= LONGEST_OWNER:
        raise BadRequest(f"The parameter 'owner' must have 1 to {LONGEST_OWNER} characters.")
    caller.require_may_see(owner)
    limit = whole_number(parameters, "limit", DEFAULT_LIMIT, LARGEST_LIMIT)
    page = list_links(owner, limit, parameters.get("cursor"))
    base_url = base_url_of(request)
    return {"items": [link.public(base_url) for link in page.links], "next": page.next}


@routes.route("/links/{code}", methods=["GET"])
def get_link(code: str) -> Response:
    """Show a link to its owner."""
    from chalicelib.links.store import read_link

    request = routes.current_request
    link = read_link(unquote(code))
    _caller(request).require_may_see(link.owner)
    if link.status is Status.DELETED:
        raise LinkDeleted(link.code)
    return _shown(link)


@routes.route("/links/{code}", methods=["PUT"])
def put_link(code: str) -> Response:
    """Point a link at another url."""
    from chalicelib.links.change import change_target

    request = routes.current_request
    body = _body(request, NewTarget)
    return _shown(change_target(unquote(code), body.url, _caller(request), _if_match(request), _own_addresses(request)))


@routes.route("/links/{code}", methods=["DELETE"])
def remove_link(code: str) -> Response:
    """Delete a link."""
    from chalicelib.links.change import delete_link

    request = routes.current_request
    delete_link(unquote(code), _caller(request), _if_match(request))
    return Response("", status_code=204)


def base_url_of(request: Request) -> str:
    """Where visitors follow links, without a slash at the end: the setting, or else where this request came in."""
    return config.base_url() or _address_of(request)


def _shown(link: Link) -> Response:
    return Response(link.public(base_url_of(routes.current_request)), {"ETag": f'"{link.version}"'})


def _address_of(request: Request) -> str:
    """The address at which the app was reached: API Gateway's own with its stage, or a custom domain without one."""
    context = request.context
    host = context.get("domainName") or request.headers.get("host", "localhost")
    scheme = request.headers.get("x-forwarded-proto", "http")
    stage_path = context["path"].removesuffix(request.to_original_event().get("path") or context["path"])
    return f"{scheme}://{host}{stage_path}"


def _own_addresses(request: Request) -> frozenset[str]:
    return frozenset({base_url_of(request), _address_of(request)})


def _caller(request: Request) -> "Caller":
    caller: Caller = request.context["caller"]
    return caller


def _body(request: Request, kind: type[Body]) -> Body:
    body: Any = request.raw_body
    if len(body) > LARGEST_BODY:
        raise BodyTooLarge(f"The body has {len(body)} bytes. At most {LARGEST_BODY} are read.")
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise BadRequest(f"The body does not fit: {error}.") from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadRequest(f'The body is not JSON ({error}). Send an object like {{"url": "https://…"}}.') from error


def _if_match(request: Request) -> int | None:
    """The version that If-Match asks for (RFC 9110, section 13.1.1); None if it asks for none."""
    text = request.headers.get("if-match", "*").strip()
    if text == "*":
        return None
    match = re.fullmatch(VERSION_TAG, text)
    if match is None:
        raise BadRequest("If-Match must be the ETag of the link as you read it, such as \"3\", or '*'.")
    return int(match[1])
