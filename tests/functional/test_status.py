"""What `python -m ops status` says of clicks that could not be queued."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import boto3
import pytest

from chalicelib.clicks import recorder
from chalicelib.clicks.click import Click, encode
from chalicelib.links.status import Status
from chalicelib.links.store import insert_link
from ops.shared.aws import client
from ops.shared.log_lines import writer
from ops.watching import status
from tests.builders import LambdaContext, StoppedClock, a_click, a_link, a_message, an_sqs_event


@pytest.fixture
def now(clock: StoppedClock) -> datetime:
    """The time that it is: CloudWatch keeps no line of another year."""
    clock.time = datetime.now(UTC)
    return clock.time


@pytest.fixture
def log(now: datetime) -> Callable[[Click], None]:
    """Call it with a click that the routes could not queue."""
    assert now
    client("logs").create_log_group(logGroupName="/aws/lambda/linkly-test-api_handler")
    write = writer("test", "api_handler", "a stream")
    return lambda click: write(json.dumps({"message": "click not queued", "unqueued_click": encode(click)}))


def measured(now: datetime, **values: float) -> None:
    """Have CloudWatch know of these sums of a day ago."""
    for name, value in values.items():
        boto3.client("cloudwatch").put_metric_data(
            Namespace="Linkly",
            MetricData=[
                {
                    "MetricName": name,
                    "Dimensions": [{"Name": "stage", "Value": "test"}],
                    "Timestamp": now - timedelta(days=1),
                    "Value": value,
                }
            ],
        )


def test_clicks_that_are_neither_counted_nor_of_a_deleted_link_are_to_be_replayed(
    now: datetime, log: Callable[[Click], None]
) -> None:
    insert_link(a_link(code="gone", status=Status.DELETED))
    waiting, counted, of_a_deleted_link = (a_click(code=code, occurred_at=now) for code in ("here", "here", "gone"))
    for click in (waiting, counted, of_a_deleted_link, waiting):
        log(click)
    recorder.record_clicks(an_sqs_event(a_message(counted)), LambdaContext())

    assert 1 == status.to_replay("test", now)


@pytest.mark.parametrize(
    ("values", "expected"), [({"ClicksRecorded": 7}, 0), ({"ClicksRecorded": 7, "ClicksUnqueued": 1}, 1), ({}, 1)]
)
def test_thirty_days_of_a_log_are_read_only_if_a_metric_knows_of_such_a_click_or_there_are_no_metrics(
    now: datetime, log: Callable[[Click], None], values: dict[str, float], expected: int
) -> None:
    measured(now, **values)
    log(a_click(occurred_at=now))

    assert expected == status.to_replay("test", now)
