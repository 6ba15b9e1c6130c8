"""Passwords of links, of which only a hash is kept: scrypt (RFC 7914), with a salt of its own for each."""

import base64
import binascii
import hashlib
import hmac
import os
import unicodedata
from typing import NamedTuple

# 16 MB of memory and a fifth of a second or so of CPU: one of the settings that OWASP names as equally strong.
# https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#scrypt
COST, BLOCK_SIZE, PARALLELISM = 2**14, 8, 5

_SALT_BYTES, _KEY_BYTES = 16, 32
_MOST_MEMORY = 64 * 1024 * 1024
"""Bytes, beyond which a hash of an import is refused to be computed."""


class _Hash(NamedTuple):
    cost: int
    block_size: int
    parallelism: int
    salt: bytes
    key: bytes


def hashed(password: str) -> str:
    """The hash of a password: `scrypt$<cost>$<block size>$<parallelism>$<salt>$<key>`, the last two in base64."""
    salt = os.urandom(_SALT_BYTES)
    key = _derive(password, _Hash(COST, BLOCK_SIZE, PARALLELISM, salt, b""))
    texts = (base64.b64encode(each).decode() for each in (salt, key))
    return "$".join(["scrypt", str(COST), str(BLOCK_SIZE), str(PARALLELISM), *texts])


def matches(password: str, stored: str) -> bool:
    """Whether this is the password of a stored hash; it takes as long if it is not. Raises ValueError of no hash."""
    expected = _parse(stored)
    return hmac.compare_digest(_derive(password, expected), expected.key)


def is_hash(text: str) -> bool:
    """Whether a text is the hash of a password, made with settings that are known here."""
    try:
        found = _parse(text)
    except ValueError:
        return False
    return found[:3] == (COST, BLOCK_SIZE, PARALLELISM) and len(found.salt) == _SALT_BYTES


def _parse(text: str) -> _Hash:
    try:
        name, cost, block_size, parallelism, *both = text.split("$")
        salt, key = (base64.b64decode(each, validate=True) for each in both)
        found = _Hash(int(cost), int(block_size), int(parallelism), salt, key)
    except (ValueError, binascii.Error) as error:
        raise ValueError("not the hash of a password") from error
    if name != "scrypt" or len(found.key) != _KEY_BYTES:
        raise ValueError("not the hash of a password")
    return found


def _derive(password: str, how: _Hash) -> bytes:
    return hashlib.scrypt(
        unicodedata.normalize("NFC", password).encode(),  # as keyboards differ: RFC 8265, section 4.2.2
        salt=how.salt,
        n=how.cost,
        r=how.block_size,
        p=how.parallelism,
        maxmem=_MOST_MEMORY,
        dklen=_KEY_BYTES,
    )
