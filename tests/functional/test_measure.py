"""What `python -m ops measure` reads of CloudWatch's metrics."""

from datetime import timedelta
from typing import Any

import boto3
import pytest

from ops.watching.measure import describe_writes, writes
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


@pytest.mark.usefixtures("told")
def test_the_write_units_of_a_click_are_those_of_its_tables() -> None:
    assert (400, 198) == writes("dev", HOUR)


def test_what_is_told_of_writes() -> None:
    assert "clicks and daily_clicks: 2.02 write units a click, of 198 clicks" == describe_writes(400, 198, HOUR)
    nothing = "clicks and daily_clicks: CloudWatch has no write units of recorded clicks in the last 1:00:00."
    assert nothing == describe_writes(0, 0, HOUR)
