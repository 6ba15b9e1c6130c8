"""The owners' page: its files, which a browser gets as they lie in `files/` but for comments, and what it lets them do.

The files are served under a version made of their contents, so that a browser keeps them for good and never mixes those
of two deployments. docs/page.md tells how they are built.
"""

import hashlib
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

FILES = Path(__file__).with_name("files")
SHELL = "index.html"

MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

# https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Content-Security-Policy
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types lit-html"
)
"""Nothing from elsewhere, nothing inline; and text becomes elements in lit-html's templates only."""


# A fifteenth of what would go over the wire. Only whole lines, so that none is taken for one that is in a text.
_COMMENT = re.compile(r"^ *(//.*|/\*(?s:.*?)\*/)\n", re.MULTILINE)
_VENDORED = "lit-html.js"
"""Whose comment is its licence."""


class File(NamedTuple):
    """A file as it is served."""

    media_type: str
    text: str


@cache
def files() -> dict[str, File]:
    """The files that the page is made of, by their names; without its shell."""
    return {
        path.name: File(MEDIA_TYPES[path.suffix], _as_served(path))
        for path in sorted(FILES.iterdir())
        if path.suffix in MEDIA_TYPES
    }


def _as_served(path: Path) -> str:
    text = path.read_text()
    return text if path.name == _VENDORED else _COMMENT.sub("", text)


@cache
def version() -> str:
    """What the files' address has in it, and what changes with any of them."""
    digest = hashlib.sha256()
    for name, file in files().items():
        digest.update(f"{name}\0{file.text}\0".encode())
    return digest.hexdigest()[:12]


def shell(path: str) -> str:
    """The page's HTML for a browser that asked for `path`, which may end with a slash.

    All addresses in it are relative: a stage of API Gateway stands before our paths, and a domain does not have it.
    """
    directory = f"./{version()}" if path.endswith("/") else f"./ui/{version()}"
    return (FILES / SHELL).read_text().replace("{files}", directory)
