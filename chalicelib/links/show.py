"""Show a link to whoever may see it."""

from collections.abc import Sequence

from chalicelib.access.callers import Caller
from chalicelib.links.link import Link
from chalicelib.links.status import Status
from chalicelib.links.store import read_link, read_links
from chalicelib.problems import LinkDeleted, LinkNotFound


def visible_link(code: str, caller: Caller) -> Link:
    """The link with this code, as of now. Raises LinkNotFound, NotYourLink or LinkDeleted."""
    return _visible(read_link(code), caller)


def visible_links(codes: Sequence[str], caller: Caller) -> list[Link]:
    """The links with these codes, each a different one, in their order. Raises as visible_link does for any of them."""
    found = read_links(codes)
    for code in codes:
        if code not in found:
            raise LinkNotFound(code)
    return [_visible(found[code], caller) for code in codes]


def _visible(link: Link, caller: Caller) -> Link:
    caller.require_may_see(link.owner)
    if link.status is Status.DELETED:
        raise LinkDeleted(link.code)
    return link
