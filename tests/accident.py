"""Accidents on purpose, for tests and for the drills of docs/runbook.md: a function that may not do what it must.

    python -m tests.accident forbid record_clicks dynamodb:PutItem --stage local
    python -m tests.accident allow record_clicks --stage local

IAM obeys a denial whatever else allows; on AWS it takes some seconds until Lambda notices.
"""

import json
from typing import Any

import typer

from ops.shared.aws import client
from ops.shared.stacks import stack_name
from ops.shared.stages import Stage, connect

commands = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)

POLICY = "accident"


@commands.command()
def forbid(function: str, action: str, stage: Stage = None) -> None:
    """Forbid a function an action that it is allowed, until `allow`."""
    deny(connect(stage), function, action)


@commands.command()
def allow(function: str, stage: Stage = None) -> None:
    """End the accident."""
    end_denial(connect(stage), function)


def deny(stage: str, function: str, action: str) -> None:
    """Forbid a function of `stage` an action, which it must have been allowed."""
    iam, role = client("iam"), _role(stage, function)
    assert action in _allowed(iam, role), f"{function} has no permission {action}"
    statement = {"Effect": "Deny", "Action": action, "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName=role, PolicyName=POLICY, PolicyDocument=policy)


def end_denial(stage: str, function: str) -> None:
    """Let a function do again what it was allowed."""
    client("iam").delete_role_policy(RoleName=_role(stage, function), PolicyName=POLICY)


def _role(stage: str, function: str) -> str:
    name = f"{stack_name(stage)}-{function}"
    arn: str = client("lambda").get_function_configuration(FunctionName=name)["Role"]
    return arn.rpartition("/")[2]


def _allowed(iam: Any, role: str) -> set[str]:
    policies = [
        iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
    ]
    return {action for policy in policies for statement in policy["Statement"] for action in statement["Action"]}


if __name__ == "__main__":
    commands()
