"""What a caller is told about themselves."""

from typing import Annotated, TypedDict

import msgspec

from chalicelib import clock
from chalicelib.access.callers import Caller
from chalicelib.access.keys import Role


class Me(TypedDict):
    """Whose key it is that was sent, and until when it is good: null stands for ever."""

    owner: str
    role: Annotated[str, msgspec.Meta(extra_json_schema={"enum": [*Role]})]
    key_id: str | None
    expires_at: Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})] | None


def me(caller: Caller) -> Me:
    """What `caller` is told."""
    return {
        "owner": caller.owner,
        "role": caller.role,
        "key_id": caller.key_id,
        "expires_at": clock.rfc3339(caller.expires_at) if caller.expires_at else None,
    }
