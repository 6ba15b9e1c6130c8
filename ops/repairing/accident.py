"""`python -m ops accident`: have a function fail on purpose, for the drills of docs/runbook.md and for tests.

IAM obeys a denial whatever else allows; on AWS it takes some seconds until Lambda notices:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

import json
from typing import Annotated, Any

import typer

from ops.shared.aws import client
from ops.shared.errors import OperatorError
from ops.shared.stacks import stack_name
from ops.shared.stages import Stage, connect

commands = typer.Typer(no_args_is_help=True, help="Have a function fail on purpose, for a drill, and end that.")

POLICY = "accident"

Function = Annotated[str, typer.Argument(help="Such as record_clicks.")]


class AccidentFailed(OperatorError):
    """A function cannot be forbidden what it may not do anyway."""


@commands.command()
def forbid(
    function: Function,
    action: Annotated[str, typer.Argument(help="Such as dynamodb:PutItem.")],
    stage: Stage = None,
) -> None:
    """Forbid a function an action that it is allowed, until `accident allow`."""
    deny(connect(stage), function, action)


@commands.command()
def allow(function: Function, stage: Stage = None) -> None:
    """Let a function do again what it was forbidden."""
    end_denial(connect(stage), function)


def deny(stage: str, function: str, action: str) -> None:
    """Forbid a function of `stage` an action. Raises AccidentFailed if it is not allowed that."""
    iam, role = client("iam"), _role(stage, function)
    if action not in (allowed := _allowed(iam, role)):
        raise AccidentFailed(f"{function} has no permission {action}. It has: {', '.join(sorted(allowed))}.")
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
