"""Which alarms watch over a deployment, so that CloudFormation takes it back when one goes off."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from ops.shared.aws import client

_MOST = 5
"""How many rollback triggers CloudFormation takes:
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_RollbackConfiguration.html
"""

_AT_THE_EDGE = ("-redirect-5xx", "-redirect-p99")
"""How the names of those alarms end that are about what visitors get where API Gateway does not see it."""

_SOONEST = ("AWS/ApiGateway", "Linkly", "AWS/Lambda", "AWS/SQS")
"""Where a mistake shows first: in what visitors get, in our own metrics, in failing functions, in dead letters."""


def rollback_configuration(
    stack: str, resources: Collection[str], minutes: int, tell: Callable[[str], None]
) -> Mapping[str, Any]:
    """The alarms of the stack as it is now, as rollback triggers that are watched for `minutes` after an update.

    A trigger that is missing makes the whole deployment fail, so an alarm is left out if it does not exist, or if it
    is not among `resources`, the logical names in the new template. So is one that is off already: it would take
    back the very deployment that was to put it right.
    """
    names = _alarm_names(stack, resources) if minutes else []
    alarms = _existing(names) if names else []
    for alarm in alarms:
        if alarm["StateValue"] == "ALARM":
            tell(f"not watching {alarm['AlarmName']}: it is in alarm already")
    watched = sorted((alarm for alarm in alarms if alarm["StateValue"] != "ALARM"), key=_rank)[:_MOST]
    if watched:
        names = [alarm["AlarmName"] for alarm in watched]
        tell(f"watching {', '.join(names)}, until {minutes} minutes after the update")
    # An empty list, and not none, or CloudFormation would use those of last time.
    triggers = [{"Arn": alarm["AlarmArn"], "Type": "AWS::CloudWatch::Alarm"} for alarm in watched]
    return {"RollbackTriggers": triggers, "MonitoringTimeInMinutes": minutes if triggers else 0}


def _alarm_names(stack: str, resources: Collection[str]) -> list[str]:
    pages = client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    return [
        resource["PhysicalResourceId"]
        for page in pages
        for resource in page["StackResourceSummaries"]
        if resource["ResourceType"] == "AWS::CloudWatch::Alarm" and resource["LogicalResourceId"] in resources
    ]


def _existing(names: Sequence[str]) -> list[Mapping[str, Any]]:
    pages = client("cloudwatch").get_paginator("describe_alarms").paginate(AlarmNames=names)
    return [alarm for page in pages for alarm in page["MetricAlarms"]]


def _rank(alarm: Mapping[str, Any]) -> tuple[int, str]:
    if alarm["AlarmName"].endswith(_AT_THE_EDGE):
        return 0, alarm["AlarmName"]
    namespace = alarm.get("Namespace", "")
    return (_SOONEST.index(namespace) if namespace in _SOONEST else len(_SOONEST), alarm["AlarmName"])
