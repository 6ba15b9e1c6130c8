"""Whoever was woken types what the documents and the alarms say: every command must be one that there is."""

import re
import shlex
from collections.abc import Iterator

import pytest
import typer

from ops import PROJECT
from ops.__main__ import commands

_PAGES = (
    "README.md",
    "docs/blocked-domains.md",
    "docs/cost.md",
    "docs/keys.md",
    "docs/runbook.md",
    "infra/alarms.yaml",
    "infra/functions.yaml",
)


def typed() -> Iterator[str]:
    for page in _PAGES:
        text = (PROJECT / page).read_text().replace("${Stage}", "prod").replace("${Function}", "record_clicks")
        # In a block to the end of the line or to a pipe, in a sentence to the mark that closes it.
        yield from re.findall(r"python -m ops ([^`\"|\n]+)", re.sub(r"\n +", " ", text))


@pytest.mark.parametrize("line", sorted(set(typed())))
def test_a_command_that_is_written_down_is_one_that_there_is(line: str) -> None:
    command = typer.main.get_command(commands)
    arguments = shlex.split(line)

    while hasattr(command, "commands"):
        assert arguments[0] in command.commands
        command = command.commands[arguments.pop(0)]

    assert command.make_context(command.name, arguments)
