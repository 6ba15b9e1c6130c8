"""Create a link."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from chalicelib import clock
from chalicelib.access.callers import Caller
from chalicelib.links.checks import check_fields
from chalicelib.links.codes import check_code, generate_code
from chalicelib.links.link import Link
from chalicelib.links.status import Status
from chalicelib.links.store import Origin, insert_link
from chalicelib.observability import logger
from chalicelib.problems import CodeTaken, InvalidCode, LinkDeleted, Unavailable

# With a thousand million links, one code in 2,200 is taken; five in a row, once in 5e16 links.
_TRIES = 5


@dataclass(frozen=True, slots=True)
class LinkRequest:
    """A link that somebody asks for: its fields as they were given, without a code if one shall be chosen.

    `own_addresses` are the shortener's, which a link may not point at.
    """

    given: Mapping[str, Any]
    caller: Caller
    own_addresses: frozenset[str]


def create_link(request: LinkRequest, origin: Origin | None = None) -> Link:
    """The new link. With the same `origin`, from which a code is then chosen, it is the same one every time.

    Raises InvalidUrl, BlockedTarget, InvalidCode, CodeTaken; of a request that was repeated LinkDeleted or
    IdempotencyKeyReused; or, when chance is very unkind, Unavailable.
    """
    code = request.given.get("code")
    if code is not None:
        check_code(code)
    fields = check_fields(request.given, request.own_addresses)
    if code is not None:
        return _insert(fields, request.caller, origin)
    for number in range(_TRIES):
        with suppress(CodeTaken, InvalidCode):
            code = generate_code(f"{origin.request_id}#{number}" if origin else None)
            check_code(code)
            return _insert({**fields, "code": code}, request.caller, origin)
    raise Unavailable(f"{_TRIES} random codes in a row were taken. Try again.")


def _insert(fields: Mapping[str, Any], caller: Caller, origin: Origin | None) -> Link:
    now = clock.now()
    link = Link(
        **fields,
        owner=caller.owner,
        version=1,
        status=Status.ACTIVE,
        created_at=now,
        updated_at=now,
        changed_by=caller.key_id,
    )
    stored = insert_link(link, origin)
    if stored.status is Status.DELETED:
        raise LinkDeleted(stored.code)
    if stored is link:
        logger.info("link created", extra={"code": link.code, "version": link.version, "changed_by": link.changed_by})
    return stored
