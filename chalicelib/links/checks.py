"""What a caller gives for a link's fields: whether it may be, and how it is stored."""

import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from chalicelib import clock
from chalicelib.links.blocklist import check_target
from chalicelib.links.link import LONGEST_TAG
from chalicelib.links.passwords import hashed
from chalicelib.links.targets import normalise_url
from chalicelib.problems import BadRequest, ContradictoryTimes, InvalidUrl


def check_fields(given: Mapping[str, Any], own_addresses: frozenset[str]) -> dict[str, Any]:
    """The fields as they are stored. `own_addresses` are the shortener's. Raises BadRequest, or a kind of it."""
    fields = normalise_fields(given)
    if "url" in fields:
        fields["url"] = normalise_url(fields["url"], own_addresses)
        check_target(fields["url"])
    if fields.get("expired_url") is not None:
        try:
            fields["expired_url"] = normalise_url(fields["expired_url"], own_addresses)
        except InvalidUrl as error:
            raise InvalidUrl(f"expired_url: {error}") from error
        check_target(fields["expired_url"])
    if fields.get("password") is not None:
        _refuse_control_characters(fields["password"], "The password")
        fields["password"] = hashed(fields["password"])
    return fields


def normalise_fields(given: Mapping[str, Any]) -> dict[str, Any]:
    """All fields but the addresses and the password, as they are stored. Raises BadRequest or ContradictoryTimes."""
    fields = {name: _NORMALISE[name](value, name) if name in _NORMALISE else value for name, value in given.items()}
    starts_at, expires_at = fields.get("starts_at"), fields.get("expires_at")
    if starts_at and expires_at and starts_at >= expires_at:
        raise ContradictoryTimes
    return fields


def _title(value: str | None, _: str) -> str | None:
    title = unicodedata.normalize("NFC", value or "").strip()
    _refuse_control_characters(title, "The title")
    return title or None


def normalise_tag(text: str) -> str:
    """A tag as it is stored: Unicode NFC, in lower case, without spaces around it. Raises BadRequest."""
    tag = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).lower()).strip()
    _refuse_control_characters(tag, f"The tag {tag!r}")
    if not 1 <= len(tag) <= LONGEST_TAG:
        raise BadRequest(f"A tag must have 1 to {LONGEST_TAG} characters, without spaces around it.")
    return tag


def _tags(value: tuple[str, ...], _: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(normalise_tag, value)))


def normalise_moment(value: datetime | None, name: str) -> datetime | None:
    """The time as the table keeps it, in UTC and whole milliseconds. Raises BadRequest."""
    try:
        return value and datetime.fromisoformat(clock.rfc3339(value))
    except OverflowError as error:
        raise BadRequest(f"In UTC, {name} is no date of the calendar, which has the years 1 to 9999.") from error


def _refuse_control_characters(text: str, what: str) -> None:
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise BadRequest(f"{what} has control characters in it. Leave them out.")


_NORMALISE: Mapping[str, Callable[[Any, str], Any]] = {
    "title": _title,
    "tags": _tags,
    "starts_at": normalise_moment,
    "expires_at": normalise_moment,
}
