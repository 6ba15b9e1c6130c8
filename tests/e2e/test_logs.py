"""`python -m ops logs`, against the logs of the deployed functions."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from ops import PROJECT
from tests.deployed import Linkly, eventually, ops


def test_logs_are_shown_by_function_and_by_text_as_columns_and_as_json(linkly: Linkly) -> None:
    code = linkly.create()
    linkly.follow(code)
    eventually(lambda: linkly.total(code) == 1)

    def shown(*options: str) -> list[str]:
        return ops("logs", "--stage", "local", "--no-follow", "--since", "5m", *options).stdout.splitlines()

    eventually(lambda: any("clicks recorded" in line for line in shown("--function", "record_clicks")))
    columns = shown("--filter", "clicks recorded")
    lines = [json.loads(line) for line in shown("--function", "record_clicks", "--json")]

    assert {"record_clicks       | INFO clicks recorded"} == {line[:42] for line in columns}
    assert {"record_clicks"} == {line["function"] for line in lines}
    assert any(line["message"] == "clicks recorded" and line["ClicksRecorded"] == 1 for line in lines)


def test_logs_are_followed_as_they_come_until_ctrl_c(linkly: Linkly, tmp_path: Path) -> None:
    output = tmp_path / "output"
    with output.open("wb") as terminal:
        process = subprocess.Popen(
            [sys.executable, "-m", "ops", "logs", "--stage", "local", "--filter", "link events published"],
            cwd=PROJECT,
            env=os.environ,
            stdout=terminal,
            stderr=terminal,
        )
        try:
            linkly.create()
            eventually(lambda: "publish_link_events | INFO link events published" in output.read_text())
        finally:
            process.send_signal(signal.SIGINT)
            status = process.wait(20)

    assert (0, "Traceback" in output.read_text()) == (status, False)


def test_a_function_that_is_not_there_is_refused(linkly: Linkly) -> None:
    assert linkly

    refused = ops("logs", "--stage", "local", "--function", "nothing")

    assert (2, True) == (refused.returncode, "choose from api_handler, count_created_links" in refused.stderr)
