"""`python -m ops accident`: a function may not do what it must, until that is ended."""

import json

import pytest

from ops.repairing.accident import POLICY, AccidentFailed, deny, end_denial
from ops.shared.aws import client
from tests.infrastructure import ACCOUNT

FUNCTION, ROLE = "linkly-test-record_clicks", "recorder"
ALLOWED = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["dynamodb:PutItem", "sqs:ReceiveMessage"], "Resource": "*"}],
}


@pytest.fixture(autouse=True)
def function() -> None:
    """A function with a role."""
    iam = client("iam")
    iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument="{}")
    iam.put_role_policy(RoleName=ROLE, PolicyName="own", PolicyDocument=json.dumps(ALLOWED))
    role = f"arn:aws:iam::{ACCOUNT}:role/{ROLE}"
    client("lambda").create_function(
        FunctionName=FUNCTION, Runtime="python3.13", Role=role, Handler="app.f", Code={"ZipFile": b"code"}
    )


def policies() -> list[str]:
    names: list[str] = client("iam").list_role_policies(RoleName=ROLE)["PolicyNames"]
    return names


def test_an_action_is_denied_until_it_is_allowed_again() -> None:
    deny("test", "record_clicks", "dynamodb:PutItem")
    denied = client("iam").get_role_policy(RoleName=ROLE, PolicyName=POLICY)["PolicyDocument"]
    end_denial("test", "record_clicks")

    assert [{"Effect": "Deny", "Action": "dynamodb:PutItem", "Resource": "*"}] == denied["Statement"]
    assert ["own"] == policies()


def test_an_action_that_a_function_may_not_do_is_refused_with_those_that_it_may() -> None:
    with pytest.raises(AccidentFailed, match=r"It has: dynamodb:PutItem, sqs:ReceiveMessage\.$"):
        deny("test", "record_clicks", "dynamodb:PutItems")

    assert ["own"] == policies()
