"""What a visitor meets of a link that has a life: switched off, not yet, no longer, or with a query to pass on.

Imported for such links only: most have none of this, and their visitors do not wait for it. Time is compared when the
visitor comes, by nobody's schedule.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import unquote_plus, urlencode, urlsplit, urlunsplit

from chalicelib import clock
from chalicelib.problems import LinkDisabled, LinkExpired, LinkNotStarted

LONGEST_LOCATION = 8 * 1024
"""Bytes. What is longer, proxies and servers refuse; then the query is left out."""


class Way(NamedTuple):
    """Where a visitor is sent, and whether that is a click."""

    url: str
    counts: bool


def way_of(code: str, url: str, life: Mapping[str, Any], query: Mapping[str, Sequence[str]] | None) -> Way:
    """Where a visitor is sent who comes now, with this query. The first that holds decides.

    `life` has the attributes of the link's item that are not as with most links. Raises LinkDisabled, LinkNotStarted or
    LinkExpired.
    """
    now = clock.now()
    if life.get("enabled") == {"BOOL": False}:
        raise LinkDisabled(code)
    if "starts_at" in life and now < _moment(life["starts_at"]):
        raise LinkNotStarted(code)
    if "expires_at" in life and now >= _moment(life["expires_at"]):
        if "expired_url" in life:
            return Way(life["expired_url"]["S"], counts=False)
        raise LinkExpired(code)
    if life.get("forward_query") == {"BOOL": True} and query:
        url = with_query(url, query)
    return Way(url, counts=True)


def with_query(url: str, query: Mapping[str, Sequence[str]]) -> str:
    """The URL with a visitor's decoded query merged in, in which a name that both have is the visitor's.

    The URL alone if that is too long.
    """
    scheme, host, path, present, fragment = urlsplit(url)
    kept = [pair for pair in present.split("&") if pair and unquote_plus(pair.partition("=")[0]) not in query]
    given = urlencode([(name, value) for name, values in query.items() for value in values], errors="replace")
    merged = urlunsplit((scheme, host, path, "&".join([*kept, given]), fragment))
    return merged if len(merged.encode()) <= LONGEST_LOCATION else url


def _moment(attribute: Mapping[str, str]) -> datetime:
    return datetime.fromisoformat(attribute["S"])
