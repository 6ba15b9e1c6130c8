"""From a code to its target: memory, then cache, then link."""

import threading

from botocore.exceptions import BotoCoreError, ClientError
from cachetools import TTLCache, cached

from chalicelib.links.codes import is_code
from chalicelib.links.link import Status
from chalicelib.links.store import read_link
from chalicelib.observability import logger
from chalicelib.problems import LinkDeleted, LinkNotFound
from chalicelib.redirects.cache import Redirect, find_redirect, put_redirect

MEMORY_SECONDS = 5
"""How long a process redirects to a target without asking again: what a change of a link may lag behind."""

_memory: TTLCache[str, Redirect] = TTLCache(maxsize=10_000, ttl=MEMORY_SECONDS)


def target_of(code: str) -> str:
    """The URL that `code` leads to. Raises LinkNotFound or LinkDeleted."""
    if not is_code(code):
        raise LinkNotFound(code)
    redirect = _redirect(code)
    if redirect.status is Status.DELETED:
        raise LinkDeleted(code)
    return redirect.url


def forget() -> None:
    """Empty this process's memory."""
    _memory.clear()


@cached(_memory, lock=threading.Lock())
def _redirect(code: str) -> Redirect:
    return _from_cache(code) or _from_link(code)


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
