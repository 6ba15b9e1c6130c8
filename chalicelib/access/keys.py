"""What an API key is: `lk_<id>_<secret>`, of which only a SHA-256 of the secret is ever stored.

A fast hash is right here, unlike for passwords: the secret is 32 random base-58 characters (187 bits), so there is no
dictionary to try. See OWASP's Password Storage Cheat Sheet for why passwords differ.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from chalicelib.base58 import ALPHABET, random_text

LAST_USED_GRAIN = timedelta(hours=1)
"""How exact `last_used_at` is: it is written at most this often, so that a busy key costs no write a request."""

_ID_LENGTH = 12
_SECRET_LENGTH = 32
_TOKEN = re.compile(rf"lk_([{ALPHABET}]{{{_ID_LENGTH}}})_([{ALPHABET}]{{{_SECRET_LENGTH}}})", re.ASCII)


class Role(StrEnum):
    """What a key may do: a user sees their own links, an admin everybody's."""

    USER = "user"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is stored: everything but the secret."""

    id: str
    hash: str
    owner: str
    role: Role
    created_at: datetime
    expires_at: datetime | None = None
    revoked: bool = False
    replaced_by: str | None = None
    """The id of the key that came in its place when it was rotated."""
    last_used_at: datetime | None = None

    def admits(self, secret: str, now: datetime) -> bool:
        """Whether this key, used with `secret` at `now`, lets its caller in."""
        same = hmac.compare_digest(self.hash, hash_secret(secret))
        return same and self.is_valid(now)

    def is_valid(self, now: datetime) -> bool:
        """Whether this key is neither revoked nor expired at `now`."""
        return not self.revoked and (self.expires_at is None or now < self.expires_at)

    def last_use_is_stale(self, now: datetime) -> bool:
        """Whether a use at `now` is to be written down."""
        return self.last_used_at is None or self.last_used_at < now - LAST_USED_GRAIN


NO_KEY = ApiKey("", "0" * 64, "", Role.USER, datetime.min.replace(tzinfo=UTC), revoked=True)
"""Stands in for a key that does not exist, and admits nobody: an unknown id costs what a wrong secret costs."""


class Token(NamedTuple):
    """A key as its owner holds it."""

    id: str
    secret: str

    def __str__(self) -> str:
        return f"lk_{self.id}_{self.secret}"


def new_token() -> Token:
    """A token that nobody can guess."""
    return Token(random_text(_ID_LENGTH), random_text(_SECRET_LENGTH))


def parse_token(text: str) -> Token | None:
    """The token in `text`, or None if it does not look like one."""
    match = _TOKEN.fullmatch(text)
    return Token(*match.groups()) if match else None


def hash_secret(secret: str) -> str:
    """The SHA-256 of a secret, in hexadecimal."""
    return hashlib.sha256(secret.encode()).hexdigest()
