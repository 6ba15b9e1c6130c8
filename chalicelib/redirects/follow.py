"""From a code to its target: memory, then cache, then link."""

import threading
from enum import StrEnum
from typing import NamedTuple

from botocore.exceptions import BotoCoreError, ClientError
from cachetools import TTLCache

from chalicelib.links.codes import is_code
from chalicelib.links.link import Status
from chalicelib.links.store import read_link
from chalicelib.observability import logger
from chalicelib.problems import LinkBlocked, LinkDeleted, LinkNotFound
from chalicelib.redirects.cache import Redirect, find_redirect, put_redirect

MEMORY_SECONDS = 5
"""How long a process redirects to a target without asking again: what a change of a link may lag behind."""

_memory: TTLCache[str, Redirect] = TTLCache(maxsize=10_000, ttl=MEMORY_SECONDS)
_memory_lock = threading.Lock()


class Source(StrEnum):
    """Where a redirect was found, by the name of its metric."""

    MEMORY = "CacheHitsMemory"
    TABLE = "CacheHitsTable"
    LINK = "CacheMisses"


class Target(NamedTuple):
    """Where a code leads, and who knew it."""

    url: str
    source: Source


def target_of(code: str) -> Target:
    """The URL that `code` leads to. Raises LinkNotFound, LinkDeleted or LinkBlocked."""
    if not is_code(code):
        raise LinkNotFound(code)
    redirect, source = _find(code)
    if redirect.status is Status.DELETED:
        raise LinkDeleted(code)
    if redirect.status is Status.BLOCKED:
        raise LinkBlocked(code)
    return Target(redirect.url, source)


def forget() -> None:
    """Empty this process's memory."""
    with _memory_lock:
        _memory.clear()


def _find(code: str) -> tuple[Redirect, Source]:
    with _memory_lock:
        remembered = _memory.get(code)
    if remembered:
        return remembered, Source.MEMORY
    cached = _from_cache(code)
    redirect = cached or _from_link(code)
    with _memory_lock:
        _memory[code] = redirect
    return redirect, Source.TABLE if cached else Source.LINK


def _from_cache(code: str) -> Redirect | None:
    try:
        return find_redirect(code)
    except (BotoCoreError, ClientError) as error:
        logger.warning("redirect cache not read", extra={"code": code, "reason": str(error)})
        return None


def _from_link(code: str) -> Redirect:
    redirect = Redirect.of(read_link(code))
    try:
        put_redirect(redirect)
    except (BotoCoreError, ClientError) as error:
        logger.warning("redirect cache not filled", extra={"code": code, "reason": str(error)})
    return redirect
