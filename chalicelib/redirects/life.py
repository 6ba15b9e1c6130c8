"""What a visitor meets of a link that has a life: off, not yet, no longer, guarded, or with a query to pass on.

Imported for such links only: most have none of this, and their visitors do not wait for it. Time is compared when the
visitor comes, by nobody's schedule.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from urllib.parse import unquote_plus, urlencode, urlsplit, urlunsplit

from chalicelib import clock
from chalicelib.calls import Call
from chalicelib.links.allowances import take
from chalicelib.problems import LinkDisabled, LinkExpired, LinkNotStarted, LinkUsedUp, PasswordRequired
from chalicelib.redirects.cache import Redirect
from chalicelib.robots import comes_by_itself

LONGEST_LOCATION = 8 * 1024
"""Bytes. What is longer, proxies and servers refuse; then the query is left out."""

_MOST_REMEMBERED = 10_000

_used_up: dict[str, int] = {}
"""The versions of links that are used up, by their codes: another version may allow more."""


class Way(NamedTuple):
    """Where a visitor is sent, None if that is not told, and whether it is a click."""

    url: str | None
    counts: bool


def way_of(redirect: Redirect, query: Mapping[str, Sequence[str]] | None) -> Way:
    """Where a link with a life leads now, with this query, apart from what guards it. The first that holds decides.

    Raises LinkDisabled, LinkNotStarted or LinkExpired.
    """
    life = redirect.life or {}
    now = clock.now()
    if life.get("enabled") == {"BOOL": False}:
        raise LinkDisabled(redirect.code)
    if "starts_at" in life and now < _moment(life["starts_at"]):
        raise LinkNotStarted(redirect.code)
    if "expires_at" in life and now >= _moment(life["expires_at"]):
        if "expired_url" in life:
            return Way(life["expired_url"]["S"], counts=False)
        raise LinkExpired(redirect.code)
    if life.get("forward_query") == {"BOOL": True} and query:
        return Way(with_query(redirect.url, query), counts=True)
    return Way(redirect.url, counts=True)


def is_guarded(redirect: Redirect) -> bool:
    """Whether nobody may learn the target for nothing."""
    return redirect.life is not None and ("has_password" in redirect.life or "max_clicks" in redirect.life)


def admit(
    redirect: Redirect,
    method: str,
    headers: Mapping[str, str],
    query: Mapping[str, Sequence[str]] | None,
    call: Call,
) -> Way:
    """Where a visitor is sent, which may use up one of the link's clicks.

    HEAD, and robots that say so, learn of no guarded target and use nothing up. Raises what `way_of` does,
    PasswordRequired, LinkUsedUp or CallFailed.
    """
    way = way_of(redirect, query)
    if not way.counts or not is_guarded(redirect):
        return way
    if method == "HEAD" or comes_by_itself(headers.get("user-agent")):
        return Way(None, counts=False)
    if redirect.life and "has_password" in redirect.life:
        raise PasswordRequired(redirect.code, encoded(query or {}), headers.get("referer", ""))
    return use_up(redirect, way, call)


def use_up(redirect: Redirect, way: Way, call: Call) -> Way:
    """The same way, for one of the clicks that a link allows; if there is none left, where it leads then.

    Raises LinkUsedUp, or CallFailed: then nobody knows whether a click was taken, and the visitor is not redirected.
    """
    life = redirect.life or {}
    if "max_clicks" not in life:
        return way
    if _used_up.get(redirect.code) != redirect.version:
        if take(redirect.code, int(life["max_clicks"]["N"]), call):
            return way
        if len(_used_up) >= _MOST_REMEMBERED:
            _used_up.clear()
        _used_up[redirect.code] = redirect.version
    if "expired_url" in life:
        return Way(life["expired_url"]["S"], counts=False)
    raise LinkUsedUp(redirect.code)


def forget() -> None:
    """Forget which links are used up."""
    _used_up.clear()


def encoded(query: Mapping[str, Sequence[str]]) -> str:
    """A decoded query as it stands in an address; what UTF-8 cannot express becomes a question mark."""
    return urlencode(query, doseq=True, errors="replace")


def with_query(url: str, query: Mapping[str, Sequence[str]]) -> str:
    """The URL with a visitor's decoded query merged in, in which a name that both have is the visitor's.

    The URL alone if that is too long.
    """
    scheme, host, path, present, fragment = urlsplit(url)
    kept = [pair for pair in present.split("&") if pair and unquote_plus(pair.partition("=")[0]) not in query]
    merged = urlunsplit((scheme, host, path, "&".join([*kept, encoded(query)]), fragment))
    return merged if len(merged.encode()) <= LONGEST_LOCATION else url


def _moment(attribute: Mapping[str, str]) -> datetime:
    return datetime.fromisoformat(attribute["S"])
