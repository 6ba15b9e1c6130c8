"""The app's functions as Lambda calls them."""

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

CONTEXT = SimpleNamespace(
    function_name="linkly-dev-follow_link",
    aws_request_id="8476a536-e9f4-11e8-9739-2dfe598c3fcd",
    get_remaining_time_in_millis=lambda: 60_000,
)


def event(code: str) -> dict[str, Any]:
    """A follow of a code."""
    request: dict[str, Any] = json.loads(_TEXT.replace("a-code", code))
    return request


_TEXT = Path(os.environ["FOLLOW_EVENT"]).read_text()
