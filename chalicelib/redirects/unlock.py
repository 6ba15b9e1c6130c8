"""Follow a link that asks for a password.

The link itself is asked, so that a changed password holds for the next visitor, and not in ten seconds.
"""

from collections.abc import Mapping, Sequence

from chalicelib import clock
from chalicelib.calls import Call, by_sdk
from chalicelib.clicks.message import new_message
from chalicelib.clicks.queue import enqueue
from chalicelib.links.blocklist import is_blocked
from chalicelib.links.link import LONGEST_PASSWORD, Link
from chalicelib.links.passwords import matches
from chalicelib.links.status import Status
from chalicelib.links.store import read_link
from chalicelib.observability import logger
from chalicelib.problems import LinkBlocked, LinkDeleted, Problem, WrongPassword
from chalicelib.redirects import tries
from chalicelib.redirects.cache import Redirect
from chalicelib.redirects.life import encoded, use_up, way_of

Query = Mapping[str, Sequence[str]]


def unlock(code: str, password: str, headers: Mapping[str, str], query: Query, call: Call = by_sdk) -> str | None:
    """The URL for a visitor with this password, as soon as the click is accepted; None if the link asks for none.

    `headers` are those of the visitor's first request, found by names in lower case; `query` is the short link's own.
    Raises the Problem that the visitor is to be told, or CallFailed.
    """
    try:
        link = read_link(code)
        if link.status is Status.DELETED:
            raise LinkDeleted(code)
        if is_blocked(link):
            raise LinkBlocked(code)
        redirect = Redirect.of(link)
        way = way_of(redirect, query)
        if not way.counts:
            return way.url
        if link.password is None:
            return None
        _check(link, password, headers, query)
        way = use_up(redirect, way, call)
    except Problem as problem:
        logger.info("not unlocked", extra={"code": code, "reason": type(problem).__name__})
        raise
    if way.counts:
        enqueue(new_message(code, headers, clock.now(), query), call, found_in="link")
    return way.url


def _check(link: Link, password: str, headers: Mapping[str, str], query: Query) -> None:
    """Raises WrongPassword or TooManyTries."""
    attempt = tries.begin(link.code)
    if len(password) > LONGEST_PASSWORD or not matches(password, link.password or ""):
        raise WrongPassword(link.code, encoded(query), headers.get("referer", ""))
    tries.give_back(attempt)
