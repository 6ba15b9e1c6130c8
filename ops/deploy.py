"""Deploy a package as a CloudFormation stack, and delete it again. The same on AWS and on the emulated one."""

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError, WaiterError

from ops.aws import account, client
from ops.package import Package


class DeploymentFailed(Exception):
    """CloudFormation could not do what was asked; the message lists what failed first."""


@dataclass(frozen=True)
class Deployment:
    """What is there after deploying."""

    outputs: Mapping[str, str]
    template: Mapping[str, Any]


def stack_name(stage: str) -> str:
    """The name of a stage's stack."""
    return f"linkly-{stage}"


def deploy(package: Package, stage: str, parameters: Mapping[str, str], tell: Callable[[str], None]) -> Deployment:
    """Make the stack of `stage` what the package says; `tell` hears of each step.

    Tables that an earlier stack of the same stage left behind are adopted, with what is in them. Raises
    DeploymentFailed; CloudFormation has then rolled back.
    """
    name = stack_name(stage)
    bucket = _artifacts_bucket(stage)
    template = package.template(bucket)
    tell(f"uploading {len(package.code) / 1_000_000:.1f} MB of code to s3://{bucket}/{package.code_key}")
    s3 = client("s3")
    s3.put_object(Bucket=bucket, Key=package.code_key, Body=package.code)
    template_key = package.code_key.replace(".zip", ".json")
    s3.put_object(Bucket=bucket, Key=template_key, Body=_json(template))
    change_set = f"deploy-{uuid.uuid4()}"
    if changes := _create_change_set(name, change_set, f"{s3.meta.endpoint_url}/{bucket}/{template_key}", parameters):
        for change in changes:
            tell(f"{change['Action'].lower():7} {change['LogicalResourceId']} ({change['ResourceType']})")
        _execute_change_set(name, change_set)
    else:
        tell("nothing to change")
    return Deployment(outputs(stage), template)


def waiting_messages(stage: str) -> dict[str, int]:
    """How many messages are in each queue of a stage, by the queue's name; empty queues are left out."""
    urls = client("sqs").list_queues(QueueNamePrefix=f"{stack_name(stage)}-").get("QueueUrls", [])
    waiting = {url.rpartition("/")[2]: queue_depth(url) for url in urls}
    return {name: count for name, count in waiting.items() if count}


def queue_depth(url: str) -> int:
    """About how many messages are in a queue: visible, hidden or delayed."""
    names = [f"ApproximateNumberOfMessages{state}" for state in ("", "NotVisible", "Delayed")]
    attributes = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(map(int, attributes.values()))


def destroy(stage: str) -> None:
    """Delete the stack of `stage`, and the messages in its queues. Its tables stay; the next `deploy` adopts them."""
    cloudformation = client("cloudformation")
    cloudformation.delete_stack(StackName=stack_name(stage))
    try:
        cloudformation.get_waiter("stack_delete_complete").wait(StackName=stack_name(stage))
    except WaiterError as error:
        raise DeploymentFailed(_first_failures(stack_name(stage))) from error


def outputs(stage: str) -> dict[str, str]:
    """The outputs of a stage's stack. Raises DeploymentFailed if it is not deployed."""
    try:
        [stack] = client("cloudformation").describe_stacks(StackName=stack_name(stage))["Stacks"]
    except ClientError as error:
        raise DeploymentFailed(f"There is no stack {stack_name(stage)} in this account and region.") from error
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def _artifacts_bucket(stage: str) -> str:
    s3 = client("s3")
    region = s3.meta.region_name
    name = f"linkly-{stage}-artifacts-{account()}-{region}"
    location = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        s3.create_bucket(Bucket=name, **location)
    except (s3.exceptions.BucketAlreadyOwnedByYou, s3.exceptions.BucketAlreadyExists):
        s3.head_bucket(Bucket=name, ExpectedBucketOwner=account())  # refuses a bucket of somebody else
    closed = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
    s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=closed)
    return name


def _create_change_set(
    name: str, change_set: str, template_url: str, parameters: Mapping[str, str]
) -> Sequence[Mapping[str, Any]]:
    """Ask CloudFormation what would change; nothing, if there is nothing to change."""
    cloudformation = client("cloudformation")
    which = {"StackName": name, "ChangeSetName": change_set}
    cloudformation.create_change_set(
        **which,
        ChangeSetType="UPDATE" if _exists(name) else "CREATE",
        TemplateURL=template_url,
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Capabilities=["CAPABILITY_IAM"],
        ImportExistingResources=True,
    )
    try:
        cloudformation.get_waiter("change_set_create_complete").wait(
            **which, WaiterConfig={"Delay": 2, "MaxAttempts": 150}
        )
    except WaiterError as error:
        reason = cloudformation.describe_change_set(**which)["StatusReason"]
        cloudformation.delete_change_set(**which)
        if "didn't contain changes" in reason or "No updates" in reason:
            return []
        raise DeploymentFailed(reason) from error
    return [change["ResourceChange"] for change in cloudformation.describe_change_set(**which)["Changes"]]


def _execute_change_set(name: str, change_set: str) -> None:
    cloudformation = client("cloudformation")
    waiter = "stack_update_complete" if _exists(name) else "stack_create_complete"
    cloudformation.execute_change_set(StackName=name, ChangeSetName=change_set)
    try:
        cloudformation.get_waiter(waiter).wait(StackName=name, WaiterConfig={"Delay": 2, "MaxAttempts": 900})
    except WaiterError as error:
        raise DeploymentFailed(_first_failures(name)) from error


def _exists(name: str) -> bool:
    try:
        [stack] = client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    except ClientError:
        return False
    return bool(stack["StackStatus"] != "REVIEW_IN_PROGRESS")


def _first_failures(name: str) -> str:
    events = client("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
    failed = [event for event in reversed(events) if event["ResourceStatus"].endswith("_FAILED")]
    lines = [
        f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason given')}" for event in failed
    ]
    return "\n".join([f"The stack {name} could not be changed.", *lines[:5]])


def _json(template: Mapping[str, Any]) -> bytes:
    return json.dumps(template).encode()
