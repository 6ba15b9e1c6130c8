"""Change and delete a link. Who may, and from which version, is asked in the write itself."""

from chalicelib.access.callers import Caller
from chalicelib.access.keys import Role
from chalicelib.links.blocklist import check_target
from chalicelib.links.link import Link, Status
from chalicelib.links.store import update_link
from chalicelib.links.targets import normalise_url
from chalicelib.problems import LinkDeleted, LinkNotFound


def change_target(code: str, url: str, caller: Caller, version: int | None, own_addresses: frozenset[str]) -> Link:
    """Point a link at another url; `version` is the one that the caller has seen, None for whichever it is.

    Raises InvalidUrl, BlockedTarget, LinkNotFound, NotYourLink, LinkDeleted or StaleVersion.
    """
    target = normalise_url(url, own_addresses)
    check_target(target)
    return update_link(code, {"url": target}, _owner_asked_for(caller), version)


def delete_link(code: str, caller: Caller, version: int | None) -> None:
    """Delete a link; its code is never given out again. Raises LinkNotFound (also the second time), or as above."""
    try:
        update_link(code, {"status": Status.DELETED.value}, _owner_asked_for(caller), version)
    except LinkDeleted as error:
        raise LinkNotFound(code) from error


def _owner_asked_for(caller: Caller) -> str | None:
    return None if caller.role is Role.ADMIN else caller.owner
