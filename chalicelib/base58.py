"""Base 58: the letters and digits that are not mistaken for one another when read aloud or copied from paper."""

import hashlib
import secrets
from collections.abc import Callable

# Bitcoin's alphabet: no 0, O, I or l.
ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def random_text(length: int, choice: Callable[[str], str] = secrets.choice) -> str:
    """`length` random characters of the alphabet, each worth 5.86 bits when `choice` is cryptographically random."""
    return "".join(choice(ALPHABET) for _ in range(length))


def derived_text(length: int, seed: str) -> str:
    """`length` characters of the alphabet that look random but are always the same for `seed`."""
    number = int.from_bytes(hashlib.sha256(seed.encode()).digest())
    characters = []
    for _ in range(length):
        number, digit = divmod(number, len(ALPHABET))
        characters.append(ALPHABET[digit])
    return "".join(characters)
