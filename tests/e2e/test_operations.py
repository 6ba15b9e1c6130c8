"""The operator's commands, as typed, against the emulated AWS."""

import os
import re
from datetime import UTC, datetime

import httpx
import pytest

from chalicelib.clicks.click import encode
from ops import emulator
from ops.aws import client
from ops.deploy import outputs
from tests.builders import a_click
from tests.e2e.deployed import eventually, ops

URL = "https://example.com/kept"


@pytest.fixture(scope="module")
def dev_is_deployed(aws_endpoint: str) -> None:
    """Deploy a stage `dev` by command."""
    assert aws_endpoint
    deployed = ops("deploy", "--stage", "dev", "--base-url", "https://go.example.com")
    assert deployed.returncode == 0, deployed.stderr


@pytest.fixture
def dev(aws_endpoint: str, dev_is_deployed: None) -> str:  # noqa: ARG001 (it is there for what it does)
    """The URL of the stage `dev`, which changes when it is destroyed and deployed again."""
    return emulator.deployed_url(aws_endpoint, outputs("dev"))


def make_key() -> str:
    return ops(
        "keys", "create", "--owner", "alice", "--role", "user", "--expires", "90d", "--stage", "dev"
    ).stdout.strip()


def test_a_key_is_made_listed_and_revoked(dev: str) -> None:
    key = make_key()
    _, key_id, secret = key.split("_")

    def status() -> int:
        return httpx.get(f"{dev}/links", headers={"Authorization": f"Bearer {key}"}, timeout=30).status_code

    status_before, listed_before = status(), ops("keys", "list", "--stage", "dev").stdout
    revoked = ops("keys", "revoke", key_id, "--stage", "dev")
    status_after, listed_after = status(), ops("keys", "list", "--stage", "dev").stdout

    assert re.fullmatch(r"lk_\w{12}_\w{32}", key)
    assert (0, f"revoked {key_id}\n") == (revoked.returncode, revoked.stdout)
    assert (status_before, status_after) == (200, 401)
    assert re.search(rf"{key_id}.*alice.*user.*valid", listed_before)
    assert re.search(rf"{key_id}.*alice.*user.*revoked", listed_after)
    assert secret not in listed_before + listed_after


def test_a_stage_that_is_destroyed_and_deployed_again_has_its_links_still(dev: str, aws_endpoint: str) -> None:
    key = {"Authorization": f"Bearer {make_key()}"}
    link = httpx.post(f"{dev}/links", json={"url": URL}, headers=key, timeout=30).json()

    destroyed = ops("destroy", "--stage", "dev")
    deployed = ops("deploy", "--stage", "dev", "--base-url", "https://go.example.com")

    url = emulator.deployed_url(aws_endpoint, outputs("dev"))
    assert (destroyed.returncode, deployed.returncode) == (0, 0), destroyed.stderr + deployed.stderr
    assert "import  LinksTable (AWS::DynamoDB::Table)" in deployed.stdout
    assert link == httpx.get(f"{url}/links/{link['code']}", headers=key, timeout=30).json()
    assert f"https://go.example.com/{link['code']}" == link["short_url"]


def test_the_books_of_a_stage_are_balanced_until_a_click_comes_from_nowhere(dev: str) -> None:
    key = {"Authorization": f"Bearer {make_key()}"}
    link = httpx.post(f"{dev}/links", json={"url": URL}, headers=key, timeout=30).json()
    for _ in range(3):
        assert 302 == httpx.get(f"{dev}/{link['code']}", timeout=30).status_code

    balanced = ops("clicks", "reconcile", "--stage", "dev")
    forged = encode(a_click(code=link["code"], occurred_at=datetime.now(UTC)))
    sqs = client("sqs")
    sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName="linkly-dev-clicks")["QueueUrl"], MessageBody=forged)
    stats = f"{dev}/stats/{link['code']}"
    eventually(lambda: httpx.get(stats, headers=key, timeout=30).json()["total"] == 4)
    unbalanced = ops("clicks", "reconcile", "--patience", "0", "--stage", "dev")

    assert (0, True) == (balanced.returncode, "every accepted click is accounted for" in balanced.stdout)
    assert (1, True) == (unbalanced.returncode, "to be replayed than were accepted: 1\n" in unbalanced.stdout)


def test_deploying_twice_changes_nothing(dev: str) -> None:
    assert dev

    again = ops("deploy", "--stage", "dev", "--base-url", "https://go.example.com")

    assert (again.returncode, "nothing to change" in again.stdout) == (0, True), again.stderr


def test_a_stage_is_not_destroyed_while_clicks_wait(dev: str) -> None:
    assert dev
    sqs = client("sqs")
    dead_letters = sqs.get_queue_url(QueueName="linkly-dev-clicks-dlq")["QueueUrl"]
    sqs.send_message(QueueUrl=dead_letters, MessageBody="a click")

    refused = ops("destroy", "--stage", "dev")
    sqs.purge_queue(QueueUrl=dead_letters)

    assert (refused.returncode, "1 in linkly-dev-clicks-dlq" in refused.stderr) == (1, True)
    assert outputs("dev")


def test_a_command_about_a_stage_that_is_not_there_says_so(aws_endpoint: str) -> None:
    assert aws_endpoint

    listed = ops("keys", "list", "--stage", "prod")

    assert (
        listed.returncode,
        listed.stderr,
    ) == (1, "There is no stage 'prod' in this account and region. Deploy it: make deploy STAGE=prod\n")


@pytest.mark.parametrize("command", ["deploy", "destroy"])
@pytest.mark.parametrize("stage", ["local", "nowhere"])
def test_only_stages_that_are_described_and_real_are_deployed_and_destroyed(command: str, stage: str) -> None:
    refused = ops(command, "--stage", stage)

    assert (2, True) == (refused.returncode, "the stages that can be deployed are: dev, prod" in refused.stderr)


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [
        ("AWS_DEFAULT_REGION", "No AWS region is set."),
        ("AWS_ACCESS_KEY_ID", "No AWS credentials are found."),
    ],
)
def test_a_command_that_does_not_know_where_to_go_says_so(
    aws_endpoint: str, monkeypatch: pytest.MonkeyPatch, missing: str, sentence: str
) -> None:
    assert aws_endpoint
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.delenv(missing)

    listed = ops("keys", "list", "--stage", "dev")

    assert (1, True) == (listed.returncode, listed.stderr.startswith(sentence))
