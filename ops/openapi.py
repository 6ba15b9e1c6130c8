"""The copy of the API's description that is checked in."""

import json

from ops import PROJECT

PATH = PROJECT / "docs" / "openapi.json"
BASE_URL = "https://go.example.com"
"""The server in the copy: an example, as nobody knows here where Linkly is deployed."""


def text() -> str:
    """What the copy must say."""
    # Imported here because no other command needs the whole app.
    from app import app  # noqa: PLC0415
    from chalicelib.middleware import PUBLIC  # noqa: PLC0415
    from chalicelib.openapi import describe  # noqa: PLC0415

    return json.dumps(describe(app.routes, PUBLIC, BASE_URL), indent=2) + "\n"


def write() -> None:
    """Write the copy."""
    PATH.write_text(text())
