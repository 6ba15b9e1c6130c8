"""Create a link."""

from contextlib import suppress

from chalicelib import clock
from chalicelib.links.codes import check_code, generate_code
from chalicelib.links.link import Link, Status
from chalicelib.links.store import insert_link
from chalicelib.links.targets import normalise_url
from chalicelib.problems import CodeTaken, Unavailable

# With a thousand million links, one code in 2,200 is taken; five in a row, once in 5e16 links.
_TRIES = 5


def create_link(url: str, code: str | None, owner: str, own_hosts: frozenset[str]) -> Link:
    """A new link of `owner`'s to `url`, under `code` or, without one, under a random code.

    Raises InvalidUrl, InvalidCode, CodeTaken or, when chance is very unkind, Unavailable.
    """
    if code is not None:
        check_code(code)
    target = normalise_url(url, own_hosts)
    if code is not None:
        return _insert(target, code, owner)
    for _ in range(_TRIES):
        with suppress(CodeTaken):
            return _insert(target, generate_code(), owner)
    raise Unavailable(f"{_TRIES} random codes in a row were taken. Try again.")


def _insert(url: str, code: str, owner: str) -> Link:
    now = clock.now()
    link = Link(code, url, owner, version=1, status=Status.ACTIVE, created_at=now, updated_at=now)
    insert_link(link)
    return link
