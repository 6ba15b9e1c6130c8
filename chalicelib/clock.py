"""The only place that asks what time it is, or lets it pass, so that a test can answer."""

import time
from datetime import UTC, datetime
from typing import Annotated

import msgspec

Timestamp = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]
"""A time as `rfc3339` writes it."""

Day = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date"})]
"""A day in UTC: 2026-05-27."""


def now() -> datetime:
    """The current time in UTC."""
    return datetime.now(UTC)


def rfc3339(moment: datetime) -> str:
    """A time in UTC, as RFC 3339 text of fixed width, so that text order is time order: 2026-05-27T10:15:30.123Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def sleep(seconds: float) -> None:
    """Wait."""
    time.sleep(seconds)
