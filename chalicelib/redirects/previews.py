"""Where a link leads, shown and not followed: `/{code}+`, and what robots and HEAD get of a guarded link."""

import json
from collections.abc import Mapping
from typing import TypedDict

from chalicelib import log
from chalicelib.calls import Call
from chalicelib.redirects.follow import Answer, find
from chalicelib.redirects.life import is_guarded, way_of


class Preview(TypedDict):
    """Where a link leads now; `url` is null where a visitor has to do something first."""

    code: str
    url: str | None
    has_password: bool
    limited: bool
    """Whether it may be followed so many times only."""


def preview(code: str, headers: Mapping[str, str], call: Call) -> Answer:
    """Show where a link leads, which is no click. Raises the Problem that a visitor would be told, or CallFailed."""
    redirect, _ = find(code, call)
    way = way_of(redirect, None)
    life = redirect.life or {}
    shown: Preview = {
        "code": code,
        "url": None if way.counts and is_guarded(redirect) else way.url,
        "has_password": "has_password" in life,
        "limited": "max_clicks" in life,
    }
    log.info("previewed", code=code)
    return 200, {"Content-Type": "application/json", "Cache-Control": "no-store"}, json.dumps(shown)
