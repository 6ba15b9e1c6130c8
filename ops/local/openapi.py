"""The copy of the API's description that is checked in."""

import json
from typing import Any

from ops import PROJECT

PATH = PROJECT / "docs" / "openapi.json"
BASE_URL = "https://go.example.com"
"""The server in the copy: an example, as nobody knows here where Linkly is deployed."""


def description() -> dict[str, Any]:
    """What the copy must say."""
    # Imported here because no other command needs the whole app.
    from app import app  # noqa: PLC0415
    from chalicelib.middleware import PUBLIC  # noqa: PLC0415
    from chalicelib.openapi import describe  # noqa: PLC0415

    return describe(app.routes, PUBLIC, BASE_URL)


def text() -> str:
    """The copy, as it is checked in."""
    return json.dumps(description(), indent=2) + "\n"
