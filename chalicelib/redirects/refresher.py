"""Keeps the redirect cache right: every change of a link, in whatever order and however often it comes.

Durable: a change that cannot be cached now waits in a queue, and then in a dead-letter queue. An event only says which
link to look at. What is cached is what the link and the list of blocked domains say at that moment, so it does not
matter what an event says, in which order events come, nor whether one of them is lost if another comes later.

Why it is safe to read first and write then: an entry has the version of the link that was read, and gives way to a
newer one only. So whoever is late with an older version changes nothing, and after the last change of a link there is
an event whose reader finds that change or a later one. At one version, an entry can only be wrong about the list. After
writing, the list is asked again: whoever changes it before that is noticed, and whoever changes it afterwards finds the
entry written (docs/adr/0007-a-block-is-in-the-cache.md).
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from chalicelib import clock, config
from chalicelib.deliveries import Delivery, PermanentFailure, handle_each
from chalicelib.links.blocklist import is_blocked
from chalicelib.links.events import UndecodableEvent, decode
from chalicelib.links.link import Link
from chalicelib.links.status import Status
from chalicelib.links.store import read_link
from chalicelib.observability import logger, measured
from chalicelib.problems import LinkNotFound
from chalicelib.redirects.cache import Redirect
from chalicelib.redirects.corrections import Correction, correct_redirect


def refresh_redirects(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Refresh the links in an SQS event of link events; returns the partial batch response. Raises BatchFailed."""
    return handle_each(event, context, config.link_changes_queue_url(), _refresh)


def refresh(code: str) -> Correction | None:
    """Cache what a link and the list of blocked domains say now; None if just that is cached, or something newer.

    Raises LinkNotFound, in which case nothing is cached.
    """
    link = read_link(code)
    status = _status(link)
    correction = correct_redirect(Redirect.of(link)._replace(status=status))
    if correction and _status(link) is not status:
        return refresh(code)
    return correction


def _status(link: Link) -> Status:
    """What a visitor of a link meets, as of now."""
    return Status.BLOCKED if link.status is Status.ACTIVE and is_blocked(link) else link.status


def _refresh(delivery: Delivery, _: Callable[[], float]) -> None:
    try:
        change = decode(delivery.body)
    except UndecodableEvent as error:
        raise PermanentFailure(f"undecodable: {error}") from error
    if change.type not in {"link.updated", "link.deleted"}:
        logger.warning("event of another type", extra={"code": change.code, "type": change.type})
        return
    try:
        correction = refresh(change.code)
    except LinkNotFound:
        logger.warning("no such link", extra={"code": change.code})
        return
    except (LookupError, ValueError) as error:  # an item that was put there by hand
        raise PermanentFailure(f"not a link: {type(error).__name__}: {error}") from error
    lag = (clock.now() - change.occurred_at) / timedelta(milliseconds=1)
    logger.info(
        "redirect refreshed" if correction else "redirect was right",
        extra={"code": change.code, "version": change.version, **measured(RefreshLag=lag)},
    )
