"""The template that CloudFormation gets."""

import ast
import inspect
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, get_args

import pytest

from chalicelib import browsers, config, deliveries, problems
from chalicelib.analytics import daily_links
from chalicelib.links.events import EventType
from ops.data import blocklist
from ops.shared import queues
from tests.infra.conftest import FUNCTIONS, Resources, made, of_type
from tests.packages import packaged

type_of_names = {
    "AWS::DynamoDB::Table": "TableName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::ApiGateway::RestApi": "Name",
}


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
        "linkly-dev-links",
        "linkly-dev-redirects",
        "linkly-dev-clicks",
        "linkly-dev-clicks-dlq",
        "linkly-dev-daily_clicks",
        "linkly-dev-api_keys",
        "linkly-dev-allowances",
        "linkly-dev-blocked_domains",
        "linkly-dev-link-events",
        "linkly-dev-alarms",
        "linkly-dev-link-changes",
        "linkly-dev-link-changes-dlq",
        "linkly-dev-deleted-links",
        "linkly-dev-deleted-links-dlq",
        "linkly-dev-link-events-dlq",
        "linkly-dev-daily_links",
        "linkly-dev-idempotency",
        "linkly-dev",
        *(f"linkly-dev-{function}" for function in FUNCTIONS),
    }

    names = {
        each["Properties"][type_of_names[each["Type"]]] for each in resources.values() if each["Type"] in type_of_names
    }

    assert expected == names


def test_stages_share_no_name(tmp_path_factory: pytest.TempPathFactory) -> None:
    def names(stage: str) -> set[str]:
        resources = packaged(stage, tmp_path_factory).template("some-bucket")["Resources"].values()
        return {each["Properties"][type_of_names[each["Type"]]] for each in resources if each["Type"] in type_of_names}

    assert names("dev").isdisjoint(names("prod"))


def test_tables_cost_nothing_at_rest_are_encrypted_can_be_restored_and_outlive_the_stack(resources: Resources) -> None:
    tables = {name: each for name, each in resources.items() if each["Type"] == "AWS::DynamoDB::Table"}
    expected = dict.fromkeys(tables, ("PAY_PER_REQUEST", None, True, "Retain"))

    found = {
        name: (
            each["Properties"]["BillingMode"],
            # Encrypted with DynamoDB's own key, at no cost. Any other has charges of AWS KMS:
            # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/EncryptionAtRest.html
            each["Properties"].get("SSESpecification"),
            each["Properties"]["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"],
            each["UpdateReplacePolicy"],
        )
        for name, each in tables.items()
    }

    assert expected == found


def test_what_nothing_else_could_make_again_is_protected_from_deletion_a_rollbacks_too(resources: Resources) -> None:
    tables = {name: each for name, each in resources.items() if each["Type"] == "AWS::DynamoDB::Table"}
    passing = {"RedirectsTable", "IdempotencyTable"}  # a cache, and what is remembered for a day
    expected = {
        # Protected, and not retained, a table would make the rollback of a first deployment fail.
        name: (None, "RetainExceptOnCreate") if name in passing else (True, "Retain")
        for name in tables
    }

    found = {
        name: (each["Properties"].get("DeletionProtectionEnabled"), each["DeletionPolicy"])
        for name, each in tables.items()
    }

    assert expected == found


def mappings(resources: Resources) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any], Mapping[str, Any]]]:
    """Each event source mapping from a queue, with its queue and its function."""
    for mapping in of_type(resources, "AWS::Lambda::EventSourceMapping").values():
        source = mapping["EventSourceArn"].get("Fn::Sub", "")
        if source:
            queue = resources[source.removeprefix("${").removesuffix(".Arn}")]
            yield mapping, queue["Properties"], resources[mapping["FunctionName"]["Ref"]]["Properties"]


def test_the_recorder_takes_large_batches_with_few_consumers(resources: Resources) -> None:
    expected = {
        "BatchSize": 495,
        "EventSourceArn": {"Fn::Sub": "${ClickQueue.Arn}"},
        "FunctionName": {"Ref": "RecordClicks"},
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "MaximumBatchingWindowInSeconds": {"Ref": "RecorderWindowSeconds"},
        "ScalingConfig": {"MaximumConcurrency": 5},
    }

    assert expected in of_type(resources, "AWS::Lambda::EventSourceMapping").values()


def test_every_batch_from_a_queue_reports_its_failures_one_by_one(resources: Resources) -> None:
    consumers = {mapping["FunctionName"]["Ref"]: mapping for mapping, _, _ in mappings(resources)}

    assert {"RecordClicks", "RefreshRedirects", "PurgeClicks"} <= consumers.keys()
    for mapping in consumers.values():
        assert ["ReportBatchItemFailures"] == mapping["FunctionResponseTypes"]


def test_a_message_stays_hidden_for_six_times_its_functions_time_out_and_the_window(
    resources: Resources, template: Mapping[str, Any]
) -> None:
    windows: Mapping[str, Mapping[str, int]] = template["Mappings"]["RecorderWindows"]
    by_window = {"Fn::FindInMap": ["RecorderWindows", {"Ref": "RecorderWindowSeconds"}, "VisibilityTimeout"]}

    for mapping, queue, function in mappings(resources):
        if queue["VisibilityTimeout"] == by_window:
            assert {"Ref": "RecorderWindowSeconds"} == mapping["MaximumBatchingWindowInSeconds"]
            for window, found in windows.items():
                assert 0 <= found["VisibilityTimeout"] - (6 * function["Timeout"] + int(window)) < 6
        else:
            assert not mapping["MaximumBatchingWindowInSeconds"]
            assert queue["VisibilityTimeout"] >= 6 * function["Timeout"]


def test_clicks_are_gathered_for_as_long_as_lambda_takes_and_two_seconds_by_default(
    template: Mapping[str, Any],
) -> None:
    parameter = template["Parameters"]["RecorderWindowSeconds"]

    assert "2" == parameter["Default"]
    assert [*template["Mappings"]["RecorderWindows"]] == parameter["AllowedValues"]
    assert {1, 300} == {min(map(int, parameter["AllowedValues"])), max(map(int, parameter["AllowedValues"]))}


def test_a_function_that_sends_to_the_queue_it_consumes_is_not_stopped_for_it_and_no_other_may(
    resources: Resources,
) -> None:
    senders = {
        mapping["FunctionName"]["Ref"]
        for mapping, queue, function in mappings(resources)
        for statement in role_of(function, resources)["Policies"][0]["PolicyDocument"]["Statement"]
        for resource in statement["Resource"]
        if "sqs:SendMessage" in statement["Action"] and resources[resource["Fn::GetAtt"][0]]["Properties"] == queue
    }

    loops = {
        name: function["RecursiveLoop"]
        for name, function in of_type(resources, "AWS::Lambda::Function").items()
        if "RecursiveLoop" in function
    }

    assert {"PurgeClicks"} == senders
    assert dict.fromkeys(senders, "Allow") == loops


def role_of(function: Mapping[str, Any], resources: Resources) -> Mapping[str, Any]:
    properties: Mapping[str, Any] = resources[function["Role"]["Fn::GetAtt"][0]]["Properties"]
    return properties


def test_a_recorder_or_refresher_that_is_killed_holds_its_batch_back_for_two_minutes_at_most(
    template: Mapping[str, Any], resources: Resources
) -> None:
    """Unless clicks are gathered for longer than by default."""
    held = {function["FunctionName"]: queue["VisibilityTimeout"] for _, queue, function in mappings(resources)}
    default = template["Mappings"]["RecorderWindows"][template["Parameters"]["RecorderWindowSeconds"]["Default"]]

    assert 120 == default["VisibilityTimeout"] == held["linkly-dev-refresh_redirects"]


def test_functions_have_time_for_a_call_that_is_not_answered_beside_what_is_in_reserve(resources: Resources) -> None:
    for _, _, function in mappings(resources):
        assert function["Timeout"] >= deliveries.SECONDS_IN_RESERVE + 7


def test_every_message_waits_four_days_and_after_five_tries_fourteen_more(resources: Resources) -> None:
    day = 24 * 60 * 60

    for _, queue, _ in mappings(resources):
        dead_letters = resources[queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]]["Properties"]
        assert (4 * day, deliveries.MOST_DELIVERIES) == (
            queue["MessageRetentionPeriod"],
            queue["RedrivePolicy"]["maxReceiveCount"],
        )
        assert f"{queue['QueueName']}-dlq" == dead_letters["QueueName"]
        assert 14 * day == dead_letters["MessageRetentionPeriod"]


def test_the_stream_is_read_from_its_beginning_and_for_as_long_as_it_keeps_a_change(resources: Resources) -> None:
    expected = {
        "BatchSize": 100,
        "EventSourceArn": {"Fn::GetAtt": ["LinksTable", "StreamArn"]},
        "FunctionName": {"Ref": "PublishLinkEvents"},
        "MaximumBatchingWindowInSeconds": 0,
        "StartingPosition": "TRIM_HORIZON",
    }  # no MaximumRetryAttempts and no MaximumRecordAgeInSeconds: -1 is their default

    assert expected in of_type(resources, "AWS::Lambda::EventSourceMapping").values()


def listeners(resources: Resources) -> dict[str, Mapping[str, Any]]:
    """Each subscription to changes of links, by the queue or the function that it sends to."""
    return {
        subscription["Endpoint"]["Fn::GetAtt"][0]: subscription
        for subscription in of_type(resources, "AWS::SNS::Subscription").values()
        if subscription["Protocol"] != "email"
    }


def test_each_listener_hears_what_it_asks_for(resources: Resources) -> None:
    expected = {
        "LinkChangesQueue": ["link.updated", "link.deleted"],
        "DeletedLinksQueue": ["link.deleted"],
        "CountCreatedLinks": ["link.created"],
    }

    heard = {endpoint: subscription["FilterPolicy"]["type"] for endpoint, subscription in listeners(resources).items()}

    assert expected == {endpoint: heard[endpoint] for endpoint in expected}
    assert set(get_args(EventType)) >= {each for asked in heard.values() for each in asked}


def test_what_sns_cannot_deliver_waits_in_a_dead_letter_queue(resources: Resources) -> None:
    functions = of_type(resources, "AWS::Lambda::Function")
    expected = {
        endpoint: {"Fn::GetAtt": ["LinkEventsDeadLetterQueue", "Arn"]}
        if endpoint in functions
        else resources[endpoint]["Properties"]["RedrivePolicy"]["deadLetterTargetArn"]
        for endpoint in listeners(resources)
    }

    kept = {
        endpoint: subscription["RedrivePolicy"]["deadLetterTargetArn"]
        for endpoint, subscription in listeners(resources).items()
    }

    assert {"LinkChangesQueue", "DeletedLinksQueue", "CountCreatedLinks"} <= kept.keys()
    assert expected == kept


def test_an_event_that_a_function_could_not_work_on_three_times_is_kept_for_fourteen_days(resources: Resources) -> None:
    arn = {"Fn::GetAtt": ["LinkEventsDeadLetterQueue", "Arn"]}
    called = sorted(name for name in of_type(resources, "AWS::Lambda::Function") if name in listeners(resources))
    expected = [
        {
            "FunctionName": {"Ref": name},
            "Qualifier": "$LATEST",
            "MaximumRetryAttempts": 2,
            "DestinationConfig": {"OnFailure": {"Destination": arn}},
        }
        for name in called
    ]

    configured = of_type(resources, "AWS::Lambda::EventInvokeConfig").values()
    permitted = sorted(
        (name, statement["Action"])
        for name, function in of_type(resources, "AWS::Lambda::Function").items()
        for statement in role_of(function, resources)["Policies"][0]["PolicyDocument"]["Statement"]
        if statement["Resource"] == [arn]
    )

    assert "CountCreatedLinks" in called
    assert expected == sorted(configured, key=lambda each: str(each["FunctionName"]))
    assert [(name, ["sqs:SendMessage"]) for name in called] == permitted
    assert 14 * 86_400 == resources["LinkEventsDeadLetterQueue"]["Properties"]["MessageRetentionPeriod"]


def test_a_dead_letter_stays_hidden_for_as_long_as_somebody_may_look_at_it(resources: Resources) -> None:
    dead_letters = {
        name: queue for name, queue in of_type(resources, "AWS::SQS::Queue").items() if "RedrivePolicy" not in queue
    }

    assert dict.fromkeys(dead_letters, queues.SECONDS_HIDDEN) == {
        name: queue["VisibilityTimeout"] for name, queue in dead_letters.items()
    }
    assert queues.SECONDS_TO_LOOK < queues.SECONDS_HIDDEN


def test_nothing_polls_a_dead_letter_queue(resources: Resources) -> None:
    polled = json.dumps(of_type(resources, "AWS::Lambda::EventSourceMapping"))

    assert "DeadLetter" not in polled


def test_that_a_link_was_counted_is_known_for_longer_than_its_event_may_come_again(resources: Resources) -> None:
    kept = resources["LinkEventsDeadLetterQueue"]["Properties"]["MessageRetentionPeriod"] / 86_400
    # https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
    # https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
    stream, sns, function = 1, 23.2, 0.25

    assert daily_links.MARKER_DAYS > stream + sns + function + kept + function + kept


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


def test_every_function_is_traced_if_any_is_and_may_always_send_its_traces(resources: Resources) -> None:
    """A policy of its own for that would race with the functions: they cannot be traced before their role allows it.

    https://github.com/aws/serverless-application-model/issues/225
    """
    expected = {
        "Sid": "SendTraces",
        "Effect": "Allow",
        "Action": ["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
        "Resource": ["*"],
    }

    assert [] == [*of_type(resources, "AWS::IAM::Policy"), *of_type(resources, "AWS::IAM::ManagedPolicy")]
    for role in of_type(resources, "AWS::IAM::Role").values():
        [policy] = role["Policies"]
        assert expected in policy["PolicyDocument"]["Statement"]
    for function in of_type(resources, "AWS::Lambda::Function").values():
        assert {"Mode": {"Ref": "Tracing"}} == function["TracingConfig"]


def test_lambda_logs_what_the_functions_print_as_it_is_and_of_its_own_only_what_failed_unless_asked(
    template: Mapping[str, Any],
) -> None:
    expected = {
        "LogFormat": "JSON",
        "ApplicationLogLevel": "INFO",  # or metrics would be lost
        "SystemLogLevel": {"Fn::If": ["InvocationsAreLogged", "INFO", "WARN"]},
    }

    for name, function in of_type(template["Resources"], "AWS::Lambda::Function").items():
        assert expected == function["LoggingConfig"], name
    assert {"Fn::Equals": [{"Ref": "InvocationLogs"}, "true"]} == template["Conditions"]["InvocationsAreLogged"]
    assert "false" == template["Parameters"]["InvocationLogs"]["Default"]


def test_a_domain_is_made_only_if_there_is_one_and_speaks_nothing_older_than_tls_1_2(
    template: Mapping[str, Any],
) -> None:
    expected = {
        "DomainName": {"Ref": "DomainName"},
        "CertificateArn": {"Ref": "CertificateArn"},
        "EndpointConfiguration": {"Types": ["EDGE"]},
        "SecurityPolicy": "TLS_1_2",
    }

    without, with_one = made(template), made(template, DomainName="go.example.com", CertificateArn="arn")

    assert {"Domain", "DomainMapping"} == with_one.keys() - without.keys()
    assert expected == with_one["Domain"]["Properties"]
    # A path of the domain is a path of the API: no base path, and no stage.
    assert {"DomainName", "RestApiId", "Stage"} == set(with_one["DomainMapping"]["Properties"])


def test_the_api_is_edge_optimised_since_cloudfront_says_from_which_country_a_click_comes(
    template: Mapping[str, Any],
) -> None:
    """Unless a distribution of our own does: a second one would say where the first one asks from."""
    usual, edge = (made(template, Edge=given)["RestAPI"]["Properties"] for given in ("false", "true"))

    assert ({"Types": ["EDGE"]}, "EDGE") == (usual["EndpointConfiguration"], *usual["Parameters"].values())
    assert ({"Types": ["REGIONAL"]}, "REGIONAL") == (edge["EndpointConfiguration"], *edge["Parameters"].values())


def test_no_policy_allows_more_than_it_names(resources: Resources) -> None:
    for statement in statements(resources):
        assert not [action for action in statement["Action"] if "*" in action]
        if statement["Sid"] == "SendTraces":  # X-Ray has no resources to name:
            continue  # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
        for resource in statement["Resource"]:
            assert isinstance(resource, dict)
            # All streams of one log group, and all streams of one table: AWS gives them names that we cannot know.
            named = resource["Fn::Sub"].removesuffix(":*").removesuffix("/stream/*") if "Fn::Sub" in resource else ""
            assert "*" not in named


def policies(resources: Resources) -> dict[str, list[Mapping[str, Any]]]:
    """The statements of each queue's and topic's own policy, by the name of the queue or topic."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for kind, attached in (("AWS::SQS::QueuePolicy", "Queues"), ("AWS::SNS::TopicPolicy", "Topics")):
        for policy in of_type(resources, kind).values():
            [target] = policy[attached]
            assert target["Ref"] not in found  # a second policy would replace the first
            found[target["Ref"]] = policy["PolicyDocument"]["Statement"]
    return found


def test_nothing_goes_to_a_queue_or_a_topic_over_plain_http(resources: Resources) -> None:
    queues, topics = (of_type(resources, f"AWS::{kind}") for kind in ("SQS::Queue", "SNS::Topic"))
    expected = {
        name: {
            "Sid": "NothingOverPlainHttp",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sqs:*" if name in queues else "sns:Publish",
            "Resource": {"Fn::GetAtt": [name, "Arn"]} if name in queues else {"Ref": name},
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
        for name in {*queues, *topics}
    }

    assert expected == {name: found[-1] for name, found in policies(resources).items()}


def test_a_queue_or_topic_lets_in_one_service_for_one_source_at_most(resources: Resources) -> None:
    arn = {"Fn::Sub": "arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:linkly-dev-*"}
    account = {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    alarms = {"ArnLike": {"aws:SourceArn": arn}, "StringEquals": account}
    topic = {"ArnEquals": {"aws:SourceArn": {"Ref": "LinkEventsTopic"}}}
    expected = {
        "LinkChangesQueue": ("sns.amazonaws.com", "sqs:SendMessage", topic),
        "LinkChangesDeadLetterQueue": ("sns.amazonaws.com", "sqs:SendMessage", topic),
        "DeletedLinksQueue": ("sns.amazonaws.com", "sqs:SendMessage", topic),
        "DeletedLinksDeadLetterQueue": ("sns.amazonaws.com", "sqs:SendMessage", topic),
        "LinkEventsDeadLetterQueue": ("sns.amazonaws.com", "sqs:SendMessage", topic),
        "AlarmTopic": ("cloudwatch.amazonaws.com", "sns:Publish", alarms),
    }

    allowed = {
        name: (statement["Principal"]["Service"], statement["Action"], statement["Condition"])
        for name, found in policies(resources).items()
        for statement in found
        if statement["Effect"] == "Allow"
    }

    assert expected == allowed


def test_queues_and_the_topic_of_link_events_are_encrypted_at_rest(resources: Resources) -> None:
    assert {True} == {queue["SqsManagedSseEnabled"] for queue in of_type(resources, "AWS::SQS::Queue").values()}
    assert "alias/aws/sns" == resources["LinkEventsTopic"]["Properties"]["KmsMasterKeyId"]


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
    logged = [*of_type(resources, "AWS::Lambda::Function"), "the API, by its access log"]

    groups = of_type(resources, "AWS::Logs::LogGroup").values()

    assert [30] * len(logged) == [group["RetentionInDays"] for group in groups]


def test_the_api_is_reached_through_one_stage_whose_limits_hold_for_everybody(resources: Resources) -> None:
    stages = {name: each["StageName"] for name, each in of_type(resources, "AWS::ApiGateway::Stage").items()}
    # A deployment that names a stage makes it, beside the one that the throttles, the firewall and the alarms are of.
    made_by_deployments = [each.get("StageName") for each in of_type(resources, "AWS::ApiGateway::Deployment").values()]

    assert ({"RestAPIapiStage": "api"}, [None]) == (stages, made_by_deployments)


def test_the_gateway_throttles_and_making_links_more_than_the_rest(template: Mapping[str, Any]) -> None:
    """What a throttled request gets is seen in tests/e2e/test_limits.py."""
    [stage] = of_type(template["Resources"], "AWS::ApiGateway::Stage").values()
    names = ("RequestsPerSecond", "RequestBurst", "LinksPerSecond", "LinkBurst")

    limits = {
        (setting["HttpMethod"], setting["ResourcePath"]): (
            setting["ThrottlingRateLimit"]["Ref"],
            setting["ThrottlingBurstLimit"]["Ref"],
        )
        for setting in stage["MethodSettings"]
    }

    assert {("*", "/*"): names[:2], ("POST", "/~1links"): names[2:]} == limits
    assert [500, 1000, 50, 200] == [template["Parameters"][name]["Default"] for name in names]


def test_as_much_is_reserved_for_the_recorder_as_its_trigger_uses_and_only_on_demand(
    template: Mapping[str, Any],
) -> None:
    resources = template["Resources"]
    [most] = {
        mapping["ScalingConfig"]["MaximumConcurrency"]
        for mapping, _, _ in mappings(resources)
        if "ScalingConfig" in mapping
    }

    def reserved(**given: str) -> dict[str, Any]:
        functions = of_type(made(template, **given), "AWS::Lambda::Function").items()
        key = "ReservedConcurrentExecutions"
        return {name: function[key] for name, function in functions if key in function}

    assert {} == reserved()
    assert {"RecordClicks": most} == reserved(ReserveRecorder="true")
    assert {"FollowLink": {"Ref": "RedirectConcurrency"}} == reserved(Edge="true")
    assert "false" == template["Parameters"]["ReserveRecorder"]["Default"]


def test_the_firewall_is_off_unless_it_is_asked_for_and_keeps_no_addresses(template: Mapping[str, Any]) -> None:
    resources = template["Resources"]
    rules = resources["FirewallRules"]["Properties"]

    parts = {name: each.get("Condition") for name, each in resources.items() if each["Type"].startswith("AWS::WAFv2::")}
    samples = [each["VisibilityConfig"]["SampledRequestsEnabled"] for each in (rules, *rules["Rules"])]

    assert {
        "FirewallRules": "FirewallIsOn",
        "FirewallAssociation": "FirewallIsOn",
        "EdgeFirewallRules": "EdgeFirewallIsMade",
    } == parts
    assert "false" == template["Parameters"]["Firewall"]["Default"]
    assert [False] * 5 == samples


def test_the_firewall_lets_urls_pass_in_bodies_and_in_queries(resources: Resources) -> None:
    [common] = [rule for rule in resources["FirewallRules"]["Properties"]["Rules"] if rule["Name"] == "common"]
    overrides = common["Statement"]["ManagedRuleGroupStatement"]["RuleActionOverrides"]
    attacks = ("EC2MetaDataSSRF", "GenericLFI", "GenericRFI", "CrossSiteScripting")
    expected = {f"{attack}_{part}" for attack in attacks for part in ("BODY", "QUERYARGUMENTS")}

    counted = {override["Name"] for override in overrides if override["ActionToUse"] == {"Count": {}}}

    assert expected | {"SizeRestrictions_BODY", "SizeRestrictions_QUERYSTRING"} <= counted


def test_the_gateway_keeps_no_record_of_who_called_in_its_access_log_either(resources: Resources) -> None:
    """Its execution logs and traces may hold callers' addresses: there are none. Its access log holds what it is told.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html and, for the client_ip of traces,
    https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
    """
    [stage] = of_type(resources, "AWS::ApiGateway::Stage").values()
    [condition, logging, nothing] = stage["AccessLogSetting"]["Fn::If"]
    fields = json.loads(logging["Format"])

    assert {
        "requestId": "$context.requestId",
        "time": "$context.requestTime",
        "method": "$context.httpMethod",
        "resource": "$context.resourcePath",  # such as /{code}: not the path, which names the link
        "status": "$context.status",
        "latency": "$context.responseLatency",
        "integrationLatency": "$context.integrationLatency",
        "length": "$context.responseLength",
        "error": "$context.error.responseType",  # not its message, which may quote the Authorization header
        "integrationError": "$context.integrationErrorMessage",
    } == fields
    assert ("AccessLogsAreOn", {"Ref": "AWS::NoValue"}) == (condition, nothing)
    assert not stage.get("TracingEnabled")
    for setting in stage.get("MethodSettings", []):
        assert not {"LoggingLevel", "DataTraceEnabled"} & set(setting)


def test_access_logs_are_off_unless_they_are_asked_for(template: Mapping[str, Any]) -> None:
    assert "false" == template["Parameters"]["AccessLogs"]["Default"]
    assert {"Fn::Equals": [{"Ref": "AccessLogs"}, "true"]} == template["Conditions"]["AccessLogsAreOn"]


SET_BY_LAMBDA = {"AWS_DEFAULT_REGION", "AWS_REGION", "_X_AMZN_TRACE_ID"}
"""https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html."""

READ_BY_THE_SDK_TOO = {"AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "AWS_ENDPOINT_URL"}
"""An operator may set them; nothing of ours does."""


def test_the_functions_get_every_variable_that_the_app_reads(resources: Resources) -> None:
    read = {
        node.args[0].value
        for node in ast.walk(ast.parse(inspect.getsource(config)))
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str) and node.args[0].value.isupper()
    }  # fmt: skip

    for function in of_type(resources, "AWS::Lambda::Function").values():
        assert read - SET_BY_LAMBDA - READ_BY_THE_SDK_TOO == set(function["Environment"]["Variables"])


def test_the_api_calls_a_function_that_it_may_call_before_it_goes_live(resources: Resources) -> None:
    uris = {
        method["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"]
        for path in resources["RestAPI"]["Properties"]["Body"]["paths"].values()
        for method in path.values()
    }
    called = {found for uri in uris for found in re.findall(r"functions/\$\{(\w+)\.Arn\}/invocations", uri)}
    permissions = {
        name: each["FunctionName"]["Ref"]
        for name, each in of_type(resources, "AWS::Lambda::Permission").items()
        if each["Principal"] == "apigateway.amazonaws.com"
    }

    assert {"APIHandler", "FollowLink"} == called == {*permissions.values()}
    assert sorted(permissions) == resources["RestAPIapiStage"]["DependsOn"]


def test_following_a_link_is_the_work_of_a_function_that_does_not_import_the_app(resources: Resources) -> None:
    methods = resources["RestAPI"]["Properties"]["Body"]["paths"]["/{code}"]

    by_method = {
        method: described["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"].partition("functions/")[2]
        for method, described in methods.items()
    }

    follow = "${FollowLink.Arn}/invocations"
    assert (follow, follow) == (by_method["get"], by_method["head"])
    assert "chalicelib.redirects.entry.handler" == resources["FollowLink"]["Properties"]["Handler"]


def test_the_redirect_may_read_links_fill_the_cache_use_up_allowances_send_clicks_and_nothing_else(
    resources: Resources,
) -> None:
    [policy] = role_of(resources["FollowLink"]["Properties"], resources)["Policies"]

    allowed = {
        (action, json.dumps(statement["Resource"]))
        for statement in policy["PolicyDocument"]["Statement"]
        for action in statement["Action"]
        if not action.startswith(("logs:", "xray:"))
    }

    links, redirects, allowances, queue = (
        json.dumps([{"Fn::GetAtt": [name, "Arn"]}])
        for name in ("LinksTable", "RedirectsTable", "AllowancesTable", "ClickQueue")
    )
    assert {
        ("dynamodb:GetItem", links),
        ("dynamodb:GetItem", redirects),
        ("dynamodb:PutItem", redirects),
        ("dynamodb:UpdateItem", allowances),
        ("sqs:SendMessage", queue),
    } == allowed


def test_the_logs_that_clicks_are_reconciled_by_outlive_the_stack_with_names_that_it_can_adopt(
    resources: Resources,
) -> None:
    kept = [each for each in resources.values() if each.get("DeletionPolicy") == "RetainExceptOnCreate"]
    name_of = {**type_of_names, "AWS::Logs::LogGroup": "LogGroupName"}

    assert {f"/aws/lambda/linkly-dev-{function}" for function in ("api_handler", "follow_link", "record_clicks")} == {
        each["Properties"]["LogGroupName"] for each in kept if each["Type"] == "AWS::Logs::LogGroup"
    }
    for each in kept:
        assert isinstance(each["Properties"][name_of[each["Type"]]], str)


def test_what_the_gateway_answers_itself_has_the_apps_shape(resources: Resources) -> None:
    known = {json.loads(problem.body())["type"]: problem.status for problem in all_problems()}
    known["urn:linkly:problem:too-many-requests"] = HTTPStatus.TOO_MANY_REQUESTS  # only the gateway throttles
    known["urn:linkly:problem:blocked"] = HTTPStatus.FORBIDDEN  # only the firewall blocks
    responses = resources["RestAPI"]["Properties"]["Body"]["x-amazon-apigateway-gateway-responses"]

    for response in responses.values():
        problem = json.loads(response["responseTemplates"]["application/json"])
        status = HTTPStatus(int(response["statusCode"]))
        headers = response["responseParameters"]

        assert list(problem) == ["type", "title", "status", "detail"]
        assert (status, status) == (problem["status"], known[problem["type"]])
        assert {
            "Content-Type": f"'{problems.CONTENT_TYPE}'",
            "Cache-Control": "'no-store'",
            **{name: f"'{value}'" for name, value in browsers.ALWAYS.items()},
            **({"Retry-After": "'1'"} if status in {429, 503} else {}),
        } == {name.removeprefix("gatewayresponse.header."): value for name, value in headers.items()}


def all_problems() -> Iterator[problems.Problem]:
    kinds = [problems.Problem]
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__()
        yield kind("any") if kind.__init__ is Exception.__init__ or kind.__init__.__code__.co_argcount > 1 else kind()


def test_every_kind_of_error_that_the_gateway_can_make_is_covered(resources: Resources) -> None:
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html, less the
    # authorizers and API keys that this API does not have, which the defaults would cover.
    made = {
        "ACCESS_DENIED", "BAD_REQUEST_BODY", "BAD_REQUEST_PARAMETERS", "DEFAULT_4XX", "DEFAULT_5XX", "EXPIRED_TOKEN",
        "INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT", "INVALID_SIGNATURE", "MISSING_AUTHENTICATION_TOKEN",
        "QUOTA_EXCEEDED", "REQUEST_TOO_LARGE", "RESOURCE_NOT_FOUND", "THROTTLED", "UNSUPPORTED_MEDIA_TYPE",
        "WAF_FILTERED",
    }  # fmt: skip

    assert made == set(resources["RestAPI"]["Properties"]["Body"]["x-amazon-apigateway-gateway-responses"])


def test_blocking_a_domain_waits_longer_than_a_request_can_take(resources: Resources) -> None:
    assert resources["APIHandler"]["Properties"]["Timeout"] < blocklist.LONGEST_REQUEST
