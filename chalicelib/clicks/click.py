"""What a click is, and its message (version 1) on the queue."""

import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec

from chalicelib.links.codes import Code

LONGEST_REFERRER = 1024
LONGEST_USER_AGENT = 512
"""Characters that are kept; the rest of what a browser sends is cut off."""

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Country = Annotated[str, msgspec.Meta(pattern=r"^[A-Z0-9]{2}\Z")]


class Click(msgspec.Struct, frozen=True, kw_only=True):
    """One visit. `id` is minted once, at the redirect, and is the only thing that a click is deduplicated by."""

    v: Literal[1]
    id: uuid.UUID
    code: Code
    occurred_at: Moment
    referrer: Annotated[str, msgspec.Meta(max_length=LONGEST_REFERRER)] | None
    user_agent: Annotated[str, msgspec.Meta(max_length=LONGEST_USER_AGENT)] | None
    country: Country | None

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


def new_click(code: str, headers: Mapping[str, str], occurred_at: datetime) -> Click:
    """The click that a visitor's request is, with an id of its own. Nothing in `headers` can make it invalid.

    The country is Amazon CloudFront's guess, which edge-optimised API endpoints pass on. Of a visitor who asks not to
    be followed (Sec-GPC: https://www.w3.org/TR/gpc/, or DNT before it) nothing is kept but that there was a click.
    """
    if headers.get("sec-gpc") == "1" or headers.get("dnt") == "1":
        headers = {}
    country = headers.get("cloudfront-viewer-country", "")
    return Click(
        v=1,
        id=uuid.uuid4(),
        code=code,
        occurred_at=occurred_at,
        referrer=_printable(_page(headers.get("referer", "")))[:LONGEST_REFERRER] or None,
        user_agent=_printable(headers.get("user-agent", ""))[:LONGEST_USER_AGENT] or None,
        country=country
        if len(country) == 2 and country.isascii() and country.isalnum() and country.isupper()
        else None,
    )


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


def _page(referrer: str) -> str:
    """The address of a page without credentials, query and fragment, which may name a person; empty if it is none."""
    match = re.match(r"([a-z][a-z0-9+.-]*://)([^/?#]*@)?([^?#]*)", referrer, re.IGNORECASE)
    return match[1] + match[3] if match else ""


def _printable(text: str) -> str:
    # SQS refuses characters that XML 1.0 does not allow, and lone surrogates cannot be encoded at all.
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else "\ufffd" for character in text)
