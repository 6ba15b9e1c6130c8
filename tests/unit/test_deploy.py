"""What CloudFormation is asked, and what its answers mean, as far as the emulated one cannot show it.

It watches no alarms. The answers are made in the shapes of the API reference, which botocore's stubs hold them to.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from ops.deploying import deployment
from ops.deploying.package import Package

STACK_ID = "arn:aws:cloudformation:eu-central-1:123456789012:stack/linkly-dev/1"
ARN = "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mapping[str, Stubber]]:
    """CloudFormation and CloudWatch, which answer what they were told to, in that order."""
    stubs = {name: Stubber(boto3.client(name)) for name in ("cloudformation", "cloudwatch")}
    for module in ("deploying.deployment", "deploying.progress", "deploying.rollback", "shared.stacks"):
        monkeypatch.setattr(f"ops.{module}.client", lambda name: stubs[name].client)
    monkeypatch.setattr("ops.deploying.progress.SECONDS_BETWEEN_LOOKS", 0)
    monkeypatch.setattr("ops.deploying.artifacts.make_bucket", lambda _: "some-bucket")
    monkeypatch.setattr("ops.deploying.artifacts.upload", lambda *_: "https://some-bucket/template.json")
    monkeypatch.setattr("ops.deploying.artifacts.supersede_all_but", lambda *_: None)
    monkeypatch.setattr("ops.deploying.deployment._token", lambda: "ours")
    for stub in stubs.values():
        stub.activate()
    yield stubs
    for stub in stubs.values():
        stub.assert_no_pending_responses()


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> Package:
    """A package whose template has some alarms, and three parameters."""
    template = {
        "Parameters": {name: {"Default": "", "Type": "String"} for name in ("BaseUrl", "AlarmEmail", "New")},
        "Resources": {f"Alarm{number}": {} for number in range(9)},
    }
    monkeypatch.setattr(Package, "template", lambda *_: template)
    return Package(b"", {}, "v2")


def the_stack(status: str = "UPDATE_COMPLETE") -> dict[str, Any]:
    parameters = [
        {"ParameterKey": name, "ParameterValue": value}
        for name, value in {"BaseUrl": "https://go.example.com", "AlarmEmail": "ada@example.com", "Gone": "1"}.items()
    ]
    stack = {
        "StackName": "linkly-dev",
        "StackId": STACK_ID,
        "StackStatus": status,
        "CreationTime": datetime(2026, 5, 27, tzinfo=UTC),
        "Parameters": parameters,
        "Outputs": [{"OutputKey": "Version", "OutputValue": "v1"}],
    }
    return {"Stacks": [stack]}


def an_alarm(name: str, namespace: str = "AWS/SQS", state: str = "OK") -> dict[str, Any]:
    return {"AlarmName": name, "AlarmArn": ARN + name, "Namespace": namespace, "StateValue": state}


def tell_alarms(aws: Mapping[str, Stubber], alarms: Mapping[str, dict[str, Any] | None]) -> None:
    """The stack has these alarms, by their logical names; None for one that somebody has deleted by hand."""
    summaries = [
        {
            "LogicalResourceId": name,
            "PhysicalResourceId": f"linkly-dev-{name}",
            "ResourceType": "AWS::CloudWatch::Alarm",
            "LastUpdatedTimestamp": datetime(2026, 5, 27, tzinfo=UTC),
            "ResourceStatus": "CREATE_COMPLETE",
        }
        for name in alarms
    ]
    aws["cloudformation"].add_response(
        "list_stack_resources", {"StackResourceSummaries": summaries}, {"StackName": "linkly-dev"}
    )
    asked = [f"linkly-dev-{name}" for name in alarms if name != "Removed"]
    aws["cloudwatch"].add_response(
        "describe_alarms", {"MetricAlarms": [alarm for alarm in alarms.values() if alarm]}, {"AlarmNames": asked}
    )


def expect_change_set(
    aws: Mapping[str, Stubber], configuration: Any = ANY, parameters: Any = ANY, kind: str = "UPDATE"
) -> None:
    aws["cloudformation"].add_response(
        "create_change_set",
        {},
        {
            "StackName": "linkly-dev",
            "ChangeSetName": ANY,
            "ChangeSetType": kind,
            "TemplateURL": "https://some-bucket/template.json",
            "Parameters": parameters,
            "RollbackConfiguration": configuration,
            "Capabilities": ["CAPABILITY_IAM"],
            "ImportExistingResources": True,
        },
    )
    for _ in ("the waiter asks", "and we for the changes"):
        aws["cloudformation"].add_response("describe_change_set", {"Status": "CREATE_COMPLETE", "Changes": []})


def tell_events(aws: Mapping[str, Stubber], *events: tuple[str, str, str]) -> None:
    """The stack's events so far: resource, status and reason, the oldest first."""
    aws["cloudformation"].add_response(
        "describe_stack_events",
        {
            "StackEvents": [
                {
                    "StackId": STACK_ID,
                    "StackName": "linkly-dev",
                    "EventId": f"{resource}-{status}-{number}",
                    "LogicalResourceId": resource,
                    "PhysicalResourceId": STACK_ID if resource == "linkly-dev" else resource,
                    "ResourceStatus": status,
                    "ResourceStatusReason": reason,
                    "Timestamp": datetime(2026, 5, 27, tzinfo=UTC),
                    "ClientRequestToken": "earlier" if resource == "Earlier" else "ours",
                }
                for number, (resource, status, reason) in reversed(list(enumerate(events)))
            ]
        },
        {"StackName": STACK_ID},
    )


def expect_execution(aws: Mapping[str, Stubber]) -> None:
    aws["cloudformation"].add_response("describe_stacks", the_stack())
    aws["cloudformation"].add_response(
        "execute_change_set", {}, {"StackName": "linkly-dev", "ChangeSetName": ANY, "ClientRequestToken": "ours"}
    )


DONE = ("linkly-dev", "UPDATE_COMPLETE", "")
SOONEST = ("5xx", "a-redirect-5xx", "failed", "age", "dlq")
"""Of more alarms, which tell soonest, the soonest first."""


def test_alarms_that_exist_stay_and_are_quiet_watch_the_update_those_first_that_tell_soonest(
    aws: Mapping[str, Stubber], package: Package
) -> None:
    aws["cloudformation"].add_response("describe_stacks", the_stack())
    alarms = {
        "Alarm0": an_alarm("e"),
        "Alarm1": an_alarm("dlq"),
        "Alarm2": an_alarm("age", "AWS/Lambda"),
        "Alarm3": an_alarm("on", "AWS/ApiGateway", "ALARM"),
        "Alarm4": None,
        "Alarm5": an_alarm("5xx", "AWS/ApiGateway"),
        "Alarm6": an_alarm("failed", "Linkly", "INSUFFICIENT_DATA"),
        "Alarm7": an_alarm("a-redirect-5xx", "AWS/Other"),
        "Alarm8": an_alarm("f"),
        "Removed": None,
    }
    tell_alarms(aws, alarms)
    triggers = [{"Arn": ARN + name, "Type": "AWS::CloudWatch::Alarm"} for name in SOONEST]
    expect_change_set(aws, {"RollbackTriggers": triggers, "MonitoringTimeInMinutes": 5})
    expect_execution(aws)
    tell_events(aws, DONE)
    aws["cloudformation"].add_response("describe_stacks", the_stack())
    said: list[str] = []

    deployment.deploy(package, "dev", {}, said.append, watch_minutes=5)

    assert "not watching on: it is in alarm already" in said
    assert f"watching {', '.join(SOONEST)}, until 5 minutes after the update" in said


def test_without_a_watch_the_alarms_of_last_time_are_not_watched_either(
    aws: Mapping[str, Stubber], package: Package
) -> None:
    aws["cloudformation"].add_response("describe_stacks", the_stack())
    expect_change_set(aws, {"RollbackTriggers": [], "MonitoringTimeInMinutes": 0})
    expect_execution(aws)
    tell_events(aws, DONE)
    aws["cloudformation"].add_response("describe_stacks", the_stack())

    deployed = deployment.deploy(package, "dev", {}, lambda _: None)

    assert {"Version": "v1"} == deployed.outputs


def test_a_setting_that_is_not_given_stays_and_one_that_is_reset_or_new_is_left_out(
    aws: Mapping[str, Stubber], package: Package
) -> None:
    aws["cloudformation"].add_response("describe_stacks", the_stack())
    expect_change_set(aws, ANY, [{"ParameterKey": "BaseUrl", "UsePreviousValue": True}])  # no AlarmEmail and no New
    expect_execution(aws)
    tell_events(aws, DONE)
    aws["cloudformation"].add_response("describe_stacks", the_stack())
    said: list[str] = []

    deployment.deploy(package, "dev", {"AlarmEmail": None}, said.append)

    assert "keeping  BaseUrl = https://go.example.com" in said


def test_a_setting_that_does_not_exist_is_refused(aws: Mapping[str, Stubber], package: Package) -> None:
    aws["cloudformation"].add_response("describe_stacks", the_stack())

    with pytest.raises(deployment.DeploymentFailed, match=r"There is no setting Colour; there are BaseUrl, AlarmEmail"):
        deployment.deploy(package, "dev", {"Colour": None}, lambda _: None)


def test_an_update_that_an_alarm_takes_back_says_so_and_shows_each_step_once(
    aws: Mapping[str, Stubber], package: Package
) -> None:
    aws["cloudformation"].add_response("describe_stacks", the_stack())
    expect_change_set(aws)
    expect_execution(aws)
    before = [
        ("Earlier", "UPDATE_FAILED", "in another year"),
        ("linkly-dev", "UPDATE_IN_PROGRESS", ""),
        ("APIHandler", "UPDATE_IN_PROGRESS", ""),
        ("APIHandler", "UPDATE_IN_PROGRESS", "Resource update Initiated"),
    ]
    tell_events(aws, *before)
    tell_events(
        aws,
        *before,
        ("linkly-dev", "UPDATE_ROLLBACK_IN_PROGRESS", "Alarm linkly-dev-5xx went to ALARM"),
        ("linkly-dev", "UPDATE_ROLLBACK_COMPLETE", ""),
    )
    said: list[str] = []

    with pytest.raises(deployment.DeploymentFailed) as failed:
        deployment.deploy(package, "dev", {}, said.append)

    assert (
        "The stack linkly-dev could not be changed; it was rolled back, and is as it was before "
        "(UPDATE_ROLLBACK_COMPLETE). What failed, the first first:\n"
        "linkly-dev: Alarm linkly-dev-5xx went to ALARM"
    ) == str(failed.value)
    assert [
        "update in progress   linkly-dev",
        "update in progress   APIHandler",
        "update rollback in progress linkly-dev: Alarm linkly-dev-5xx went to ALARM",
        "update rollback complete linkly-dev",
    ] == [line for line in said if line.startswith("update")]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("UPDATE_ROLLBACK_FAILED", "could neither be changed nor be rolled back"),
        ("ROLLBACK_COMPLETE", "was removed again, but for its tables, which the next deployment adopts"),
    ],
)
def test_what_became_of_a_failed_deployment_is_said(
    aws: Mapping[str, Stubber], package: Package, status: str, words: str
) -> None:
    aws["cloudformation"].add_response("describe_stacks", the_stack())
    expect_change_set(aws)
    expect_execution(aws)
    tell_events(aws, ("ClickQueue", "UPDATE_FAILED", "no"), ("linkly-dev", status, ""))

    with pytest.raises(deployment.DeploymentFailed, match=words):
        deployment.deploy(package, "dev", {}, lambda _: None)


@pytest.mark.parametrize(("status", "deployed"), [("UPDATE_COMPLETE", ["v2"]), ("UPDATE_ROLLBACK_COMPLETE", [])])
def test_the_code_of_the_version_before_is_kept_until_the_next_has_been_deployed(
    aws: Mapping[str, Stubber], package: Package, monkeypatch: pytest.MonkeyPatch, status: str, deployed: list[str]
) -> None:
    aws["cloudformation"].add_response("describe_stacks", the_stack())
    expect_change_set(aws)
    expect_execution(aws)
    tell_events(aws, ("linkly-dev", status, ""))
    if deployed:
        aws["cloudformation"].add_response("describe_stacks", the_stack())
    kept: list[str] = []
    monkeypatch.setattr("ops.deploying.artifacts.supersede_all_but", lambda package, _: kept.append(package.version))

    with suppress(deployment.DeploymentFailed):
        deployment.deploy(package, "dev", {}, lambda _: None)

    assert deployed == kept


def test_what_is_left_of_a_first_deployment_that_failed_makes_room_for_the_next(
    aws: Mapping[str, Stubber], package: Package
) -> None:
    for _ in ("to deploy", "to destroy"):
        aws["cloudformation"].add_response("describe_stacks", the_stack("ROLLBACK_COMPLETE"))
    aws["cloudformation"].add_response("delete_stack", {}, {"StackName": STACK_ID, "ClientRequestToken": "ours"})
    tell_events(aws, ("linkly-dev", "DELETE_COMPLETE", ""))
    expect_change_set(aws, {}, [], "CREATE")  # no alarm is there yet, and no setting
    expect_execution(aws)
    tell_events(aws, ("linkly-dev", "CREATE_COMPLETE", ""))
    aws["cloudformation"].add_response("describe_stacks", the_stack("CREATE_COMPLETE"))
    said: list[str] = []

    deployment.deploy(package, "dev", {}, said.append, watch_minutes=5)

    assert "removing what is left of linkly-dev, whose first deployment failed" == said[0]
