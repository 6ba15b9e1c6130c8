"""The drills of docs/runbook.md, typed from the page, on the deployed stack."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import suppress

import pytest
from botocore.exceptions import ClientError

from chalicelib import config
from ops import PROJECT
from ops.repairing.accident import end_denial
from ops.repairing.consumers import find_consumer, switch
from ops.shared.aws import client
from ops.shared.stages import LOCAL
from tests.deployed import Linkly, dead_letters_url, eventually, waiting

SECONDS_A_COMMAND = 120
"""Five deliveries take one minute, and each is a moment late."""

_PAGE = (PROJECT / "docs" / "runbook.md").read_text()
DRILLS = dict(re.findall(r"^### Drill: (.+?)\n(.*?)(?=^#|\Z)", _PAGE, re.DOTALL | re.MULTILINE))


def steps(drill: str) -> Iterator[tuple[str, str]]:
    """Each command of a drill, and what the page says that it prints."""
    for block in re.findall(r"```console\n(.*?)```", drill, re.DOTALL):
        for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, printed = step.partition("\n")
            yield command, printed


def typed(command: str, linkly: Linkly) -> str:
    """What a command prints in a terminal; it must succeed."""
    key = linkly.alice.headers["Authorization"].removeprefix("Bearer ")
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=PROJECT,
        env={**os.environ, "URL": linkly.url, "KEY": key, "COLUMNS": "200"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS_A_COMMAND,
    )
    assert done.returncode == 0, f"{command}\n{done.stderr}"
    return done.stdout


def as_on_the_page(printed: str, page: str) -> bool:
    """Whether this is what the page shows, where `…` stands for the rest of a line, and at the end for all the rest."""
    *parts, last = map(re.escape, page.rstrip("\n").split("…"))
    rest = r"(?s:.*)" if parts and not last else r"\n?"
    return re.fullmatch(".*".join([*parts, last]) + rest, printed) is not None


@pytest.fixture(autouse=True)
def in_order(linkly: Linkly) -> Iterator[None]:
    """Other tests may have left dead letters, or clicks on the way; and a drill that fails, what it broke."""
    assert linkly
    eventually(lambda: waiting(config.click_queue_url()) == 0)
    client("sqs").purge_queue(QueueUrl=dead_letters_url())
    yield
    for function in ("follow_link", "record_clicks"):
        with suppress(ClientError):  # there is no accident to end
            end_denial(LOCAL, function)
    switch(find_consumer(LOCAL, "record_clicks"), on=True)


@pytest.mark.parametrize("name", DRILLS)
def test_a_drill_goes_as_the_runbook_says(linkly: Linkly, name: str) -> None:
    for command, page in steps(DRILLS[name]):
        printed = typed(command, linkly)

        assert as_on_the_page(printed, page), f"$ {command}\n{printed}\nThe page says:\n{page}"
