"""A stage of its own, from its first deployment to the deletion of its data."""

from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from ops.shared.aws import client
from tests.checkout import BROKEN_QUEUE, copy_checkout
from tests.deployed import ops


def test_the_data_of_a_stage_goes_only_when_its_name_is_given(aws_endpoint: str) -> None:
    assert aws_endpoint
    deployed = ops("deploy", "--stage", "prod", "--no-smoke-test", "--access-logs", "true")
    everything = ("destroy", "--stage", "prod", "--delete-tables", "--yes-delete-the-data")

    refused = ops(*everything, "dev")
    before = leftovers("linkly-prod-")
    destroyed = ops(*everything, "prod")

    assert (0, 2, 0) == (deployed.returncode, refused.returncode, destroyed.returncode), destroyed.stderr
    assert [True, True, True] == [bool(each) for each in before]
    assert ([], [], []) == leftovers("linkly-prod-")


def test_a_first_deployment_that_fails_leaves_tables_that_the_next_one_adopts(
    aws_endpoint: str, tmp_path: Path
) -> None:
    assert aws_endpoint
    checkout = copy_checkout(tmp_path)
    with (checkout / "infra" / "template.yaml").open("a") as template:
        template.write(BROKEN_QUEUE)

    failed = ops("deploy", "--stage", "prod", "--no-smoke-test", checkout=checkout)
    left, _, _ = leftovers("linkly-prod-")
    deployed = ops("deploy", "--stage", "prod", "--no-smoke-test")
    destroyed = ops("destroy", "--stage", "prod", "--delete-tables", "--yes-delete-the-data", "prod")

    assert (1, 0, 0) == (failed.returncode, deployed.returncode, destroyed.returncode), deployed.stderr
    assert "its tables, which the next deployment adopts (ROLLBACK_COMPLETE)" in failed.stderr
    assert {"linkly-prod-links", "linkly-prod-clicks", "linkly-prod-api_keys"} <= set(left)
    assert "removing what is left of linkly-prod, whose first deployment failed" in deployed.stdout
    assert "import   LinksTable (AWS::DynamoDB::Table)" in deployed.stdout
    assert ([], [], []) == leftovers("linkly-prod-")


def leftovers(prefix: str) -> tuple[list[str], list[str], list[str]]:
    """The tables, log groups and buckets that begin like this."""
    tables = client("dynamodb").list_tables()["TableNames"]
    groups = client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{prefix}")["logGroups"]
    buckets = [bucket["Name"] for bucket in client("s3").list_buckets()["Buckets"]]
    return (
        [name for name in tables if name.startswith(prefix)],
        [group["logGroupName"] for group in groups],
        [name for name in buckets if name.startswith(prefix)],
    )


def test_the_policy_of_a_role_that_deploys_allows_all_that_deploying_and_looking_calls(
    aws_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert aws_endpoint
    printed = ops("deploy-policy", "--stage", "prod")
    iam, deployer = client("iam"), {"UserName": "deployer"}
    iam.create_user(**deployer)
    iam.put_user_policy(**deployer, PolicyName="deploy", PolicyDocument=printed.stdout)
    key = iam.create_access_key(**deployer)["AccessKey"]

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
    elsewhere = ops("keys", "list", "--stage", "dev")
    done = [
        ops(*command, "--stage", "prod")
        for command in (
            ("deploy",),
            ("deploy", "--dry-run"),
            ("status",),
            ("destroy", "--discard-messages", "--delete-tables", "--yes-delete-the-data", "prod"),
        )
    ]

    assert [(0, "")] * 4 == [(each.returncode, each.stderr) for each in done]
    assert (1, True) == (elsewhere.returncode, "AccessDenied" in elsewhere.stderr)


def test_what_a_dry_run_prepares_of_a_new_stage_is_gone_again(aws_endpoint: str) -> None:
    assert aws_endpoint

    shown = ops("deploy", "--stage", "prod", "--dry-run")

    assert (0, "linkly-prod: version", "Nothing was changed.") == (
        shown.returncode,
        shown.stdout[:20],
        shown.stdout.splitlines()[-1],
    )
    with pytest.raises(ClientError, match="linkly-prod does not exist"):
        client("cloudformation").describe_stacks(StackName="linkly-prod")
