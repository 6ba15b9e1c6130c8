"""Create a link."""

from contextlib import suppress
from dataclasses import dataclass

from chalicelib import clock
from chalicelib.links.blocklist import check_target
from chalicelib.links.codes import check_code, generate_code
from chalicelib.links.link import Link, Status
from chalicelib.links.store import insert_link
from chalicelib.links.targets import normalise_url
from chalicelib.problems import CodeTaken, Unavailable

# With a thousand million links, one code in 2,200 is taken; five in a row, once in 5e16 links.
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Wish:
    """A link that somebody would like to have: under `code`, or without one under a code that nobody can guess.

    `own_addresses` are the shortener's, which a link may not point at.
    """

    url: str
    code: str | None
    owner: str
    own_addresses: frozenset[str]


def create_link(wish: Wish, write_id: str | None = None) -> Link:
    """The new link. With the same `write_id`, which then also decides the code, it is the same one every time.

    Raises InvalidUrl, BlockedTarget, InvalidCode, CodeTaken or, when chance is very unkind, Unavailable.
    """
    if wish.code is not None:
        check_code(wish.code)
    target = normalise_url(wish.url, wish.own_addresses)
    check_target(target)
    if wish.code is not None:
        return _insert(target, wish.code, wish.owner, write_id)
    for number in range(_TRIES):
        with suppress(CodeTaken):
            return _insert(target, generate_code(f"{write_id}#{number}" if write_id else None), wish.owner, write_id)
    raise Unavailable(f"{_TRIES} random codes in a row were taken. Try again.")


def _insert(url: str, code: str, owner: str, write_id: str | None) -> Link:
    now = clock.now()
    link = Link(code, url, owner, version=1, status=Status.ACTIVE, created_at=now, updated_at=now)
    insert_link(link, write_id)
    return link
