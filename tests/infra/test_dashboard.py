"""The dashboard, by the rules of CloudWatch.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from chalicelib.observability import METRICS
from tests.infra.conftest import Resources, made, of_type

COLUMNS = 24
MOST_FREE_METRICS = 50  # https://aws.amazon.com/cloudwatch/pricing/

Widget = Mapping[str, Any]

# What each namespace's dimension names, and how the template refers to it.
DIMENSIONS = {
    "QueueName": ("AWS::SQS::Queue", r"\$\{(\w+)\.QueueName\}"),
    "FunctionName": ("AWS::Lambda::Function", r"\$\{(\w+)\}"),
    "TableName": ("AWS::DynamoDB::Table", r"\$\{(\w+)\}"),
    "Stage": ("AWS::ApiGateway::Stage", r"\$\{(\w+)\}"),
}


@pytest.fixture(params=["false", "true"], ids=["API Gateway", "CloudFront"])
def widgets(request: pytest.FixtureRequest, template: Mapping[str, Any]) -> list[Widget]:
    """With either front door."""
    [dashboard] = of_type(made(template, Edge=request.param), "AWS::CloudWatch::Dashboard").values()
    body, rows = dashboard["DashboardBody"]["Fn::Sub"]
    for name, row in rows.items():
        body = body.replace(f"${{{name}}}", row["Fn::Sub"])
    widgets: list[Widget] = json.loads(body)["widgets"]
    return widgets


def rows(widgets: list[Widget]) -> Iterator[list[Any]]:
    for widget in widgets:
        yield from widget["properties"].get("metrics", [])


def metrics(widgets: list[Widget]) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Namespace, name and dimensions of each metric that is shown or calculated with."""
    for row in rows(widgets):
        if isinstance(row[0], str):
            namespace, name, *rest = [each for each in row if isinstance(each, str)]
            yield namespace, name, dict(zip(rest[::2], rest[1::2], strict=True))


def cells(widget: Widget) -> set[tuple[int, int]]:
    return set(
        itertools.product(
            range(widget["x"], widget["x"] + widget["width"]), range(widget["y"], widget["y"] + widget["height"])
        )
    )


def test_widgets_are_on_the_grid_and_none_covers_another(widgets: list[Widget]) -> None:
    covered = [cell for widget in widgets for cell in cells(widget)]

    assert len(covered) == len(set(covered))
    assert {True} == {0 <= x < COLUMNS and 0 <= y for x, y in covered}
    assert {"text", "metric"} == {widget["type"] for widget in widgets}
    assert len(widgets) <= 500


def test_every_graph_has_a_title_a_region_and_a_statistic_for_each_metric(widgets: list[Widget]) -> None:
    for widget in widgets:
        properties = widget["properties"]
        if widget["type"] == "text":
            assert {"markdown"} == set(properties)
            continue
        assert set(properties) <= {"title", "region", "stat", "period", "metrics", "yAxis", "stacked"}
        assert "${AWS::Region}" == properties["region"]
        assert properties["title"]
        assert properties["period"] % 60 == 0
        for row in properties["metrics"]:
            options = row[-1] if isinstance(row[-1], dict) else {}
            assert set(options) <= {"stat", "label", "yAxis", "id", "visible", "expression"}
            assert "expression" in options or "stat" in properties or "stat" in options


def test_every_metric_is_of_this_stack_or_written_by_the_app(widgets: list[Widget], resources: Resources) -> None:
    api = of_type(resources, "AWS::ApiGateway::RestApi")["RestAPI"]["Name"]

    for namespace, name, dimensions in metrics(widgets):
        if namespace == "Linkly":
            assert {"stage": "dev"} == dimensions
            assert name in METRICS
            continue
        for dimension, value in dimensions.items():
            if dimension == "ApiName":
                assert api == value
                continue
            kind, reference = DIMENSIONS[dimension]
            found = re.fullmatch(reference, value)
            assert found, f"{value} refers to nothing"
            assert kind == resources[found[1]]["Type"]


def test_every_queue_and_function_is_on_it(widgets: list[Widget], resources: Resources) -> None:
    shown = {value for _, _, dimensions in metrics(widgets) for value in dimensions.values()}
    expected = {
        *(f"${{{name}.QueueName}}" for name in of_type(resources, "AWS::SQS::Queue")),
        *(f"${{{name}}}" for name in of_type(resources, "AWS::Lambda::Function")),
    }

    for missing in expected - shown:
        pytest.fail(f"infra/dashboard.yaml does not show {missing}")


@pytest.mark.parametrize("widgets", ["true"], indirect=True)
def test_at_the_edge_what_visitors_notice_is_what_the_url_tells(widgets: list[Widget]) -> None:
    expected = {"UrlRequestCount", "Url4xxCount", "Url5xxCount", "UrlRequestLatency"}
    [noticed] = [widget for widget in widgets if widget["properties"].get("title") == "What visitors notice"]

    assert expected <= {name for namespace, name, _ in metrics(widgets) if namespace == "AWS/Lambda"}
    assert {"AWS/Lambda"} == {namespace for namespace, *_ in metrics([noticed])}


def test_every_metric_of_the_app_is_on_it(widgets: list[Widget]) -> None:
    assert METRICS.keys() == {name for namespace, name, _ in metrics(widgets) if namespace == "Linkly"}


def test_it_has_no_more_metrics_than_are_free(widgets: list[Widget]) -> None:
    assert len(list(metrics(widgets))) <= MOST_FREE_METRICS


def test_each_functions_gigabyte_seconds_are_counted_with_the_memory_that_it_has(
    widgets: list[Widget], resources: Resources
) -> None:
    functions = of_type(resources, "AWS::Lambda::Function")
    [durations] = [each for each in widgets if "GB-seconds" in each["properties"].get("title", "")]
    ids = {row[-1]["id"]: functions[row[3].strip("${}")] for row in durations["properties"]["metrics"] if len(row) > 1}
    expected = {
        f"{identity} / 1000 * {function['MemorySize']} / 1024": function["FunctionName"].removeprefix("linkly-dev-")
        for identity, function in ids.items()
    }

    found = {row[0]["expression"]: row[0]["label"] for row in durations["properties"]["metrics"] if len(row) == 1}

    assert expected == found
    assert len(functions) == len(found)
