"""The only place that asks what time it is, or lets it pass, so that a test can answer."""

import random
import time
from datetime import UTC, datetime

LONGEST_PAUSE = 2
"""Seconds between two tries of a call, at most."""


def now() -> datetime:
    """The current time in UTC."""
    return datetime.now(UTC)


def rfc3339(moment: datetime) -> str:
    """A time in UTC, as RFC 3339 text of fixed width, so that text order is time order: 2026-05-27T10:15:30.123Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def sleep(seconds: float) -> None:
    """Wait."""
    time.sleep(seconds)


def back_off(tries: int) -> None:
    """Wait before a call is tried again that failed so many times: about twice as long each time, at random.

    Full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """
    sleep(random.uniform(0, min(LONGEST_PAUSE, 0.05 * 2 ** min(tries, 10))))  # noqa: S311 (nobody gains by guessing it)
