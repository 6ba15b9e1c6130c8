"""The stack of a stage, as CloudFormation describes it."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from ops.shared.aws import client
from ops.shared.errors import OperatorError


class StackNotFound(OperatorError):
    """A stage is not deployed in this account and region."""


def stack_name(stage: str) -> str:
    """The name of a stage's stack."""
    return f"linkly-{stage}"


def find_stack(stage: str) -> Mapping[str, Any] | None:
    """What CloudFormation says of a stage's stack; None if there is none, or only a change set that would make one."""
    try:
        [stack] = client("cloudformation").describe_stacks(StackName=stack_name(stage))["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":  # what it says if there is no such stack
            raise
        return None
    found: Mapping[str, Any] = stack
    return None if found["StackStatus"] == "REVIEW_IN_PROGRESS" else found


def outputs(stage: str) -> dict[str, str]:
    """The outputs of a stage's stack. Raises StackNotFound."""
    stack = find_stack(stage)
    if stack is None:
        raise StackNotFound(f"There is no stack {stack_name(stage)} in this account and region.")
    return outputs_of(stack)


def outputs_of(stack: Mapping[str, Any]) -> dict[str, str]:
    """The outputs of a stack as CloudFormation describes it."""
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def deployed_version(stage: str) -> str | None:
    """The commit that a stage runs, as `git describe` named it; None if it is not deployed, or does not say."""
    stack = find_stack(stage)
    return outputs_of(stack).get("Version") if stack else None


def deployed_runtime(stage: str) -> str | None:
    """What a stage's functions run on, such as `python3.13`; None if it is not deployed."""
    functions = client("lambda")
    try:
        answer = functions.get_function_configuration(FunctionName=f"{stack_name(stage)}-api_handler")
    except functions.exceptions.ResourceNotFoundException:
        return None
    runtime: str = answer["Runtime"]
    return runtime
