"""The HTTP routes of links. Each imports its own feature: a redirect, which has none of them, starts without it."""

import re
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import unquote

import msgspec
from chalice.app import Blueprint, Request, Response
from msgspec import structs

from chalicelib.addresses import base_url, own_addresses
from chalicelib.links.link import Link, Use, defaults, fields, patch_body, request_body
from chalicelib.parameters import whole_number
from chalicelib.problems import BadRequest, BodyTooLarge, UnsupportedMediaType

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chalicelib.access.callers import Caller

routes = Blueprint(__name__)

LARGEST_BODY = 16 * 1024
LARGEST_BODY_OF_MANY = 256 * 1024
"""Bytes."""

MOST_AT_ONCE = 100
"""Links that one request may create."""

DEFAULT_LIMIT = 50
LARGEST_LIMIT = 100

JSON = "application/json"
PATCH_TYPES = ("application/merge-patch+json", JSON)

VERSION_TAG = '"([1-9][0-9]{0,17})"'
"""The ETag of a link, which is its version, and what If-Match asks for."""

NewLink = request_body("NewLink", Use.CREATE, "A new link; without a code, one is chosen.", code=None)
NewLinks = Annotated[list[NewLink], msgspec.Meta(min_length=1, max_length=MOST_AT_ONCE)]  # type: ignore[valid-type]
ChangedLink = request_body(
    "ChangedLink",
    Use.CHANGE,
    "What a link shall be from now on. What is left out goes to its default, but the password stays; what only we set "
    "is left alone.",
    ignored=Use.SHOW,
    password=msgspec.UNSET,
)
LinkPatch = patch_body(
    "LinkPatch", Use.CHANGE, "A merge patch (RFC 7396): only what is given changes; null is a default."
)


@routes.route("/links", methods=["POST"])
def post_link() -> Response:
    """Create a link, or many of them: an array is answered by an array, whose links each have a status."""
    from chalicelib.links.create import LinkRequest, create_link
    from chalicelib.links.once import create_link_once

    request = routes.current_request
    body: Any = request.raw_body
    if _media_type(request) == JSON and body.lstrip().startswith(b"["):
        return _post_links(request)
    asked_for = LinkRequest(_given(request, NewLink), _caller(request), own_addresses(request))
    key = request.headers.get("idempotency-key")
    if key is None:
        link = create_link(asked_for).public(base_url(request))
    else:
        link = create_link_once(key, asked_for, base_url(request), request.lambda_context)
    return Response(link, {"Location": link["short_url"], "ETag": f'"{link["version"]}"'}, 201)


def _post_links(request: Request) -> Response:
    from chalicelib.links.create import LinkRequest
    from chalicelib.links.many import Many, create_links, create_links_once

    caller, own = _caller(request), own_addresses(request)
    texts: list[msgspec.Raw] = _decoded(request.raw_body, list[msgspec.Raw], LARGEST_BODY_OF_MANY)
    if not 1 <= len(texts) <= MOST_AT_ONCE:
        raise BadRequest(f"The body has {len(texts)} links. It may have 1 to {MOST_AT_ONCE}.")

    def read(text: msgspec.Raw) -> LinkRequest:
        given = structs.asdict(_decoded(bytes(text), NewLink))
        if given["password"] is not None:  # a hundred of them take longer to hash than there is time
            raise BadRequest("One of many links cannot be given a password. Create it without, and add it with PATCH.")
        return LinkRequest(given, caller, own)

    context: Any = request.lambda_context
    many = Many(
        read=[partial(read, text) for text in texts],
        owner=caller.owner,
        base_url=base_url(request),
        seconds_left=lambda: float(context.get_remaining_time_in_millis()) / 1000,
    )
    key = request.headers.get("idempotency-key")
    if key is None:
        return Response({"items": create_links(many)})
    payload = _decoded(request.raw_body, list[Any], LARGEST_BODY_OF_MANY)
    return Response({"items": create_links_once(key, many, payload, context)})


@routes.route("/links", methods=["GET"])
def get_links() -> dict[str, Any]:
    """List links, newest first: the caller's, or those of the owner that an admin asks for."""
    from chalicelib.links.listing import list_links, owner_asked_for, search_asked_for

    request = routes.current_request
    parameters: Mapping[str, str] = request.query_params or {}
    owner = owner_asked_for(parameters, _caller(request))
    limit = whole_number(parameters, "limit", DEFAULT_LIMIT, LARGEST_LIMIT)
    page = list_links(owner, limit, parameters.get("cursor"), search_asked_for(parameters))
    address = base_url(request)
    return {"items": [link.public(address) for link in page.links], "next": page.next}


@routes.route("/links/{code}", methods=["GET"])
def get_link(code: str) -> Response:
    """Show a link to its owner."""
    from chalicelib.links.show import visible_link

    return _shown(visible_link(unquote(code), _caller(routes.current_request)))


@routes.route("/links/{code}", methods=["PUT"])
def put_link(code: str) -> Response:
    """Make a link anew: what is left out goes to its default, but the password stays."""
    given = _given(routes.current_request, ChangedLink)
    return _changed(code, {name: given[name] for name in fields(Use.CHANGE) if given[name] is not msgspec.UNSET})


@routes.route("/links/{code}", methods=["PATCH"], content_types=[*PATCH_TYPES])
def patch_link(code: str) -> Response:
    """Change of a link what is given, and nothing else."""
    given = _given(routes.current_request, LinkPatch, PATCH_TYPES)
    changes = {name: value for name, value in given.items() if value is not msgspec.UNSET}
    if "url" in changes and changes["url"] is None:
        raise BadRequest("A link leads somewhere: 'url' cannot be null.")
    return _changed(code, {name: defaults()[name] if value is None else value for name, value in changes.items()})


def _changed(code: str, given: "Mapping[str, Any]") -> Response:
    from chalicelib.links.change import change_link

    request = routes.current_request
    return _shown(change_link(unquote(code), given, _caller(request), _if_match(request), own_addresses(request)))


@routes.route("/links/{code}", methods=["DELETE"])
def remove_link(code: str) -> Response:
    """Delete a link."""
    from chalicelib.links.change import delete_link

    request = routes.current_request
    delete_link(unquote(code), _caller(request), _if_match(request))
    return Response("", status_code=204)


def _shown(link: Link) -> Response:
    return Response(link.public(base_url(routes.current_request)), {"ETag": f'"{link.version}"'})


def _caller(request: Request) -> "Caller":
    caller: Caller = request.context["caller"]
    return caller


def _given(request: Request, kind: type[msgspec.Struct], types: "Sequence[str]" = (JSON,)) -> dict[str, Any]:
    """The fields in the body of a request, of one of these media types. Raises what is wrong with it."""
    if _media_type(request) not in types:
        raise UnsupportedMediaType
    return structs.asdict(_decoded(request.raw_body, kind))


def _media_type(request: Request) -> str:
    media_type: str = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return media_type


def _decoded(body: Any, kind: Any, most: int = LARGEST_BODY) -> Any:
    """The body of a request as this type. Raises what is wrong with it."""
    if len(body) > most:
        raise BodyTooLarge(f"The body has {len(body)} bytes. At most {most} are read.")
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
