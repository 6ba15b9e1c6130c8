"""What is watched, who is told, and whether they find the page that helps."""

import inspect
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from chalicelib import deliveries
from chalicelib.observability import METRICS
from ops import PROJECT
from ops.deploying.deploy import deploy
from tests.infra.conftest import Resources, of_type

RUNBOOK = (PROJECT / "docs" / "runbook.md").read_text()
FREE_ALARMS = 10  # https://aws.amazon.com/cloudwatch/pricing/

Watched = tuple[str, str, str]


def watched(namespace: str, metric: str, **dimensions: Any) -> Watched:
    return namespace, metric, json.dumps(dimensions, sort_keys=True)


def what_must_be_watched(resources: Resources) -> Iterator[Watched]:
    """What follows from the rest of the template: whoever adds a queue, a function or a stream adds its alarms."""
    for name, queue in of_type(resources, "AWS::SQS::Queue").items():
        metric = "ApproximateAgeOfOldestMessage" if "RedrivePolicy" in queue else "ApproximateNumberOfMessagesVisible"
        yield watched("AWS/SQS", metric, QueueName={"Fn::GetAtt": [name, "QueueName"]})
    for name in of_type(resources, "AWS::Lambda::Function"):
        for metric in ("Errors", "Throttles"):
            yield watched("AWS/Lambda", metric, FunctionName={"Ref": name})
    for mapping in of_type(resources, "AWS::Lambda::EventSourceMapping").values():
        if "StreamArn" in json.dumps(mapping["EventSourceArn"]):
            yield watched("AWS/Lambda", "IteratorAge", FunctionName=mapping["FunctionName"])
    for name, api in of_type(resources, "AWS::ApiGateway::RestApi").items():
        for metric in ("5XXError", "Latency"):
            yield watched("AWS/ApiGateway", metric, ApiName=api["Name"], Stage={"Ref": f"{name}apiStage"})
    for url in of_type(resources, "AWS::Lambda::Url").values():
        for metric in ("UrlRequestCount", "Url5xxCount", "UrlRequestLatency"):
            yield watched("AWS/Lambda", metric, FunctionName={"Ref": url["TargetFunctionArn"]["Fn::GetAtt"][0]})
    yield watched("Linkly", "ClicksUnqueued", stage="dev")
    yield watched("AWS/SQS", "NumberOfMessagesSent", QueueName={"Fn::GetAtt": ["ClickQueue", "QueueName"]})


def metrics_of(alarm: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The metric that an alarm is about, or those that it calculates with."""
    calculated = [each["MetricStat"]["Metric"] for each in alarm.get("Metrics", []) if "MetricStat" in each]
    return calculated or [alarm]


SECONDS_BETWEEN_LOOKS = 60
"""How often SQS measures a queue."""


@pytest.fixture
def alarms(resources: Resources) -> Mapping[str, Mapping[str, Any]]:
    return of_type(resources, "AWS::CloudWatch::Alarm")


def test_every_queue_function_and_stream_and_the_api_are_watched(
    resources: Resources, alarms: Mapping[str, Mapping[str, Any]]
) -> None:
    expected = sorted(what_must_be_watched(resources))

    found = [
        watched(
            metric["Namespace"], metric["MetricName"], **{each["Name"]: each["Value"] for each in metric["Dimensions"]}
        )
        for alarm in alarms.values()
        for metric in metrics_of(alarm)
    ]

    for namespace, metric, dimensions in set(expected) - set(found):
        pytest.fail(f"infra/alarms.yaml has no alarm of {namespace} {metric} for {dimensions}")
    assert expected == sorted(found)
    ours = {
        each["MetricName"] for alarm in alarms.values() for each in metrics_of(alarm) if each["Namespace"] == "Linkly"
    }
    assert METRICS.keys() > ours


def test_the_essential_alarms_are_as_many_as_are_free(resources: Resources) -> None:
    conditions = [each["Condition"] for each in resources.values() if each["Type"] == "AWS::CloudWatch::Alarm"]

    assert FREE_ALARMS == conditions.count("EssentialAlarms")
    assert {"EssentialAlarms", "EveryAlarm", "QuietIsAlarming", "EdgeAlarms"} == set(conditions)


def test_at_the_edge_one_visitor_in_a_hundred_alarms_somebody_as_at_the_gateway(
    alarms: Mapping[str, Mapping[str, Any]],
) -> None:
    same = ("Threshold", "EvaluationPeriods", "DatapointsToAlarm", "ExtendedStatistic", "ComparisonOperator")
    pairs = (("RedirectErrorsAlarm", "ServerErrorsAlarm"), ("RedirectsSlowAlarm", "SlowRedirectsAlarm"))

    for edge, gateway in pairs:
        assert [alarms[gateway].get(name) for name in same] == [alarms[edge].get(name) for name in same]
    share, *counts = alarms["RedirectErrorsAlarm"]["Metrics"]
    assert ("failed / asked", True) == (share["Expression"], share["ReturnData"])
    assert {"failed": ("Url5xxCount", "Sum"), "asked": ("UrlRequestCount", "Sum")} == {
        each["Id"]: (each["MetricStat"]["Metric"]["MetricName"], each["MetricStat"]["Stat"]) for each in counts
    }


def test_every_alarm_tells_whoever_wants_to_be_told_that_it_began_and_that_it_is_over(
    alarms: Mapping[str, Mapping[str, Any]],
) -> None:
    told = {"Fn::If": ["AlarmsAreMailed", [{"Ref": "AlarmTopic"}], {"Ref": "AWS::NoValue"}]}

    assert {json.dumps([told, told])} == {
        json.dumps([alarm["AlarmActions"], alarm["OKActions"]]) for alarm in alarms.values()
    }


def test_silence_alarms_nobody_except_where_silence_is_what_is_wrong(
    alarms: Mapping[str, Mapping[str, Any]],
) -> None:
    expected = {name: "breaching" if name == "QuietAlarm" else "notBreaching" for name in alarms}

    assert expected == {name: alarm["TreatMissingData"] for name, alarm in alarms.items()}


def clicks_ages(template: Mapping[str, Any]) -> dict[int, int]:
    """From what age on a click alarms somebody, by the seconds for which clicks are gathered."""
    by_window = {"Fn::FindInMap": ["RecorderWindows", {"Ref": "RecorderWindowSeconds"}, "ClicksAge"]}
    assert by_window == template["Resources"]["ClicksAgeAlarm"]["Properties"]["Threshold"]
    return {int(window): found["ClicksAge"] for window, found in template["Mappings"]["RecorderWindows"].items()}


def test_clicks_that_are_gathered_alarm_nobody(template: Mapping[str, Any]) -> None:
    for window, age in clicks_ages(template).items():
        assert age >= window + 35


@pytest.mark.parametrize("name", ["ClicksAgeAlarm", "LinkChangesAgeAlarm"])
def test_a_message_that_keeps_failing_is_old_enough_for_an_alarm_before_sqs_leaves_it_out_of_the_metric(
    template: Mapping[str, Any], alarms: Mapping[str, Mapping[str, Any]], name: str
) -> None:
    """Which it does from the third time on that a message is received."""
    pause = template["Parameters"]["RetryPauseSeconds"]["Default"]
    pauses = pause + pause * deliveries.GROWTH
    ages = clicks_ages(template) if name == "ClicksAgeAlarm" else {0: alarms[name]["Threshold"]}

    for window, age in ages.items():
        # A long window is waited for twice before the third delivery, unless batches are full before.
        third_delivery = pauses + (2 * window if window > 10 else 0)
        assert third_delivery - age >= SECONDS_BETWEEN_LOOKS


def test_one_click_that_is_not_queued_alarms_nobody_and_takes_no_deployment_back(
    alarms: Mapping[str, Mapping[str, Any]],
) -> None:
    alarm = alarms["ClicksUnqueuedAlarm"]
    watched_minutes = inspect.signature(deploy).parameters["watch_minutes"].default

    assert (60, 5, 3, 0) == tuple(
        alarm[name] for name in ("Period", "EvaluationPeriods", "DatapointsToAlarm", "Threshold")
    )
    assert alarm["EvaluationPeriods"] <= watched_minutes  # a fault that a deployment makes is seen while it is watched


def test_nobody_pays_for_a_key_before_somebody_is_told(resources: Resources) -> None:
    conditional = {name for name, each in resources.items() if each.get("Condition") == "AlarmsAreMailed"}

    assert {"AlarmKey", "AlarmTopic", "AlarmTopicPolicy", "AlarmSubscription"} == conditional
    assert set(of_type(resources, "AWS::KMS::Key")) == {"AlarmKey"}


def test_alarms_and_nobody_else_publish_on_the_encrypted_topic(resources: Resources) -> None:
    this_account = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    our_alarms = "arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:linkly-dev-*"

    publish, plain_http = resources["AlarmTopicPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    _, encrypt = resources["AlarmKey"]["Properties"]["KeyPolicy"]["Statement"]

    cloudwatch = {"Service": "cloudwatch.amazonaws.com"}
    assert "Deny" == plain_http["Effect"]
    assert {"Ref": "AlarmKey"} == resources["AlarmTopic"]["Properties"]["KmsMasterKeyId"]
    assert (cloudwatch, ["kms:Decrypt", "kms:GenerateDataKey*"], this_account) == (
        encrypt["Principal"],
        encrypt["Action"],
        encrypt["Condition"],
    )
    assert (cloudwatch, "sns:Publish", {"ArnLike": {"aws:SourceArn": {"Fn::Sub": our_alarms}}, **this_account}) == (
        publish["Principal"],
        publish["Action"],
        publish["Condition"],
    )


def test_every_alarm_says_what_is_wrong_what_to_do_and_where_the_runbook_goes_on(
    alarms: Mapping[str, Mapping[str, Any]],
) -> None:
    sections = re.findall(r"^## (.+)$", RUNBOOK, re.MULTILINE)
    linked = set()

    for alarm in alarms.values():
        text, _, section = alarm["AlarmDescription"]["Fn::Sub"].partition(" Runbook: ${RunbookUrl}#")
        linked.add(section)
        assert len(re.findall(r"\.(?= |$)", text)) >= 2
        assert len(text) < 900  # CloudWatch takes 1,024, the link's included
        assert alarm["AlarmName"].removeprefix("linkly-dev-").endswith(section)

    for section in linked - set(sections):
        pytest.fail(f"docs/runbook.md has no section {section!r}, which an alarm links")
    assert "First" == sections[0]
    others = {"First", "Is the count right?", "Is a past day broken down wrongly?", "A bad deployment", "Drills"}
    assert set(sections) - linked == others


@pytest.mark.parametrize("section", re.findall(r"^## ([a-z0-9-]+)$", RUNBOOK, re.MULTILINE))
def test_each_alarms_section_says_what_it_means_how_to_look_to_mend_and_to_know_that_it_is_mended(section: str) -> None:
    text = RUNBOOK.partition(f"\n## {section}\n")[2].partition("\n## ")[0]

    assert ["Means.", "Look.", "Mend.", "Mended"] == re.findall(r"^\*\*(.+?)\*\*", text, re.MULTILINE)
    assert "```sh\n" in text or section == "throttles"


def test_every_link_within_the_runbook_leads_somewhere() -> None:
    headings = re.findall(r"^#+ (.+)$", RUNBOOK, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}

    assert set(re.findall(r"\]\(#([^)]+)\)", RUNBOOK)) <= anchors
