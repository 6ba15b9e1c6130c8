"""Whether a link leads anywhere."""

from enum import StrEnum


class Status(StrEnum):
    """A deleted link stays in the table for ever, so that its code is never given out again.

    BLOCKED is only ever in the redirect cache: it is not the link that changes, but the list of blocked domains.
    """

    ACTIVE = "active"
    DELETED = "deleted"
    BLOCKED = "blocked"
