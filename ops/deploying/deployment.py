"""Deploy a package as a CloudFormation stack, and delete it again. The same on AWS and on the emulated one."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import WaiterError

from ops.deploying import artifacts, progress
from ops.deploying.change_sets import Change, describe
from ops.deploying.package import Package
from ops.deploying.rollback import rollback_configuration
from ops.shared.aws import client
from ops.shared.errors import OperatorError
from ops.shared.stacks import find_stack, outputs, stack_name


class DeploymentFailed(OperatorError):
    """CloudFormation could not do what was asked; the message lists what failed first."""


@dataclass(frozen=True)
class Deployment:
    """What is there after deploying."""

    outputs: Mapping[str, str]
    template: Mapping[str, Any]


def deploy(
    package: Package,
    stage: str,
    parameters: Mapping[str, str | None],
    tell: Callable[[str], None],
    *,
    agree: Callable[[Sequence[Change]], None] = lambda _: None,
    watch_minutes: int = 0,
) -> Deployment:
    """Make the stack of `stage` what the package says; `tell` hears of each step.

    A parameter that is not in `parameters` keeps the value that it has; one that is None there goes back to its
    default. `agree` sees the changes before they are made, and prevents them by raising anything. For `watch_minutes`
    after an update CloudFormation takes it back if an alarm of the stack goes off; 0 for no such watch.

    Tables that an earlier stack of the same stage left behind are adopted, with what is in them. Raises
    DeploymentFailed; CloudFormation has then rolled back.
    """
    name = stack_name(stage)
    stack = find_stack(stage)
    if stack and stack["StackStatus"] == "ROLLBACK_COMPLETE":  # it cannot be updated, and its tables outlive it
        tell(f"removing what is left of {name}, whose first deployment failed")
        destroy(stage, tell)
        stack = None
    bucket = artifacts.make_bucket(stage)
    template = package.template(bucket)
    change_set: dict[str, Any] = {
        "StackName": name,
        "ChangeSetName": f"deploy-{uuid.uuid4()}",
        "ChangeSetType": "UPDATE" if stack else "CREATE",
        "TemplateURL": artifacts.upload(package, template, bucket, tell),
        "Parameters": _parameters(template["Parameters"], parameters, stack or {}, tell),
        "RollbackConfiguration": rollback_configuration(name, template["Resources"], watch_minutes, tell)
        if stack
        else {},
        "Capabilities": ["CAPABILITY_IAM"],
        "ImportExistingResources": True,
    }
    changes = _create_change_set(change_set, is_new=stack is None)
    if changes is None:
        tell("nothing to change")
    else:
        for change in changes:
            tell(describe(change))
        try:
            agree(changes)
        except BaseException:
            _discard_change_set(name, change_set["ChangeSetName"], is_new=stack is None)
            raise
        _execute_change_set(name, change_set["ChangeSetName"], tell)
    artifacts.supersede_all_but(package, bucket)
    return Deployment(outputs(stage), template)


def destroy(stage: str, tell: Callable[[str], None]) -> None:
    """Delete the stack of `stage`, and the messages in its queues. Its tables stay; the next `deploy` adopts them."""
    stack = find_stack(stage)
    if stack is None:
        return
    token = _token()
    client("cloudformation").delete_stack(StackName=stack["StackId"], ClientRequestToken=token)
    outcome = progress.watch(stack["StackId"], token, tell)
    if not outcome.succeeded:
        raise DeploymentFailed(_failure(f"The stack {stack_name(stage)} could not be deleted", outcome))


def _parameters(
    known: Mapping[str, Mapping[str, Any]],
    given: Mapping[str, str | None],
    stack: Mapping[str, Any],
    tell: Callable[[str], None],
) -> list[Mapping[str, Any]]:
    """The parameters of a change set: as given, or as they are, or left out and so at their defaults."""
    if unknown := set(given) - set(known):
        raise DeploymentFailed(f"There is no setting {', '.join(sorted(unknown))}; there are {', '.join(known)}.")
    current = {each["ParameterKey"]: each["ParameterValue"] for each in stack.get("Parameters", [])}
    kept = {name: current[name] for name in known if name in current and name not in given}
    for name, value in kept.items():
        if value != str(known[name].get("Default")):
            tell(f"keeping  {name} = {value}")
    return [
        *({"ParameterKey": name, "ParameterValue": value} for name, value in given.items() if value is not None),
        *({"ParameterKey": name, "UsePreviousValue": True} for name in kept),
    ]


def _create_change_set(request: Mapping[str, Any], *, is_new: bool) -> list[Change] | None:
    """Ask CloudFormation what would change; None if there is nothing to change.

    An empty list is a change too: of outputs only, such as the version.
    """
    cloudformation = client("cloudformation")
    cloudformation.create_change_set(**request)
    which = {"StackName": request["StackName"], "ChangeSetName": request["ChangeSetName"]}
    try:
        cloudformation.get_waiter("change_set_create_complete").wait(
            **which, WaiterConfig={"Delay": 2, "MaxAttempts": 150}
        )
    except WaiterError as error:
        reason = cloudformation.describe_change_set(**which).get("StatusReason", str(error))
        _discard_change_set(*which.values(), is_new=is_new)
        if "didn't contain changes" in reason or "No updates" in reason:
            return None
        raise DeploymentFailed(reason) from error
    pages = cloudformation.get_paginator("describe_change_set").paginate(**which)
    return [change["ResourceChange"] for page in pages for change in page["Changes"]]


def _discard_change_set(name: str, change_set: str, *, is_new: bool) -> None:
    cloudformation = client("cloudformation")
    cloudformation.delete_change_set(StackName=name, ChangeSetName=change_set)
    if is_new:  # CloudFormation keeps an empty stack for it, in review
        cloudformation.delete_stack(StackName=name)


def _execute_change_set(name: str, change_set: str, tell: Callable[[str], None]) -> None:
    cloudformation = client("cloudformation")
    [stack] = cloudformation.describe_stacks(StackName=name)["Stacks"]
    token = _token()
    cloudformation.execute_change_set(StackName=name, ChangeSetName=change_set, ClientRequestToken=token)
    outcome = progress.watch(stack["StackId"], token, tell)
    if not outcome.succeeded:
        raise DeploymentFailed(_failure(f"The stack {name} {_FATES.get(outcome.status, 'is in trouble')}", outcome))


_FATES = {
    "UPDATE_ROLLBACK_COMPLETE": "could not be changed; it was rolled back, and is as it was before",
    "ROLLBACK_COMPLETE": "could not be made; what had been made of it was removed again, but for its tables, which the "
    "next deployment adopts",
    "UPDATE_ROLLBACK_FAILED": "could neither be changed nor be rolled back. Remove the cause, and then: "
    "aws cloudformation continue-update-rollback",
}


def _failure(sentence: str, outcome: progress.Outcome) -> str:
    return "\n".join([f"{sentence} ({outcome.status}). What failed, the first first:", *outcome.failures[:5]])


def _token() -> str:
    """What the events of one operation of CloudFormation are known by."""
    return f"linkly-{uuid.uuid4()}"
