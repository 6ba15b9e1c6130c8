"""Keeps the redirect cache right: every change of a link, in whatever order and however often it comes.

Durable: a change that cannot be cached now waits in a queue, and then in a dead-letter queue. Which of two versions
wins is decided by the cache's own conditional write.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from chalicelib import clock, config
from chalicelib.deliveries import Delivery, Hopeless, handle_each
from chalicelib.links.events import UndecodableEvent, decode
from chalicelib.links.link import Status
from chalicelib.observability import logger, measured
from chalicelib.redirects.cache import Redirect, put_redirect


def refresh_redirects(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Cache the changes in an SQS event of link events; returns the partial batch response. Raises BatchFailed."""
    return handle_each(event, context, config.link_changes_queue_url(), _refresh)


def _refresh(delivery: Delivery, _: Callable[[], float]) -> None:
    try:
        change = decode(delivery.body)
    except UndecodableEvent as error:
        raise Hopeless(f"undecodable: {error}") from error
    status = Status.DELETED if change.type == "link.deleted" else Status.ACTIVE
    written = put_redirect(Redirect(change.code, change.url, status, change.version))
    lag = (clock.now() - change.occurred_at) / timedelta(milliseconds=1)
    logger.info(
        "redirect refreshed" if written else "redirect was newer",
        extra={"code": change.code, "version": change.version, **measured(RefreshLag=lag)},
    )
