"""The listener that CONTRIBUTING.md shows, added to a copy of the checkout as a contributor would."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ops import PROJECT
from tests.checkout import copy_checkout

PLACES = {
    "At the end of the triggers in `app.py`": ("app.py", "\nif config.lacks_a_stage():"),
    "At the end of the functions in `infra/template.yaml`": (
        "infra/template.yaml",
        "  # What API Gateway answers before the app",
    ),
    "In `.chalice/policy-log_deleted_links.json`": (".chalice/policy-log_deleted_links.json", ""),
}
"""Where the page says that a block goes: a file, and what comes behind it there; nothing, in a file that is new."""

CHECKS = ("test_functions.py", "test_template.py", "test_alarms.py", "test_dashboard.py")

SLOW = "stages_share_no_name or cfn_lint"
"""They say nothing of a listener that the others do not, and take longer than all of these."""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with the example in it, and nothing else that is new."""
    page = (PROJECT / "CONTRIBUTING.md").read_text()
    copy = copy_checkout(tmp_path)
    for sentence, (file, behind) in PLACES.items():
        words = r"\s+".join(map(re.escape, sentence.split()))
        found = re.search(rf"{words}[^`]*\n\n```\w+\n(.*?)```", page, re.DOTALL)
        assert found, f"CONTRIBUTING.md no longer says: {sentence}"
        insert(copy / file, found[1], behind)
    return copy


def insert(file: Path, block: str, behind: str) -> None:
    if not behind:
        file.write_text(block)
        return
    start, found, end = file.read_text().partition(behind)
    assert found
    file.write_text(f"{start}{block}\n{found}{end}")


def run(checkout: Path, *arguments: str) -> str:
    """Run Python in a checkout; gives what it prints."""
    # Or its tests would take themselves for a part of this run, and the package of this checkout for theirs.
    alone = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_XDIST_")}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=checkout, env=alone, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_nothing_is_missing(checkout: Path) -> None:
    for part in ("tests", "docs"):
        shutil.copytree(PROJECT / part, checkout / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy2(PROJECT / "pyproject.toml", checkout)
    checks = [f"tests/infra/{file}" for file in CHECKS]

    printed = run(checkout, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", f"not ({SLOW})", *checks)

    assert re.search(r"\d+ passed", printed)


def test_it_hears_an_event(checkout: Path) -> None:
    program = """
import os
os.environ["STAGE"] = "dev"
from chalice.test import Client
from app import app
client = Client(app, stage_name="dev")
client.lambda_.invoke("log_deleted_links", client.events.generate_sns_event('{"code": "gone"}', "link.deleted"))
"""

    line = json.loads(run(checkout, "-c", program).splitlines()[-1])

    assert ("link deleted", '{"code": "gone"}') == (line["message"], line["event"])
