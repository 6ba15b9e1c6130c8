"""What is announced when a link changes: link events, version 1.

Listeners know links by these events only, and events know nothing of their listeners. An event may come twice, late or
out of order; `id` is the same every time, and `version` tells which of two is newer.
"""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec

from chalicelib.links.codes import Code
from chalicelib.links.link import Status

EventType = Literal["link.created", "link.updated", "link.deleted"]

_NAMESPACE = uuid.UUID("0f8ab9b0-6c1c-4f0e-9d62-4a2f5b9f9c55")


class LinkEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A change of a link that was committed."""

    v: Literal[1]
    id: uuid.UUID
    type: EventType
    code: Code
    url: str
    version: Annotated[int, msgspec.Meta(ge=1)]
    occurred_at: Annotated[datetime, msgspec.Meta(tz=True)]

    @property
    def day(self) -> str:
        """The day of the change, in UTC: 2026-05-27."""
        return self.occurred_at.astimezone(UTC).date().isoformat()


class UndecodableEvent(ValueError):
    """A message that is not a link event of version 1."""


def event_of(record: Mapping[str, Any]) -> LinkEvent | None:
    """The event that a record of the links table's stream asks for; None if no listener could see a difference.

    The event's id is made of the link's code and version, so that it stays the same however often the record is read.
    """
    images = record["dynamodb"]
    old, new = images.get("OldImage"), images.get("NewImage")
    if new is None or (old is not None and _visible(old) == _visible(new)):
        return None
    code, version = new["code"]["S"], int(new["version"]["N"])
    return LinkEvent(
        v=1,
        id=uuid.uuid5(_NAMESPACE, f"{code}#{version}"),
        type=_type(old, new),
        code=code,
        url=new["url"]["S"],
        version=version,
        occurred_at=datetime.fromisoformat(new["updated_at"]["S"]),
    )


def encode(event: LinkEvent) -> str:
    """The event as message text."""
    return msgspec.json.encode(event).decode()


def decode(text: str) -> LinkEvent:
    """The event in a message. Raises UndecodableEvent, saying what is wrong with it."""
    try:
        return msgspec.json.decode(text, type=LinkEvent)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise UndecodableEvent(str(error)) from error


def _visible(image: Mapping[str, Any]) -> tuple[str, str, str]:
    return image["url"]["S"], image["status"]["S"], image["version"]["N"]


def _type(old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> EventType:
    if new["status"]["S"] == Status.DELETED:
        return "link.deleted"
    return "link.created" if old is None else "link.updated"
