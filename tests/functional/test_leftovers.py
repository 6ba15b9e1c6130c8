"""What is left of a stage when its stack is gone, and deleted for ever."""

from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from botocore.stub import Stubber

from ops.deploying import leftovers
from tests import infrastructure
from tests.faults import Fault, Faults, lost, timed_out

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

STAGE = "test"  # of the tables that every functional test finds
OTHERS = "linkly-testing-links"


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> "DynamoDBClient":
    """The client with which tables are deleted."""
    made: DynamoDBClient = boto3.client("dynamodb")
    monkeypatch.setattr(leftovers, "client", lambda name: made if name == "dynamodb" else boto3.client(name))
    return made


def tables() -> list[str]:
    """The names of all tables that there are."""
    return infrastructure.dynamodb().list_tables()["TableNames"]


def test_no_table_that_holds_data_is_deleted_by_a_slip() -> None:
    def is_deleted(table: str) -> bool:
        try:
            infrastructure.dynamodb().delete_table(TableName=table)
        except ClientError:
            return False
        return True

    assert {"linkly-test-redirects", "linkly-test-idempotency"} == set(filter(is_deleted, tables()))


def test_every_table_of_a_stage_is_deleted_when_that_is_asked_for_and_no_other() -> None:
    infrastructure.dynamodb().create_table(
        TableName=OTHERS,
        KeySchema=[{"AttributeName": "code", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "code", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )

    leftovers.delete(STAGE, lambda _: None)

    assert [OTHERS] == tables()


def test_every_log_of_a_stage_is_deleted_and_no_other() -> None:
    logs = boto3.client("logs")
    others = ["/aws/apigateway/linkly-testing-access", "/aws/lambda/linkly-testing-api_handler"]
    for group in (*others, "/aws/apigateway/linkly-test-access", "/aws/lambda/linkly-test-api_handler"):
        logs.create_log_group(logGroupName=group)

    leftovers.delete(STAGE, lambda _: None)

    assert others == [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]


@pytest.mark.parametrize("operation", ["UpdateTable", "DeleteTable"])
@pytest.mark.parametrize("fault", [timed_out(), lost(timed_out())], ids=str)
def test_a_deletion_that_was_interrupted_is_taken_up_again(
    dynamodb: "DynamoDBClient", operation: str, fault: Fault
) -> None:
    faults = Faults(dynamodb)
    faults.plan(fault, operation=operation, nth=3)

    with pytest.raises(ReadTimeoutError):
        leftovers.delete(STAGE, lambda _: None)
    left = tables()
    faults.repair()
    leftovers.delete(STAGE, lambda _: None)

    assert (True, []) == (0 < len(left) < 8, tables())


def test_a_table_whose_deletion_has_begun_is_waited_for(dynamodb: "DynamoDBClient") -> None:
    table = {"TableName": "linkly-test-links"}
    with Stubber(dynamodb) as aws:
        aws.add_response("list_tables", {"TableNames": [table["TableName"]]})
        aws.add_response("describe_table", {"Table": {"TableStatus": "DELETING"}}, table)
        aws.add_response("delete_table", {}, table)
        aws.add_client_error("describe_table", "ResourceNotFoundException", expected_params=table)

        leftovers.delete(STAGE, lambda _: None)

        aws.assert_no_pending_responses()
