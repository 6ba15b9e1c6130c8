"""Who is calling, and what they may do with a link."""

from dataclasses import dataclass
from datetime import datetime

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib import clock
from chalicelib.access.keys import NO_KEY, ApiKey, Role, parse_token
from chalicelib.access.store import find_key, note_use
from chalicelib.observability import logger
from chalicelib.problems import AdminsOnly, NotYourLink, Unauthenticated


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody whose key was good."""

    owner: str
    role: Role
    key_id: str | None = None
    """Of the key that was good; None of an operator's command, which needs none."""
    expires_at: datetime | None = None
    """When that key ends; None for never."""

    def require_may_see(self, owner: str) -> None:
        """Raise NotYourLink unless what `owner` owns is this caller's to see and change."""
        if self.role is not Role.ADMIN and self.owner != owner:
            raise NotYourLink

    def require_admin(self) -> None:
        """Raise AdminsOnly unless this caller is an admin."""
        if self.role is not Role.ADMIN:
            raise AdminsOnly("Only an admin's key may ask for this.")


def authenticate(authorization: str | None) -> Caller:
    """The caller whose key is in the Authorization header (RFC 6750: `Bearer <token>`).

    Raises Unauthenticated, with the same words and after the same work whether the key is unknown, wrong, revoked or
    expired. Once an hour it is noted that the key was used; that this fails is logged, and keeps nobody out.
    """
    if not authorization:
        raise Unauthenticated("Send your API key in the header 'Authorization: Bearer lk_…'.")
    scheme, _, credentials = authorization.partition(" ")
    token = parse_token(credentials.strip()) if scheme.lower() == "bearer" else None
    if token is None:
        raise Unauthenticated("The Authorization header must be 'Bearer ' and a key of the form lk_<id>_<secret>.")
    now = clock.now()
    key = find_key(token.id) or NO_KEY
    if not key.admits(token.secret, now):
        raise Unauthenticated("This key is not valid: it is unknown, expired or revoked. Ask the operator for another.")
    if key.last_use_is_stale(now):
        _note_use(key, now)
    return Caller(key.owner, key.role, key.id, key.expires_at)


def _note_use(key: ApiKey, now: datetime) -> None:
    try:
        note_use(key.id, now)
    except (BotoCoreError, ClientError) as error:
        logger.warning("use of a key not noted", extra={"key_id": key.id, "reason": str(error)})
