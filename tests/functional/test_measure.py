"""What `python -m ops measure` reads of CloudWatch's metrics."""

from datetime import timedelta
from typing import Any

import boto3
import pytest

from ops.shared import cloudwatch
from ops.shared.cloudwatch import Metric
from ops.watching.measure import (
    Invocations,
    describe_invocations,
    describe_reports,
    describe_writes,
    invocations,
    writes,
)
from tests.builders import StoppedClock

HOUR = timedelta(hours=1)


def tell(clock: StoppedClock, namespace: str, name: str, dimension: str, of: str, *values: float) -> None:
    """Have CloudWatch hear a value a minute, the last of them a minute ago."""
    data: Any = [
        {
            "MetricName": name,
            "Dimensions": [{"Name": dimension, "Value": of}],
            "Timestamp": clock.now() - timedelta(minutes=minutes),
            "Value": value,
        }
        for minutes, value in enumerate(reversed(values), start=1)
    ]
    boto3.client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=data)


@pytest.fixture
def told(clock: StoppedClock) -> None:
    """198 clicks of stage dev, in three minutes, and what else there is."""
    tell(clock, "Linkly", "ClicksRecorded", "stage", "dev", 99, 0, 99)
    tell(clock, "Linkly", "ClicksRecorded", "stage", "prod", 1000)
    tell(clock, "AWS/DynamoDB", "ConsumedWriteCapacityUnits", "TableName", "linkly-dev-clicks", 198, 0, 198)
    tell(clock, "AWS/DynamoDB", "ConsumedWriteCapacityUnits", "TableName", "linkly-dev-daily_clicks", 2, 0, 2)
    tell(clock, "AWS/DynamoDB", "ConsumedWriteCapacityUnits", "TableName", "linkly-dev-links", 5000)


def test_the_invocations_of_a_function_are_known_without_its_log(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def read(wanted: dict[str, Metric], *_: Any) -> dict[str, list[float]]:  # moto knows no percentiles
        asked.extend(wanted.values())
        return {"number": [60, 40], "p50": [4.0], "p99": [400.0]}

    monkeypatch.setattr(cloudwatch, "read", read)

    assert Invocations(100, 4, 400) == invocations("dev", "follow_link", HOUR)
    of = {"FunctionName": "linkly-dev-follow_link"}
    assert [
        Metric("AWS/Lambda", "Invocations", of, "Sum"),
        *(Metric("AWS/Lambda", "Duration", of, each, HOUR) for each in ("p50", "p99")),
    ] == asked


def test_of_a_function_that_did_not_run_there_are_no_invocations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloudwatch, "read", lambda wanted, *_: {name: [] for name in wanted})

    assert invocations("dev", "follow_link", HOUR) is None


def test_what_is_told_of_invocations() -> None:
    few = Invocations(1234, 4.2, 399.6)

    assert "follow_link: 1,234 invocations; Duration p50 4 ms, p99 400 ms" == describe_invocations(
        "follow_link", few, HOUR
    )
    assert "follow_link: CloudWatch has no invocation in the last 1:00:00." == describe_invocations(
        "follow_link", None, HOUR
    )
    assert describe_reports([]).endswith("deploy the stage with INVOCATION_LOGS=true for a while")


@pytest.mark.usefixtures("told")
def test_the_write_units_of_a_click_are_those_of_its_tables() -> None:
    assert (400, 198) == writes("dev", HOUR)


def test_what_is_told_of_writes() -> None:
    assert "clicks and daily_clicks: 2.02 write units a click, of 198 clicks" == describe_writes(400, 198, HOUR)
    nothing = "clicks and daily_clicks: CloudWatch has no write units of recorded clicks in the last 1:00:00."
    assert nothing == describe_writes(0, 0, HOUR)
