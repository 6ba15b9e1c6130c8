"""The template that CloudFormation gets."""

import ast
import inspect
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from chalicelib import config, problems
from chalicelib.clicks import recorder
from ops.package import package

type_of_names = {
    "AWS::DynamoDB::Table": "TableName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::Lambda::Function": "FunctionName",
}
Resources = Mapping[str, Mapping[str, Any]]


def of_type(resources: Resources, kind: str) -> dict[str, Mapping[str, Any]]:
    return {name: each["Properties"] for name, each in resources.items() if each["Type"] == kind}


def test_cfn_lint_finds_nothing_to_complain_about(template: Mapping[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "template.json"
    path.write_text(json.dumps(template))

    done = subprocess.run(
        [Path(sys.executable).with_name("cfn-lint"), "--regions", "eu-central-1", "us-east-1", "--", path],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (0, "")


def test_every_name_has_the_stage_in_it_so_that_two_stages_live_in_one_account(resources: Resources) -> None:
    expected = {
        "linkly-dev-api_handler",
        "linkly-dev-record_clicks",
        "linkly-dev-links",
        "linkly-dev-redirects",
        "linkly-dev-clicks",
        "linkly-dev-clicks-dlq",
        "linkly-dev-daily_clicks",
        "linkly-dev-api_keys",
    }

    names = {
        each["Properties"][type_of_names[each["Type"]]] for each in resources.values() if each["Type"] in type_of_names
    }

    assert expected == names


def test_stages_share_no_name() -> None:
    def names(stage: str) -> set[str]:
        resources = package(stage).template("some-bucket")["Resources"].values()
        return {each["Properties"][type_of_names[each["Type"]]] for each in resources if each["Type"] in type_of_names}

    assert names("dev").isdisjoint(names("prod"))


def test_tables_cost_nothing_at_rest_are_encrypted_can_be_restored_and_outlive_the_stack(resources: Resources) -> None:
    tables = {name: each for name, each in resources.items() if each["Type"] == "AWS::DynamoDB::Table"}
    expected = dict.fromkeys(tables, ("PAY_PER_REQUEST", True, True, "RetainExceptOnCreate", "Retain"))

    found = {
        name: (
            each["Properties"]["BillingMode"],
            each["Properties"]["SSESpecification"]["SSEEnabled"],
            each["Properties"]["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"],
            each["DeletionPolicy"],
            each["UpdateReplacePolicy"],
        )
        for name, each in tables.items()
    }

    assert expected == found


def test_a_batch_reports_its_failures_one_by_one(resources: Resources) -> None:
    expected = {
        "BatchSize": 500,
        "EventSourceArn": {"Fn::Sub": "${ClickQueue.Arn}"},
        "FunctionName": {"Ref": "RecordClicks"},
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "MaximumBatchingWindowInSeconds": 2,
        "ScalingConfig": {"MaximumConcurrency": 5},
    }

    [mapping] = of_type(resources, "AWS::Lambda::EventSourceMapping").values()

    assert expected == mapping


def test_a_message_stays_hidden_for_six_times_the_recorders_time_out_and_the_window(resources: Resources) -> None:
    time_out = resources["RecordClicks"]["Properties"]["Timeout"]
    [mapping] = of_type(resources, "AWS::Lambda::EventSourceMapping").values()

    visibility = resources["ClickQueue"]["Properties"]["VisibilityTimeout"]

    assert visibility >= 6 * time_out + mapping["MaximumBatchingWindowInSeconds"]


def test_the_recorder_keeps_enough_time_in_reserve(resources: Resources) -> None:
    assert resources["RecordClicks"]["Properties"]["Timeout"] > recorder.SECONDS_IN_RESERVE * 2


def test_clicks_wait_four_days_and_after_five_tries_fourteen_more(resources: Resources) -> None:
    day = 24 * 60 * 60
    redrive = {"deadLetterTargetArn": {"Fn::GetAtt": ["ClickDeadLetterQueue", "Arn"]}, "maxReceiveCount": 5}

    queue, dead_letters = (resources[name]["Properties"] for name in ("ClickQueue", "ClickDeadLetterQueue"))

    assert (4 * day, redrive) == (queue["MessageRetentionPeriod"], queue["RedrivePolicy"])
    assert 14 * day == dead_letters["MessageRetentionPeriod"]


def test_a_row_outlives_every_copy_of_its_message(template: Mapping[str, Any]) -> None:
    days = (
        template["Resources"][name]["Properties"]["MessageRetentionPeriod"] / 86_400
        for name in ("ClickQueue", "ClickDeadLetterQueue")
    )

    shortest = template["Parameters"]["ClickRetentionDays"]["MinValue"]

    assert shortest == config.SHORTEST_CLICK_RETENTION_DAYS
    assert sum(days) < shortest


def test_rows_of_clicks_expire_by_themselves(resources: Resources) -> None:
    expected = {"AttributeName": "expires_at", "Enabled": True}

    assert expected == resources["ClicksTable"]["Properties"]["TimeToLiveSpecification"]


def test_every_function_has_a_role_of_its_own(resources: Resources) -> None:
    roles = [json.dumps(each["Role"]) for each in of_type(resources, "AWS::Lambda::Function").values()]

    assert len(roles) == len(set(roles))
    assert len(roles) == len(of_type(resources, "AWS::IAM::Role"))


def statements(resources: Resources) -> Iterator[Mapping[str, Any]]:
    for role in of_type(resources, "AWS::IAM::Role").values():
        assert "ManagedPolicyArns" not in role
        for policy in role["Policies"]:
            yield from policy["PolicyDocument"]["Statement"]


def test_no_policy_allows_more_than_it_names(resources: Resources) -> None:
    for statement in statements(resources):
        assert not [action for action in statement["Action"] if "*" in action]
        for resource in statement["Resource"]:
            named = resource.get("Fn::GetAtt") or resource["Fn::Sub"].removesuffix(":*")  # a log group's streams
            assert "*" not in named


def test_every_function_may_write_to_its_own_log_group(resources: Resources) -> None:
    functions = {each["FunctionName"] for each in of_type(resources, "AWS::Lambda::Function").values()}
    granted = {
        resource["Fn::Sub"].partition("log-group:/aws/lambda/")[2].removesuffix(":*")
        for statement in statements(resources)
        if statement["Sid"] == "WriteLogs"
        for resource in statement["Resource"]
    }

    assert functions == granted


def test_logs_are_kept_for_thirty_days(resources: Resources) -> None:
    groups = of_type(resources, "AWS::Logs::LogGroup").values()

    assert [30] * len(of_type(resources, "AWS::Lambda::Function")) == [group["RetentionInDays"] for group in groups]


def test_the_functions_get_every_variable_that_the_app_reads(resources: Resources) -> None:
    read = {
        node.args[0].value
        for node in ast.walk(ast.parse(inspect.getsource(config)))
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str) and node.args[0].value.isupper()
    }  # fmt: skip

    for function in of_type(resources, "AWS::Lambda::Function").values():
        assert {*read, "STAGE"} == set(function["Environment"]["Variables"])


@pytest.mark.parametrize("name", ["ClicksTable", "LinksTable", "RedirectsTable", "DailyClicksTable", "ApiKeysTable"])
def test_a_tables_name_is_a_literal_or_cloudformation_would_not_adopt_it(resources: Resources, name: str) -> None:
    assert isinstance(resources[name]["Properties"]["TableName"], str)


def test_what_the_gateway_answers_itself_has_the_apps_shape(resources: Resources) -> None:
    known = {json.loads(problem.body())["type"]: problem.status for problem in all_problems()}
    known["urn:linkly:problem:too-many-requests"] = HTTPStatus.TOO_MANY_REQUESTS  # only the gateway throttles
    responses = resources["RestAPI"]["Properties"]["Body"]["x-amazon-apigateway-gateway-responses"]

    for response in responses.values():
        problem = json.loads(response["responseTemplates"]["application/json"])
        status = HTTPStatus(int(response["statusCode"]))
        headers = response["responseParameters"]

        assert list(problem) == ["type", "title", "status", "detail"]
        assert (status, status) == (problem["status"], known[problem["type"]])
        assert f"'{problems.CONTENT_TYPE}'" == headers["gatewayresponse.header.Content-Type"]


def all_problems() -> Iterator[problems.Problem]:
    kinds = [problems.Problem]
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__()
        yield kind() if kind is problems.InternalError else kind("any")


def test_every_kind_of_error_that_the_gateway_can_make_is_covered(resources: Resources) -> None:
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html, less the
    # authorizers, API keys and WAF that this API does not have, which the defaults would cover.
    made = {
        "ACCESS_DENIED", "BAD_REQUEST_BODY", "BAD_REQUEST_PARAMETERS", "DEFAULT_4XX", "DEFAULT_5XX", "EXPIRED_TOKEN",
        "INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT", "INVALID_SIGNATURE", "MISSING_AUTHENTICATION_TOKEN",
        "QUOTA_EXCEEDED", "REQUEST_TOO_LARGE", "RESOURCE_NOT_FOUND", "THROTTLED", "UNSUPPORTED_MEDIA_TYPE",
    }  # fmt: skip

    assert made == set(resources["RestAPI"]["Properties"]["Body"]["x-amazon-apigateway-gateway-responses"])
