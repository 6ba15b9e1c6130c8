"""The operator's commands, as typed, about a stage on the emulated AWS."""

import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import httpx
import pytest

from chalicelib.clicks.click import encode
from ops import PROJECT
from ops.deploying.artifacts import SUPERSEDED, bucket_name
from ops.shared import emulation
from ops.shared.aws import client
from ops.shared.stacks import outputs
from tests.builders import clicks
from tests.checkout import BROKEN_QUEUE, copy_checkout
from tests.deployed import eventually, ops

if TYPE_CHECKING:
    import subprocess

URL = "https://example.com/kept"
DOMAIN = "go.example.com"


def deploy(*options: str, checkout: Path = PROJECT) -> "subprocess.CompletedProcess[str]":
    """Deploy the stage `dev`, and do not try it."""
    return ops("deploy", "--stage", "dev", "--no-smoke-test", *options, checkout=checkout)


@pytest.fixture(scope="module")
def domain(aws_endpoint: str) -> tuple[str, ...]:
    """The options that give a stage a domain."""
    assert aws_endpoint
    certificate = boto3.client("acm", region_name="us-east-1").request_certificate(DomainName=DOMAIN)["CertificateArn"]
    return ("--domain-name", DOMAIN, "--certificate-arn", certificate)


@pytest.fixture(scope="module")
def first_deployment(domain: tuple[str, ...]) -> str:
    """What is printed when the stage `dev` is deployed by command, and tried."""
    deployed = ops("deploy", "--stage", "dev", *domain)
    assert deployed.returncode == 0, deployed.stderr
    return deployed.stdout


@pytest.fixture
def dev(aws_endpoint: str, first_deployment: str) -> str:  # noqa: ARG001 (it is there for what it does)
    """The URL of the stage `dev`, which changes when it is destroyed and deployed again."""
    return emulation.deployed_url(aws_endpoint, outputs("dev"))


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


def test_a_deployment_shows_what_changes_what_happens_and_that_it_works(first_deployment: str) -> None:
    lines = first_deployment.splitlines()
    [deployed] = re.findall(
        r"^linkly-dev: version (\S+) on python3\.\d+, in place of none$", first_deployment, re.MULTILINE
    )

    expected = [
        "add      LinksTable (AWS::DynamoDB::Table)",
        "create in progress   LinksTable",
        "create complete      LinksTable",
        "create complete      linkly-dev",
        f"Version: {deployed}",
        "follow   it: redirected to https://example.com/linkly-smoke-test",
        "delete   the link",
    ]
    assert expected == [line for line in lines if line in expected]
    assert re.search(r"^count    its clicks: 1, after \d+\.\d seconds$", first_deployment, re.MULTILINE)


def test_a_link_is_followed_at_the_domain_without_the_stage_in_its_path(dev: str, aws_endpoint: str) -> None:
    key = {"Authorization": f"Bearer {make_key()}"}
    link = httpx.post(f"{dev}/links", json={"url": URL}, headers=key, timeout=30).json()

    followed = httpx.get(f"{aws_endpoint}/{link['code']}", headers={"Host": DOMAIN}, timeout=30)
    stats = f"{dev}/stats/{link['code']}"
    eventually(lambda: httpx.get(stats, headers=key, timeout=30).json()["total"] == 1)

    assert f"https://{DOMAIN}/{link['code']}" == link["short_url"]
    assert (302, URL) == (followed.status_code, followed.headers["Location"])
    assert {"DomainTarget", "DomainTargetZone"} <= set(outputs("dev"))


def test_a_stage_that_is_destroyed_and_deployed_again_has_its_links_still(
    dev: str, aws_endpoint: str, domain: tuple[str, ...]
) -> None:
    key = {"Authorization": f"Bearer {make_key()}"}
    link = httpx.post(f"{dev}/links", json={"url": URL}, headers=key, timeout=30).json()

    destroyed = ops(
        "destroy", "--stage", "dev", "--discard-messages"
    )  # of the smoke test's link, which is to be purged
    deployed = deploy(*domain)

    url = emulation.deployed_url(aws_endpoint, outputs("dev"))
    assert (destroyed.returncode, deployed.returncode) == (0, 0), destroyed.stderr + deployed.stderr
    assert "delete complete      linkly-dev" in destroyed.stdout
    assert "import   LinksTable (AWS::DynamoDB::Table)" in deployed.stdout
    assert link == httpx.get(f"{url}/links/{link['code']}", headers=key, timeout=30).json()
    assert f"https://go.example.com/{link['code']}" == link["short_url"]


def test_the_clicks_of_a_stage_are_accounted_for_until_some_come_from_nowhere(dev: str) -> None:
    key = {"Authorization": f"Bearer {make_key()}"}
    link = httpx.post(f"{dev}/links", json={"url": URL}, headers=key, timeout=30).json()
    for _ in range(3):
        assert 302 == httpx.get(f"{dev}/{link['code']}", timeout=30).status_code

    balanced = ops("clicks", "reconcile", "--stage", "dev")
    sqs = client("sqs")
    queue = sqs.get_queue_url(QueueName="linkly-dev-clicks")["QueueUrl"]
    # More than one: on a slow machine, the clicks of deployments come to the recorder after their links were deleted,
    # and nobody can tell whether such a click was counted.
    for forged in clicks(9, code=link["code"], occurred_at=datetime.now(UTC)):
        sqs.send_message(QueueUrl=queue, MessageBody=encode(forged))
    stats = f"{dev}/stats/{link['code']}"
    eventually(lambda: httpx.get(stats, headers=key, timeout=30).json()["total"] == 12)
    unbalanced = ops("clicks", "reconcile", "--patience", "0", "--stage", "dev")

    assert 0 == balanced.returncode, balanced.stdout
    assert "every accepted click is accounted for" in balanced.stdout
    assert 1 == unbalanced.returncode, unbalanced.stdout
    assert re.search(r"to be replayed than were accepted: [1-9]\n", unbalanced.stdout)


def test_deploying_twice_changes_nothing_and_keeps_the_settings(dev: str) -> None:
    assert dev
    s3, bucket = client("s3"), bucket_name("dev")
    s3.put_object(Bucket=bucket, Key="superseded.zip", Body=b"code of long ago")

    again = deploy()

    assert (again.returncode, "nothing to change" in again.stdout) == (0, True), again.stderr
    assert ["superseded.zip"] == [
        each["Key"]
        for each in s3.list_objects_v2(Bucket=bucket)["Contents"]
        if SUPERSEDED in s3.get_object_tagging(Bucket=bucket, Key=each["Key"])["TagSet"]
    ]
    assert f"keeping  DomainName = {DOMAIN}" in again.stdout
    assert re.search(r"^watching linkly-dev-\S+,.* until 5 minutes after the update$", again.stdout, re.MULTILINE)


def test_a_stage_is_not_deployed_with_another_python_than_it_runs_on_unless_that_is_asked_for(dev: str) -> None:
    assert dev
    lambda_, name = client("lambda"), "linkly-dev-api_handler"
    ours = lambda_.get_function_configuration(FunctionName=name)["Runtime"]

    lambda_.update_function_configuration(FunctionName=name, Runtime="python3.10")
    refused = deploy("--dry-run")
    shown = deploy("--dry-run", "--change-runtime")
    lambda_.update_function_configuration(FunctionName=name, Runtime=ours)

    assert (1, True) == (refused.returncode, "linkly-dev runs on python3.10, and .venv has" in refused.stderr)
    assert 0 == shown.returncode, shown.stderr


def test_a_setting_goes_back_to_its_default_when_that_is_asked_for_and_a_dry_run_changes_nothing(dev: str) -> None:
    assert dev

    shown = deploy("--dry-run", "--reset", "DomainName", "--reset", "CertificateArn")

    assert (0, "change   APIHandler (AWS::Lambda::Function): Environment") == (
        shown.returncode,
        next(line for line in shown.stdout.splitlines() if "APIHandler " in line),
    )
    assert "Nothing was changed." == shown.stdout.splitlines()[-1]
    change_sets = client("cloudformation").list_change_sets(StackName="linkly-dev")["Summaries"]
    assert [] == [each for each in change_sets if each["ExecutionStatus"] == "AVAILABLE"]


def test_a_deployment_that_would_replace_a_table_is_stopped_and_one_that_fails_is_rolled_back(
    dev: str, tmp_path: Path
) -> None:
    assert dev
    checkout = copy_checkout(tmp_path)
    template = checkout / "infra" / "template.yaml"
    good = template.read_text()
    before = outputs("dev")

    template.write_text(good.replace("linkly-${Stage}-redirects", "linkly-${Stage}-redirections"))
    stopped = deploy(checkout=checkout)
    template.write_text(good + BROKEN_QUEUE)
    failed = deploy("--yes", "--alarm-email", "ada@example.com", checkout=checkout)
    afterwards = ops("deploy", "--stage", "dev")

    loss = (
        "RedirectsTable (linkly-dev-redirects) would be replaced by a new, empty one, since TableName changes. "
        "At stake: its items. The old one is kept, outside of the stack.\n"
        "If that is what you want: --force-replacement\n"
    )
    assert [(1, loss), 1] == [(stopped.returncode, stopped.stderr), failed.returncode]
    assert failed.stderr.startswith(
        "The stack linkly-dev could not be changed; it was rolled back, and is as it was before "
        "(UPDATE_ROLLBACK_COMPLETE). What failed, the first first:\nBrokenQueue: "
    )
    assert before == outputs("dev")
    assert (0, True, True) == (
        afterwards.returncode,
        "nothing to change" in afterwards.stdout,
        "delete   the link" in afterwards.stdout,
    ), afterwards.stderr


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


def test_a_load_at_a_constant_rate_is_counted_to_the_last_click(dev: str) -> None:
    done = ops("load", "--rate", "5", "--seconds", "2", "--url", dev, "--key", make_key())

    assert (0, "") == (done.returncode, done.stderr)
    sent, latency, verdict = done.stdout.splitlines()
    assert ("sent 10: 10 answered 302", "redirected 10, counted 10: exact") == (sent, verdict)
    assert latency.startswith("latency: p50 ")


def test_a_stage_is_measured_over_http_and_by_lambdas_own_account(dev: str) -> None:
    httpx.get(f"{dev}/health", timeout=30).raise_for_status()

    done = ops("measure", "--stage", "dev", "--follows", "5")

    assert (0, "") == (done.returncode, done.stderr)
    http, *functions, writes = done.stdout.splitlines()
    assert http.startswith("HTTP: 5 follows, 5 redirected; p50 ")
    assert functions[0] == "follow_link: CloudWatch has no invocation in the last 1:00:00."
    assert re.search(r"^  logged: \d+ warm, \d+ cold; at most \d+ of \d+ MB used$", functions[1])
    assert writes == "clicks and daily_clicks: CloudWatch has no write units of recorded clicks in the last 1:00:00."
