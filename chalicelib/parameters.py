"""Query parameters that several routes read alike."""

import re
from collections.abc import Mapping
from datetime import date

from chalicelib.problems import BadRequest

DEFAULT_DAYS = 30


def whole_number(query: Mapping[str, str] | None, name: str, default: int, most: int) -> int:
    """The query parameter `name`, from 1 to `most`; `default` if it is absent. Raises BadRequest."""
    text = (query or {}).get(name)
    if text is None:
        return default
    if not (re.fullmatch(r"[0-9]{1,9}", text) and 1 <= int(text) <= most):
        raise BadRequest(f"The parameter {name!r} must be a whole number from 1 to {most}.")
    return int(text)


def day(query: Mapping[str, str] | None, name: str) -> date | None:
    """The query parameter `name`, a day such as 2026-05-27; None if it is absent. Raises BadRequest."""
    text = (query or {}).get(name)
    if text is None:
        return None
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return date.fromisoformat(text)
    except ValueError:  # February 30
        pass
    raise BadRequest(f"The parameter {name!r} must be a day such as 2026-05-27.")
