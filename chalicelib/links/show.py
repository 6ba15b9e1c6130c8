"""Show a link to whoever may see it."""

from chalicelib.access.callers import Caller
from chalicelib.links.link import Link
from chalicelib.links.status import Status
from chalicelib.links.store import read_link
from chalicelib.problems import LinkDeleted


def visible_link(code: str, caller: Caller) -> Link:
    """The link with this code, as of now. Raises LinkNotFound, NotYourLink or LinkDeleted."""
    link = read_link(code)
    caller.require_may_see(link.owner)
    if link.status is Status.DELETED:
        raise LinkDeleted(code)
    return link
