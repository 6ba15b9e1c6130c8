"""Somebody's links, newest first, a page at a time."""

import base64
import binascii
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

import msgspec

from chalicelib import clock
from chalicelib.access.callers import Caller
from chalicelib.links.checks import normalise_tag
from chalicelib.links.link import LONGEST_OWNER, Link
from chalicelib.links.store import Position, query_links, search_links
from chalicelib.problems import BadRequest

LONGEST_SEARCH = 200
"""Characters."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some links, and the cursor of the next page, if there is one."""

    links: list[Link]
    next: str | None


class State(StrEnum):
    """What visitors meet of a link, by what its owner has set."""

    ACTIVE = "active"
    DISABLED = "disabled"
    SCHEDULED = "scheduled"
    EXPIRED = "expired"

    @classmethod
    def of(cls, link: Link, now: datetime) -> "State":
        """The state of a link that is not deleted; the first that holds."""
        if not link.enabled:
            return cls.DISABLED
        if link.starts_at and now < link.starts_at:
            return cls.SCHEDULED
        if link.expires_at and now >= link.expires_at:
            return cls.EXPIRED
        return cls.ACTIVE


class Search(NamedTuple):
    """Which links are looked for; None of what does not matter."""

    text: str | None
    """In code, url or title, in any case of letters."""
    tag: str | None
    state: State | None

    def matches(self, link: Link, now: datetime) -> bool:
        """Whether a link is one of them."""
        return (
            (self.text is None or any(self.text in _folded(each or "") for each in (link.code, link.url, link.title)))
            and (self.tag is None or self.tag in link.tags)
            and (self.state is None or self.state is State.of(link, now))
        )


def search_asked_for(query: Mapping[str, str]) -> Search | None:
    """What is looked for by the parameters `q`, `tag` and `state`, if anything. Raises BadRequest."""
    if not {"q", "tag", "state"} & {*query}:
        return None
    text, tag, state = query.get("q"), query.get("tag"), query.get("state")
    if text is not None and not 1 <= len(text) <= LONGEST_SEARCH:
        raise BadRequest(f"The parameter 'q' must have 1 to {LONGEST_SEARCH} characters.")
    if state is not None and state not in {*State}:
        raise BadRequest(f"The parameter 'state' must be one of {', '.join(State)}.")
    return Search(
        None if text is None else _folded(text),
        None if tag is None else normalise_tag(tag),
        None if state is None else State(state),
    )


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def list_links(owner: str, limit: int, cursor: str | None, search: Search | None = None) -> Page:
    """At most `limit` of `owner`'s links, from where `cursor` points. Raises BadRequest if it is no cursor of ours.

    The index is eventually consistent: a link that was created a moment ago may be missing.
    """
    after = _decode(cursor) if cursor is not None else None
    if search is None:
        links, position = query_links(owner, limit, after)
    else:
        now = clock.now()
        links, position = search_links(owner, limit, after, lambda link: search.matches(link, now))
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
