"""What a click is to those who count it, read from its message (version 1). message.py writes it."""

import uuid
from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec

from chalicelib.clicks.message import LONGEST_REFERRER, LONGEST_USER_AGENT, LONGEST_VALUE
from chalicelib.links.schemas import Code

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Country = Annotated[str, msgspec.Meta(pattern=r"^[A-Z0-9]{2}\Z")]
Utm = Annotated[str, msgspec.Meta(max_length=LONGEST_VALUE)]


class Click(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One visit. `id` is minted once, at the redirect, and is the only thing that a click is deduplicated by.

    What has a default is no part of older messages, nor of those that have nothing to say there.
    """

    v: Literal[1]
    id: uuid.UUID
    code: Code
    occurred_at: Moment
    referrer: Annotated[str, msgspec.Meta(max_length=LONGEST_REFERRER)] | None
    user_agent: Annotated[str, msgspec.Meta(max_length=LONGEST_USER_AGENT)] | None
    country: Country | None
    utm_source: Utm | None = None
    utm_medium: Utm | None = None
    utm_campaign: Utm | None = None

    @property
    def key(self) -> tuple[str, str]:
        """The key of the click's row: two messages with the same key are the same click."""
        return (self.code, str(self.id))

    @property
    def day(self) -> str:
        """The day that the click counts for, in UTC: 2026-05-27."""
        return self.occurred_at.astimezone(UTC).date().isoformat()


class UndecodableClick(ValueError):
    """A message that is not a click of version 1."""


def encode(click: Click) -> str:
    """The click as message text."""
    return msgspec.json.encode(click).decode()


def decode(text: str) -> Click:
    """The click in a message. Raises UndecodableClick, saying what is wrong with it."""
    try:
        click = msgspec.json.decode(text, type=Click)
        click.occurred_at.astimezone(UTC)  # on its first and last day, the calendar has times that UTC does not reach
    except (msgspec.DecodeError, UnicodeError, RecursionError, OverflowError) as error:
        raise UndecodableClick(str(error)) from error
    return click
