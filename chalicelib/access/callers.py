"""Who is calling, and what they may do with a link."""

from dataclasses import dataclass

from chalicelib import clock
from chalicelib.access.keys import Role, parse_token
from chalicelib.access.store import find_key
from chalicelib.problems import AdminsOnly, NotYourLink, Unauthenticated


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody whose key was good."""

    owner: str
    role: Role

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

    Raises Unauthenticated, with the same words whether the key is unknown, wrong, revoked or expired.
    """
    if not authorization:
        raise Unauthenticated("Send your API key in the header 'Authorization: Bearer lk_…'.")
    scheme, _, credentials = authorization.partition(" ")
    token = parse_token(credentials.strip()) if scheme.lower() == "bearer" else None
    if token is None:
        raise Unauthenticated("The Authorization header must be 'Bearer ' and a key of the form lk_<id>_<secret>.")
    key = find_key(token.id)
    if key is None or not key.admits(token.secret, clock.now()):
        raise Unauthenticated("This key is not valid: it is unknown, expired or revoked. Ask the operator for another.")
    return Caller(key.owner, key.role)
