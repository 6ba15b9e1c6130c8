"""`python -m ops robots`: the patterns by which robots are told from people, from a version of isbot."""

import json
import re
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from chalicelib.robots import PATTERNS
from ops.shared.errors import OperatorError

FOR_PYTHON = {
    # Python's lookbehinds have one length.
    r"(?<! channel/|google/)google(?!(?:wv|app|/google| pixel))": (
        r"(?<! channel/)(?<!google/)google(?!(?:wv|app|/google| pixel))"
    ),
    # In a set, Python takes \d-. for a range.
    r"^mozilla/\d\.\d\s\((?:compatible;)?(?:\s?[\w\d-.]+[\s/]\d+\.\d+)?\)$": (
        r"^mozilla/\d\.\d\s\((?:compatible;)?(?:\s?[\w.-]+[\s/]\d+\.\d+)?\)$"
    ),
}
"""Patterns that Python's `re` does not read as JavaScript does, and how it does."""


def take_over(
    package: Annotated[Path, typer.Argument(help="What `npm pack isbot` has downloaded, such as isbot-5.2.3.tgz.")],
) -> None:
    """Take over isbot's patterns, by which robots are told from people. They are then in the checkout, to be deployed.

    From the next deployment on, clicks are judged by the new patterns. What was counted stays as it is, until
    `clicks recount` judges the clicks of a past day again.
    """
    version, patterns = read(package)
    Path(PATTERNS).write_text(text(version, patterns))
    typer.echo(f"{len(patterns)} patterns of isbot {version}")


def read(package: Path) -> tuple[str, list[str]]:
    """The version of isbot and its patterns, as JavaScript has them. Raises OperatorError."""
    try:
        with tarfile.open(package) as archive:
            about = json.loads(_member(archive, "package/package.json"))
            source = _member(archive, "package/index.mjs")
        found = re.search(r"^var patterns_default = (\[$.*?^\]);$", source, re.MULTILINE | re.DOTALL)
        if about["name"] != "isbot" or not found:
            raise OperatorError(f"{package} has no patterns of isbot where they are looked for.")
        return about["version"], json.loads(found[1])
    except (OSError, tarfile.TarError, KeyError, ValueError) as error:
        raise OperatorError(f"{package} is not what `npm pack isbot` downloads: {error}") from error


def _member(archive: tarfile.TarFile, name: str) -> str:
    file = archive.extractfile(name)
    if file is None:
        raise KeyError(name)
    return file.read().decode()


def text(version: str, patterns: Sequence[str]) -> str:
    """The file of patterns. Raises OperatorError for one that Python does not read."""
    patterns = [FOR_PYTHON.get(pattern, pattern) for pattern in patterns]
    for pattern in patterns:
        if re.search(r"(?<!\\)[A-Z]", pattern):
            raise OperatorError(f"The pattern {pattern} has capital letters, and is asked of small ones.")
        try:
            re.compile(pattern)
        except re.error as error:
            raise OperatorError(
                f"Python does not read the pattern {pattern}: {error}. Add it to FOR_PYTHON."
            ) from error
    head = [
        f"# isbot {version} (https://www.npmjs.com/package/isbot, Unlicense). To replace it: python -m ops robots",
        "# One regular expression a line, found anywhere, in any case. What Python changes: ops/local/robots.py.",
    ]
    return "\n".join([*head, *patterns, ""])
