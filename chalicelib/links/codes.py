"""What may be a code."""

import re

from chalicelib.base58 import derived_text, random_text
from chalicelib.problems import InvalidCode

LONGEST_CODE = 64
PATTERN = rf"[A-Za-z0-9_-]{{3,{LONGEST_CODE}}}"
_CODE = re.compile(PATTERN, re.ASCII)

RESERVED = frozenset(
    {
        "links", "stats", "analytics", "health",  # the first segments of our own routes
        "unlock", "preview", "api", "admin", "app", "login", "tags", "domains", "keys", "static",  # kept for them
        # API Gateway answers these itself at the root of a domain of one's own:
        # https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-custom-domains.html
        "ping", "sping",
    }
)  # fmt: skip
"""What no new link may be called, in any case of letters: nobody could follow it, today or one day."""


def is_code(text: str) -> bool:
    """Whether `text` has the form of a code; for anything else there is no need to ask the database."""
    return _CODE.fullmatch(text) is not None


def check_code(code: str) -> None:
    """Raise InvalidCode, saying why, unless `code` may be given to a link."""
    if not is_code(code):
        raise InvalidCode("A code has 3 to 64 of the characters A-Z, a-z, 0-9, '_' and '-'.")
    if code.lower() in RESERVED:
        raise InvalidCode(f"The code {code!r} is reserved for our own pages. Choose another one.")


def generate_code(seed: str | None = None) -> str:
    """A code of 7 base-58 characters, one of 2.2 million million (58**7): random, or decided by `seed`."""
    return random_text(7) if seed is None else derived_text(7, seed)
