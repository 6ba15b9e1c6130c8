"""Change and delete a link. Who may, and from which version, is asked in the write itself."""

from collections.abc import Mapping
from typing import Any

from chalicelib.access.callers import Caller
from chalicelib.access.keys import Role
from chalicelib.links.checks import check_fields
from chalicelib.links.link import Link
from chalicelib.links.status import Status
from chalicelib.links.store import update_link
from chalicelib.observability import logger
from chalicelib.problems import LinkDeleted, LinkNotFound


def change_link(
    code: str, given: Mapping[str, Any], caller: Caller, version: int | None, own_addresses: frozenset[str]
) -> Link:
    """Give fields of a link other values; `version` is the one that the caller has seen, None for whichever it is.

    Raises InvalidUrl, BlockedTarget, LinkNotFound, NotYourLink, LinkDeleted or StaleVersion.
    """
    return _update("link changed", code, check_fields(given, own_addresses), caller, version)


def delete_link(code: str, caller: Caller, version: int | None) -> None:
    """Delete a link; its code is never given out again. Raises LinkNotFound (also the second time), or as above."""
    try:
        _update("link deleted", code, {"status": Status.DELETED}, caller, version)
    except LinkDeleted as error:
        raise LinkNotFound(code) from error


def _update(message: str, code: str, changes: Mapping[str, Any], caller: Caller, version: int | None) -> Link:
    owner = None if caller.role is Role.ADMIN else caller.owner
    link = update_link(code, {**changes, "changed_by": caller.key_id}, owner, version)
    logger.info(message, extra={"code": link.code, "version": link.version, "changed_by": link.changed_by})
    return link
