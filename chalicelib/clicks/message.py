"""A click as the redirect knows it: the message (version 1) that goes to the queue. click.py reads it."""

import json
import os
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

LONGEST_REFERRER = 1024
LONGEST_USER_AGENT = 512
"""Characters that are kept; the rest of what a browser sends is cut off."""
LONGEST_VALUE = 64
"""Bytes of UTF-8 of a value that clicks are broken down by, and that anybody can make up."""

UTM = ("utm_source", "utm_medium", "utm_campaign")
"""What a short link may be tagged with, in its query, for each place where it is put."""

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class Message(NamedTuple):
    """A click's message: its JSON text, and what the log says of it."""

    id: str
    code: str
    occurred_at: str
    text: str


def new_message(
    code: str, headers: Mapping[str, str], occurred_at: datetime, query: Mapping[str, Sequence[str]] | None = None
) -> Message:
    """The message of the click that a visitor's request is, with an id of its own. Nothing in it can spoil it.

    The names of `headers` are in lower case, or in any that the mapping takes for the same. The country is Amazon
    CloudFront's guess, which edge-optimised API endpoints pass on. `query` is the short link's own, decoded, of which
    the last utm_source, utm_medium and utm_campaign are kept. Of a visitor who asks not to be followed (Sec-GPC:
    https://www.w3.org/TR/gpc/, or DNT before it) nothing is kept but that there was a click.
    """
    if headers.get("sec-gpc") == "1" or headers.get("dnt") == "1":
        headers, query = {}, None
    country = headers.get("cloudfront-viewer-country", "")
    click_id = _new_id()
    moment = occurred_at.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"
    fields = {
        "v": 1,
        "id": click_id,
        "code": code,
        "occurred_at": moment,
        "referrer": _printable(_page(headers.get("referer", ""), headers.get("host", "")))[:LONGEST_REFERRER] or None,
        "user_agent": _printable(headers.get("user-agent", ""))[:LONGEST_USER_AGENT] or None,
        "country": country
        if len(country) == 2 and country.isascii() and country.isalnum() and country.isupper()
        else None,
    }
    if query:
        fields |= {name: value for name in UTM if name in query and (value := cut(query[name][-1]))}
    return Message(click_id, code, moment, _ENCODER.encode(fields))


def _new_id() -> str:
    """A random UUID (RFC 9562, version 4). Importing uuid takes a seventh of a redirect's cold start."""
    number = bytearray(os.urandom(16))
    number[6] = number[6] & 0x0F | 0x40
    number[8] = number[8] & 0x3F | 0x80
    text = number.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def cut(text: str) -> str:
    """At most LONGEST_VALUE bytes of a text, whole characters, without those that cannot be printed, and trimmed."""
    printable = text if text.isprintable() else "".join(filter(str.isprintable, text))
    return printable.strip().encode()[:LONGEST_VALUE].decode(errors="ignore").strip()


def _page(referrer: str, own_host: str) -> str:
    """The address of a page without credentials, query and fragment, which may name a person.

    Empty if it is none, or one of `own_host`, where the short link is.
    """
    match = re.match(r"([a-z][a-z0-9+.-]*://)([^/?#]*@)?(\[[^/?#]*\]|[^/?#:]*)([^?#]*)", referrer, re.IGNORECASE)
    if not match:
        return ""
    host, own_host = match[3].lower(), own_host.lower()
    return "" if own_host == host or own_host.startswith(f"{host}:") else match[1] + match[3] + match[4]


def _printable(text: str) -> str:
    # SQS refuses characters that XML 1.0 does not allow, and lone surrogates cannot be encoded at all.
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else "\ufffd" for character in text)
