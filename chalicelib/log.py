"""What a redirect logs: one JSON object a line, and no more than is needed of it.

Every click costs its line, so the usual ones are written here, without Powertools, and without what is known anyway:
the log group names stage and function, CloudWatch the time. Trouble is told by Powertools, with metrics, and with the
invocation that it came up in (observability.py), which is imported then.
"""

import json
import sys
from collections.abc import Mapping
from typing import Any

_ENCODER = json.JSONEncoder(separators=(",", ":"))

_invocation: tuple[Any, str | None] | None = None


def begin(context: Any, correlation_id: str | None) -> None:
    """Remember the invocation, for lines about trouble; `context` is Lambda's."""
    global _invocation  # noqa: PLW0603 (a process works on one invocation at a time)
    _invocation = context, correlation_id


def info(message: str, **fields: Any) -> None:
    """Write a line about what went well."""
    write_line(_ENCODER.encode({"level": "INFO", "message": message, **fields}))


def write_line(line: str) -> None:
    """Hand a line to Lambda, which takes what is printed."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def warning(message: str, fields: Mapping[str, Any], **metrics: int) -> None:
    """Write a line about trouble that cost nobody anything."""
    _tell("warning", message, fields, metrics)


def error(message: str, fields: Mapping[str, Any], **metrics: int) -> None:
    """Write a line about trouble that somebody should look at."""
    _tell("error", message, fields, metrics)


def exception(message: str) -> None:
    """Write a line about the error that is being handled, with its traceback."""
    _tell("exception", message, {}, {})


def _tell(level: str, message: str, fields: Mapping[str, Any], metrics: Mapping[str, int]) -> None:
    from chalicelib import observability  # noqa: PLC0415 (see above)

    if _invocation:
        observability.begin(*_invocation)
    measured = observability.measured(**metrics) if metrics else {}
    getattr(observability.logger, level)(message, extra={**fields, **measured})
