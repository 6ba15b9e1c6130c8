"""Somebody's links, newest first, a page at a time."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from chalicelib.access.callers import Caller
from chalicelib.links.link import LONGEST_OWNER, Link
from chalicelib.links.store import Position, query_links
from chalicelib.problems import BadRequest


@dataclass(frozen=True, slots=True)
class Page:
    """Some links, and the cursor of the next page, if there is one."""

    links: list[Link]
    next: str | None


def list_links(owner: str, limit: int, cursor: str | None) -> Page:
    """At most `limit` of `owner`'s links, from where `cursor` points. Raises BadRequest if it is no cursor of ours.

    The index is eventually consistent: a link that was created a moment ago may be missing.
    """
    links, position = query_links(owner, limit, _decode(cursor) if cursor is not None else None)
    return Page(links, encode_cursor(position) if position else None)


def owner_asked_for(query: Mapping[str, str], caller: Caller) -> str:
    """Whose links are asked for: the caller's own without the parameter `owner`. Raises BadRequest or NotYourLink."""
    owner = query.get("owner", caller.owner)
    if not 1 <= len(owner) <= LONGEST_OWNER:
        raise BadRequest(f"The parameter 'owner' must have 1 to {LONGEST_OWNER} characters.")
    caller.require_may_see(owner)
    return owner


def encode_cursor(position: Position) -> str:
    """The text that stands for a position."""
    return base64.urlsafe_b64encode(msgspec.json.encode(position)).decode().rstrip("=")


def _decode(cursor: str) -> Position:
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        return msgspec.json.decode(text, type=Position)
    except (binascii.Error, msgspec.DecodeError, ValueError, RecursionError) as error:
        raise BadRequest("The cursor is not one of ours. Leave it out to start at the newest link.") from error
