"""What the log says while all is well: a line per click, and the metrics that CloudWatch reads from the lines."""

import json
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

import app
from chalicelib import aws, observability
from chalicelib.links.store import insert_link
from chalicelib.observability import METRICS
from chalicelib.redirects import follow
from ops.shared.percentiles import percentile
from tests import infrastructure
from tests.builders import NOW, LambdaContext, StoppedClock, a_click, a_link, a_message, an_sqs_event, clicks
from tests.faults import Faults, refused, throttled
from tests.functional.visitor import Visitor

Logs = Callable[[], list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def link() -> None:
    insert_link(a_link(code="my-link"))


def metrics(lines: list[dict[str, Any]]) -> dict[str, float]:
    """The sum of each metric, as CloudWatch would find it in the lines."""
    sums: Counter[str] = Counter()
    for line in lines:
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
            assert ("Linkly", [["stage"]], "test") == (directive["Namespace"], directive["Dimensions"], line["stage"])
            for metric in directive["Metrics"]:
                assert METRICS[metric["Name"]] == metric["Unit"]
                value = line[metric["Name"]]
                sums[metric["Name"]] += sum(value) if isinstance(value, list) else value
    return {name: value for name, value in sums.items() if value}


def test_a_click_is_one_line_that_names_it_and_nothing_of_the_visitor(anyone: Visitor, logs: Logs) -> None:
    anyone.sending(User_Agent="Browser", Referer="https://example.org/").get("/my-link")

    [line] = logs()
    [click] = [message["body"] for message in infrastructure.receive()]
    assert ("INFO", "click accepted") == (line["level"], line["message"])
    assert ("my-link", "2026-05-27T10:15:30.123000Z") == (line["code"], line["occurred_at"])
    assert line["click_id"] in click
    assert not {"Browser", "example.org"} & {*str(line).replace("/", " ").split()}
    assert len(json.dumps(line, separators=(",", ":"))) <= 200


def test_where_a_target_was_found_is_told(anyone: Visitor, logs: Logs) -> None:
    anyone.get("/my-link")
    anyone.get("/my-link")
    follow.forget()
    anyone.head("/my-link")

    told = [(line["message"], line["found_in"]) for line in logs()]

    assert [("click accepted", "link"), ("click accepted", "memory"), ("redirected", "cache")] == told


def test_a_click_that_is_not_queued_is_counted_as_that(anyone: Visitor, faults: Faults, logs: Logs) -> None:
    faults.plan(throttled(), operation="SendMessage")

    anyone.get("/my-link")

    assert {"ClicksUnqueued": 1} == metrics(logs())


def test_why_somebody_is_not_redirected_is_told_and_counted_if_it_is_a_failure(
    anyone: Visitor, ada: Visitor, faults: Faults, logs: Logs
) -> None:
    ada.post("/links", {"url": "https://example.com/", "code": "gone"})
    ada.send("DELETE", "/links/gone")
    for path in ("/nowhere", "/%0a", "/gone"):
        anyone.get(path)
    faults.plan(refused("AccessDeniedException"), operation="GetItem")
    anyone.get("/unknown-for-now")

    lines = logs()

    told = [line["reason"] for line in lines if line["message"] == "not redirected"][:3]
    assert ["LinkNotFound", "LinkNotFound", "LinkDeleted"] == told
    assert {"RedirectsFailed": 1} == metrics(lines)


def test_there_are_as_many_metrics_as_aws_takes_for_nothing() -> None:
    assert 10 == len(METRICS)


def test_a_batch_is_one_line_that_says_what_it_counted_how_late_and_what_it_did_not(
    clock: StoppedClock, logs: Logs
) -> None:
    fresh, twice = clicks(120), a_click()
    clock.time = NOW + timedelta(seconds=2)
    messages = [*map(a_message, [*fresh, twice, twice]), a_message("no click")]

    app.record_clicks(an_sqs_event(*messages), LambdaContext())

    lines = [line for line in logs() if line["message"] != "messages failed"]
    assert [123] == [line["messages"] for line in lines]
    assert {
        "ClicksRecorded": 121,
        "ClicksDuplicate": 1,
        "ClicksFailed": 1,
        "ClickLag": 100 * 2000,  # as many values as a line may have
    } == metrics(lines)


def test_a_full_batch_logs_a_kilobyte_and_a_half(logs: Logs) -> None:
    app.record_clicks(an_sqs_event(*map(a_message, clicks(495))), LambdaContext())

    [line] = logs()
    assert len(json.dumps(line)) < 1500


def test_a_batch_that_counts_nothing_has_no_lag(logs: Logs) -> None:
    app.record_clicks(an_sqs_event(a_message("no click")), LambdaContext())

    [line] = [line for line in logs() if line["message"] == "clicks recorded"]
    assert {"ClicksFailed": 1} == metrics([line])
    assert "ClickLag" not in line


@pytest.mark.parametrize("number", [1, 99, 100, 101, 199, 495, 5000])
def test_of_too_many_values_a_line_has_a_hundred_that_tell_the_same(number: int) -> None:
    values = [*range(1, number + 1, 2), *range(2, number + 1, 2)]

    told = observability.measured(ClickLag=values)["ClickLag"]

    assert min(100, number) == len(told)
    assert max(values) == max(told)
    for percent in (50, 90, 99):
        assert percentile(values, percent) == pytest.approx(percentile(told, percent), abs=number / 100)


def test_a_change_of_a_link_is_measured_on_its_way(clock: StoppedClock, logs: Logs) -> None:
    aws.sqs().send_message(
        QueueUrl=infrastructure.environment()["LINK_CHANGES_QUEUE_URL"],
        MessageBody='{"v":1,"id":"0f8ab9b0-6c1c-4f0e-9d62-4a2f5b9f9c55","type":"link.updated","code":"my-link",'
        '"url":"https://example.com/new","version":2,"occurred_at":"2026-05-27T10:15:30.123Z"}',
    )
    clock.time = NOW + timedelta(seconds=3)

    app.refresh_redirects(an_sqs_event(*infrastructure.receive("LinkChangesQueue")), LambdaContext())

    assert {"RefreshLag": 3000} == metrics(logs())


def test_every_line_about_trouble_says_in_which_invocation_it_was(anyone: Visitor, faults: Faults, logs: Logs) -> None:
    faults.plan(throttled(), operation="SendMessage")
    anyone.get("/my-link")
    app.record_clicks(an_sqs_event(a_message("no click")), LambdaContext())

    lines = logs()

    for line in lines:
        assert "test" == line["stage"]
        assert line["function_name"]
        assert line["function_request_id"]
        assert line["correlation_id"]
        assert isinstance(line["cold_start"], bool)
    assert 2 == len({line["function_request_id"] for line in lines})
