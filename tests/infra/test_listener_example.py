"""The listener that CONTRIBUTING.md shows, added to a copy of the app as a contributor would."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ops import PROJECT
from tests.checkout import copy_checkout


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with the example in it."""
    text = (PROJECT / "CONTRIBUTING.md").read_text()
    blocks = {kind: re.search(rf"```{kind}\n(.*?)```", text, re.DOTALL) for kind in ("python", "yaml", "json")}
    trigger, subscription, policy = (block[1] for block in blocks.values() if block)
    copy = copy_checkout(tmp_path)
    insert(copy / "app.py", trigger + "\n\n", before="if config.runs_in_lambda():")
    insert(copy / "infra" / "template.yaml", subscription + "\n", before="  # What API Gateway answers")
    (copy / ".chalice" / "policy-log_deleted_links.json").write_text(policy)
    config = json.loads((copy / ".chalice" / "config.json").read_text())
    config["lambda_functions"]["log_deleted_links"] = {
        "iam_policy_file": "policy-log_deleted_links.json",
        "lambda_timeout": 30,
    }
    (copy / ".chalice" / "config.json").write_text(json.dumps(config))
    return copy


def insert(file: Path, text: str, before: str) -> None:
    start, found, end = file.read_text().partition(before)
    assert found
    file.write_text(start + text + found + end)


def run(checkout: Path, program: str) -> Any:
    """Run Python in a checkout; gives what it prints, which is JSON."""
    done = subprocess.run([sys.executable, "-c", program], cwd=checkout, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_it_is_deployed_with_its_subscription_and_its_permissions(checkout: Path) -> None:
    program = (
        "import json; from ops.deploying.package import package; "
        "print(json.dumps(package('dev').template('some-bucket')))"
    )

    resources = run(checkout, program)["Resources"]

    subscription = resources["LogDeletedLinksLogDeletedLinksSnsSubscription"]["Properties"]
    assert "linkly-dev-log_deleted_links" == resources["LogDeletedLinks"]["Properties"]["FunctionName"]
    assert {
        "Endpoint": {"Fn::GetAtt": ["LogDeletedLinks", "Arn"]},
        "FilterPolicy": {"type": ["link.deleted"]},
        "Protocol": "lambda",
        "TopicArn": {"Fn::Sub": "${LinkEventsTopic}"},
    } == subscription
    [policy] = resources["LogDeletedLinksRole"]["Properties"]["Policies"]
    assert ["WriteLogs", "SendTraces"] == [statement["Sid"] for statement in policy["PolicyDocument"]["Statement"]]


def test_it_hears_an_event(checkout: Path) -> None:
    program = """
import os
os.environ["STAGE"] = "dev"
from chalice.test import Client
from app import app
client = Client(app, stage_name="dev")
client.lambda_.invoke("log_deleted_links", client.events.generate_sns_event('{"code": "gone"}', "link.deleted"))
"""

    line = run(checkout, program)

    assert ("link deleted", '{"code": "gone"}') == (line["message"], line["event"])
