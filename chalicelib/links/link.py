"""What a link is, and how it looks to its owner."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, TypedDict

import msgspec

from chalicelib import clock
from chalicelib.links.codes import Code

LONGEST_URL = 2048
"""Characters of the address that a link leads to."""


class Status(StrEnum):
    """A deleted link stays in the table for ever, so that its code is never given out again.

    BLOCKED is only ever in the redirect cache: it is not the link that changes, but the list of blocked domains.
    """

    ACTIVE = "active"
    DELETED = "deleted"
    BLOCKED = "blocked"


Version = Annotated[int, msgspec.Meta(ge=1, le=10**18 - 1)]
"""At most 18 digits, which every JSON parser and DynamoDB take."""


class PublicLink(TypedDict):
    """A link, as the HTTP API shows it."""

    code: Code
    url: str
    short_url: str
    owner: str
    version: Version
    created_at: clock.Timestamp
    updated_at: clock.Timestamp


@dataclass(frozen=True, slots=True)
class Link:
    """A link; `version` starts at 1 and grows by one with every change."""

    code: str
    url: str
    owner: str
    version: int
    status: Status
    created_at: datetime
    updated_at: datetime

    def public(self, base_url: str) -> PublicLink:
        """The link as the HTTP API shows it, for visitors who reach us at `base_url`."""
        return {
            "code": self.code,
            "url": self.url,
            "short_url": f"{base_url}/{self.code}",
            "owner": self.owner,
            "version": self.version,
            "created_at": clock.rfc3339(self.created_at),
            "updated_at": clock.rfc3339(self.updated_at),
        }
