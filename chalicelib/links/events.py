"""What is announced when a link changes: link events, version 1.

Listeners know links by these events only, and events know nothing of their listeners. An event may come twice, late or
out of order; `id` is the same every time, and `version` tells which of two is newer.
"""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec

from chalicelib.links.link import LONGEST_URL, Link, Version
from chalicelib.links.schemas import Code
from chalicelib.links.status import Status

EventType = Literal["link.created", "link.updated", "link.deleted"]

_NAMESPACE = uuid.UUID("0f8ab9b0-6c1c-4f0e-9d62-4a2f5b9f9c55")


class LinkEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A change of a link that was committed."""

    v: Literal[1]
    id: uuid.UUID
    type: EventType
    code: Code
    url: Annotated[str, msgspec.Meta(max_length=LONGEST_URL)]
    version: Version
    occurred_at: Annotated[datetime, msgspec.Meta(tz=True)]

    @property
    def day(self) -> str:
        """The day of the change, in UTC: 2026-05-27."""
        return self.occurred_at.astimezone(UTC).date().isoformat()


class UndecodableEvent(ValueError):
    """A message that is not a link event of version 1."""


class NotALink(ValueError):
    """A record of the links table that no event can tell of: an item that was put there by hand, and is no link."""


def event_of(record: Mapping[str, Any]) -> LinkEvent | None:
    """The event that a record of the links table's stream asks for; None if no listener could see a difference.

    The event's id is made of the link's code and version, so that it stays the same however often the record is read.
    Raises NotALink.
    """
    images = record["dynamodb"]
    old, new = images.get("OldImage"), images.get("NewImage")
    if new is None or (old is not None and _visible(old) == _visible(new)):
        return None
    try:
        code, version = new["code"]["S"], int(new["version"]["N"])
        event = LinkEvent(
            v=1,
            id=_id(code, version),
            type=_type(old, new),
            code=code,
            url=new["url"]["S"],
            version=version,
            occurred_at=datetime.fromisoformat(new["updated_at"]["S"]),
        )
        return decode(encode(event))  # as listeners will: a struct checks nothing when it is made
    except (LookupError, TypeError, ValueError) as error:
        raise NotALink(f"{type(error).__name__}: {error}") from error


def deletion_of(link: Link) -> LinkEvent:
    """The event of a deleted link's deletion, with the id that it was announced with."""
    return LinkEvent(
        v=1,
        id=_id(link.code, link.version),
        type="link.deleted",
        code=link.code,
        url=link.url,
        version=link.version,
        occurred_at=link.updated_at,
    )


def encode(event: LinkEvent) -> str:
    """The event as message text."""
    return msgspec.json.encode(event).decode()


def decode(text: str) -> LinkEvent:
    """The event in a message. Raises UndecodableEvent, saying what is wrong with it."""
    try:
        event = msgspec.json.decode(text, type=LinkEvent)
        event.occurred_at.astimezone(UTC)  # on its first and last day, the calendar has times that UTC does not reach
    except (msgspec.DecodeError, UnicodeError, RecursionError, OverflowError) as error:
        raise UndecodableEvent(str(error)) from error
    return event


def _id(code: str, version: int) -> uuid.UUID:
    return uuid.uuid5(_NAMESPACE, f"{code}#{version}")


def _visible(image: Mapping[str, Any]) -> list[Any]:
    return [image.get(name) for name in ("url", "status", "version")]


def _type(old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> EventType:
    if Status(new["status"]["S"]) is Status.DELETED:
        return "link.deleted"
    return "link.created" if old is None else "link.updated"
