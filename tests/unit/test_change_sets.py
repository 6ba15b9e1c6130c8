"""What a change set would do, in words: the shapes are those of CloudFormation's ResourceChange."""

from typing import Any

import pytest

from ops.deploying.change_sets import describe, losses


def a_change(action: str, kind: str, **rest: Any) -> dict[str, Any]:
    return {"Action": action, "LogicalResourceId": "Thing", "ResourceType": kind, **rest}


def a_detail(name: str, recreation: str) -> dict[str, Any]:
    target = {"Attribute": "Properties", "Name": name, "RequiresRecreation": recreation}
    return {"Target": target, "Evaluation": "Static", "ChangeSource": "DirectModification"}


TABLE, QUEUE, API = "AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::ApiGateway::RestApi"
KEYS_CHANGE = {
    "PhysicalResourceId": "linkly-dev-things",
    "Replacement": "True",
    "PolicyAction": "ReplaceAndRetain",
    "Details": [a_detail("BillingMode", "Never"), a_detail("KeySchema", "Always")],
}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (a_change("Add", TABLE), "add      Thing (AWS::DynamoDB::Table)"),
        (a_change("Import", TABLE), "import   Thing (AWS::DynamoDB::Table)"),
        (a_change("Remove", TABLE), "remove   Thing (AWS::DynamoDB::Table)"),
        (a_change("Dynamic", TABLE), "dynamic  Thing (AWS::DynamoDB::Table)"),
        (
            a_change("Modify", TABLE, Replacement="False", Details=[a_detail("Tags", "Never"), a_detail("A", "Never")]),
            "change   Thing (AWS::DynamoDB::Table): A, Tags",
        ),
        (
            a_change("Modify", TABLE, Replacement="Conditional", Details=[a_detail("KeySchema", "Conditionally")]),
            "replace? Thing (AWS::DynamoDB::Table): KeySchema",
        ),
        (a_change("Modify", TABLE, **KEYS_CHANGE), "replace  Thing (AWS::DynamoDB::Table): BillingMode, KeySchema"),
    ],
)
def test_a_change_is_one_line(change: dict[str, Any], expected: str) -> None:
    assert expected == describe(change)


def test_a_table_that_would_be_replaced_is_named_with_the_reason_and_what_becomes_of_it() -> None:
    expected = (
        "Thing (linkly-dev-things) would be replaced by a new, empty one, since KeySchema changes. "
        "At stake: its items. The old one is kept, outside of the stack."
    )

    assert [expected] == losses([a_change("Modify", TABLE, **KEYS_CHANGE)])


def test_a_queue_that_may_be_replaced_is_named() -> None:
    change = a_change(
        "Modify",
        QUEUE,
        PhysicalResourceId="https://sqs/clicks",
        Replacement="Conditional",
        Details=[a_detail("QueueName", "Conditionally")],
    )

    expected = (
        "Thing (https://sqs/clicks) may be replaced by a new, empty one, since QueueName changes. "
        "At stake: the messages in it."
    )
    assert [expected] == losses([change])


@pytest.mark.parametrize("kind", [TABLE, QUEUE, API, "AWS::Logs::LogGroup", "AWS::CloudFront::Distribution"])
def test_whatever_holds_something_is_named_when_it_is_removed(kind: str) -> None:
    [loss] = losses([a_change("Remove", kind, PhysicalResourceId="it", PolicyAction="Delete")])

    why = "the template has it no more, or not with these settings"
    assert loss.startswith(f"Thing (it) would be removed: {why}. At stake: ")


@pytest.mark.parametrize(
    "change",
    [
        a_change("Add", TABLE),
        a_change("Import", TABLE),
        a_change("Modify", TABLE, Replacement="False", Details=[a_detail("Tags", "Never")]),
        a_change("Modify", "AWS::Lambda::Permission", Replacement="True"),
        a_change("Modify", API, Replacement="Conditional", Details=[a_detail("Body", "Conditionally")]),
        a_change("Modify", "AWS::CloudFront::Distribution", Replacement="Conditional"),
        a_change("Remove", "AWS::ApiGateway::Deployment"),
    ],
)
def test_nothing_else_is_a_loss(change: dict[str, Any]) -> None:
    assert [] == losses([change])
