"""What belongs to each function of app.py: each test says which file misses what."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ops import PROJECT
from ops.deploying.generated import Incomplete, write_out
from ops.repairing import dlq
from tests.e2e import test_permissions
from tests.infra.conftest import FUNCTIONS, Resources, of_type

NOTHING: Mapping[str, Any] = {"EachFunction": {"Properties": {}, "Resources": {}}, "EachTrigger": {}}


def a_template(handler: str) -> Mapping[str, Any]:
    """What Chalice makes of a function."""
    role = {"Fn::GetAtt": ["DoThisRole", "Arn"]}
    policy = {"PolicyDocument": {"Version": "2012-10-17", "Statement": []}}
    return {
        "Resources": {
            "DoThis": {"Type": "AWS::Serverless::Function", "Properties": {"Handler": handler, "Role": role}},
            "DoThisRole": {"Type": "AWS::IAM::Role", "Properties": {"Policies": [policy]}},
        }
    }


def test_a_function_without_a_policy_is_not_packaged(tmp_path: Path) -> None:
    with pytest.raises(Incomplete) as refused:
        write_out(a_template("app.do_this"), NOTHING, tmp_path / ".chalice")

    assert "Say what do_this may do, in .chalice/policy-do_this.json" == str(refused.value)


def test_what_the_template_says_of_a_function_that_is_not_there_is_not_packaged(tmp_path: Path) -> None:
    sam = {"Resources": {"DoThat": {"Properties": {"RecursiveLoop": "Allow"}}}}

    with pytest.raises(Incomplete) as refused:
        write_out(sam, NOTHING, tmp_path)

    assert "infra/template.yaml says something of DoThat, which nothing in app.py makes" == str(refused.value)


def test_every_policy_and_every_setting_is_of_a_function_that_there_is() -> None:
    policies = {file.stem.removeprefix("policy-"): file for file in (PROJECT / ".chalice").glob("policy-*.json")}
    settings = json.loads((PROJECT / ".chalice" / "config.json").read_text())["lambda_functions"]

    for function in policies.keys() - FUNCTIONS:
        pytest.fail(f".chalice/{policies[function].name} is of no function in app.py")
    for function in settings.keys() - FUNCTIONS:
        pytest.fail(f".chalice/config.json has settings of {function}, which is no function in app.py")


def test_every_function_that_has_permissions_uses_them_in_an_end_to_end_test() -> None:
    permitted = {permission.function for permission in test_permissions.permissions()}
    exercised = set(test_permissions.EXERCISES)

    for function in permitted - exercised:
        pytest.fail(f"tests/e2e/test_permissions.py has no exercise of {function} that needs its permissions")
    for function in exercised - permitted:
        pytest.fail(f"tests/e2e/test_permissions.py exercises {function}, which has no permissions")


def test_every_trigger_is_a_queue_a_topic_or_a_stream_of_the_template(resources: Resources) -> None:
    """Chalice takes a name, such as that of a queue, for the whole of it; but ours have the stage in theirs."""
    mappings = of_type(resources, "AWS::Lambda::EventSourceMapping").values()
    subscriptions = of_type(resources, "AWS::SNS::Subscription").values()
    triggers = [
        *((each["FunctionName"]["Ref"], each["EventSourceArn"]) for each in mappings),
        *(
            (each["Endpoint"]["Fn::GetAtt"][0], each["TopicArn"])
            for each in subscriptions
            if each["Protocol"] == "lambda"
        ),
    ]

    for function, source in triggers:
        named = source.get("Fn::Sub", "").removeprefix("${").partition("}")[0].partition(".")[0]
        if named not in resources and source.get("Fn::GetAtt", [""])[0] not in resources:
            pytest.fail(f"infra/template.yaml does not say which queue, topic or stream triggers {function}")


def test_every_listener_says_which_changes_it_asks_for(resources: Resources) -> None:
    for name, each in of_type(resources, "AWS::SNS::Subscription").items():
        if each["Protocol"] != "email" and not each.get("FilterPolicy", {}).get("type"):
            pytest.fail(f"infra/template.yaml does not say with a FilterPolicy of {name} which changes it asks for")


def test_every_dead_letter_queue_can_be_looked_into_and_redriven(resources: Resources) -> None:
    names = {each["QueueName"].removeprefix("linkly-dev-") for each in of_type(resources, "AWS::SQS::Queue").values()}

    for name in {each.removesuffix("-dlq") for each in names if each.endswith("-dlq")} - set(dlq.NAMES):
        pytest.fail(f"ops/repairing/dlq.py does not know {name}")


def test_every_function_has_what_functions_yaml_says(resources: Resources) -> None:
    functions = of_type(resources, "AWS::Lambda::Function")

    alarms = {each["AlarmName"] for each in of_type(resources, "AWS::CloudWatch::Alarm").values()}

    assert {f"linkly-dev-{function}" for function in FUNCTIONS} == {each["FunctionName"] for each in functions.values()}
    assert {f"linkly-dev-{function}-{what}" for function in FUNCTIONS for what in ("errors", "throttles")} <= alarms
