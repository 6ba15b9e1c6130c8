"""What a visitor of a code gets: from memory, else from the cache, else from the link itself.

Called by both doors: `entry.py` is Lambda's, without framework and SDK; `routes.py` is Chalice's. So that the first
stays quick, nothing here imports what a redirect can do without.
"""

import threading
from collections.abc import Mapping, Sequence
from time import monotonic

from chalicelib import clock, config, log
from chalicelib.calls import Call, CallFailed, by_sdk
from chalicelib.clicks.message import new_message
from chalicelib.clicks.queue import enqueue
from chalicelib.links.codes import LONGEST_CODE, is_code
from chalicelib.links.status import Status
from chalicelib.problems import LinkBlocked, LinkDeleted, LinkNotFound, Problem
from chalicelib.redirects.cache import Redirect, find_redirect, put_redirect, redirect_in

MEMORY_SECONDS = 5
"""How long a process redirects to a target without asking again: what a change of a link may lag behind."""

_MOST_REMEMBERED = 10_000

_memory: dict[str, tuple[float, Redirect]] = {}
"""Redirects by their codes, the oldest first, each with the time until which it is remembered."""
_memory_lock = threading.Lock()


Answer = tuple[int, Mapping[str, str], str]
"""What a visitor is answered: status, headers and body."""


def follow(
    method: str,
    code: str,
    headers: Mapping[str, str],
    query: Mapping[str, Sequence[str]] | None = None,
    call: Call = by_sdk,
) -> Answer:
    """Redirect a visitor, as soon as the click is accepted by the queue. A code with a plus behind it is only shown.

    `headers` are the visitor's, found by names in lower case; `query` is the short link's own, decoded, all values by
    their names. Raises the Problem that the visitor is to be told, or CallFailed.

    302 and no-store (RFC 9110, section 15.4.3; RFC 9111, section 5.2.2.5): a redirect that a browser, a proxy or a
    link preview remembers is a click that never reaches us.
    """
    try:
        if code[-1:] == "+":
            from chalicelib.redirects.previews import preview  # noqa: PLC0415 (few look before they leap)

            return preview(code[:-1], headers, call)
        url, counts, found_in = _way_of(method, code, headers, query, call)
        if url is None:
            from chalicelib.redirects.previews import preview  # noqa: PLC0415 (likewise)

            return preview(code, headers, call)
    except Problem as problem:
        log.info("not redirected", code=code[:LONGEST_CODE], reason=type(problem).__name__)
        raise
    except Exception as error:
        log.error("not redirected", {"code": code[:LONGEST_CODE], "reason": str(error)}, RedirectsFailed=1)
        raise
    if method == "GET" and counts:
        enqueue(new_message(code, headers, clock.now(), query), call, found_in=found_in)
    else:
        log.info("redirected", code=code, found_in=found_in)
    return 302, {"Location": url, "Cache-Control": "private, no-store"}, ""


def _way_of(
    method: str, code: str, headers: Mapping[str, str], query: Mapping[str, Sequence[str]] | None, call: Call
) -> tuple[str | None, bool, str]:
    """Where a visitor is sent, whether that is a click, and who knew it; None for who may not be told."""
    try:
        redirect, found_in = find(code, call)
    except LinkNotFound:
        if elsewhere := config.not_found_url():
            return elsewhere, False, "nowhere"
        raise
    if redirect.life:
        from chalicelib.redirects.life import admit  # noqa: PLC0415 (most links have none)

        return *admit(redirect, method, headers, query, call), found_in
    return redirect.url, True, found_in


def find(code: str, call: Call = by_sdk) -> tuple[Redirect, str]:
    """Where a code leads, and who knew it: memory, cache or link.

    Raises LinkNotFound, LinkDeleted, LinkBlocked or CallFailed.
    """
    redirect, found_in = _find(code, call)
    if redirect.status is Status.DELETED:
        raise LinkDeleted(code)
    if redirect.status is Status.BLOCKED:
        raise LinkBlocked(code)
    return redirect, found_in


def forget() -> None:
    """Empty this process's memory."""
    with _memory_lock:
        _memory.clear()


def _find(code: str, call: Call) -> tuple[Redirect, str]:
    if not is_code(code):
        raise LinkNotFound(code)
    now = monotonic()
    remembered = _memory.get(code)
    if remembered and now < remembered[0]:
        return remembered[1], "memory"
    cached = _from_cache(code, call)
    redirect = cached or _from_link(code, call)
    _remember(redirect, now + MEMORY_SECONDS)
    return redirect, "cache" if cached else "link"


def _remember(redirect: Redirect, until: float) -> None:
    with _memory_lock:
        _memory.pop(redirect.code, None)  # or it would keep its old place
        if len(_memory) >= _MOST_REMEMBERED:
            del _memory[next(iter(_memory))]
        _memory[redirect.code] = until, redirect


def _from_cache(code: str, call: Call) -> Redirect | None:
    try:
        return find_redirect(code, call)
    except CallFailed as error:
        log.warning("redirect cache not read", {"code": code, "reason": str(error)})
        return None


def _from_link(code: str, call: Call) -> Redirect:
    read = {"TableName": config.links_table(), "Key": {"code": {"S": code}}, "ConsistentRead": True}
    answer = call("GetItem", read)
    if "Item" not in answer:
        raise LinkNotFound(code)
    redirect = redirect_in(answer["Item"])
    try:
        put_redirect(redirect, call)
    except CallFailed as error:
        log.warning("redirect cache not filled", {"code": code, "reason": str(error)})
    return redirect
