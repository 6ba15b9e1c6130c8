"""What a role may do that deploys a stage, held against every resource of the template, those of every option included.

AWS's registry says of each type what CloudFormation calls to make, read, change and delete a resource; cfn-lint keeps a
copy. On what an action is allowed: https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html
What `ops` calls by itself is seen in tests/e2e/test_new_stages.py.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from ops.deploying import deploy_policy
from tests.infra.conftest import Resources

LONGEST_INLINE_POLICY = 10_240
"""Characters, without white space: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""

REGION, ACCOUNT = "eu-central-1", "123456789012"
HERE = f"{REGION}:{ACCOUNT}"
APIS = f"arn:aws:apigateway:{REGION}::"
API_STAGE = f"{APIS}/restapis/1/stages/api"
CODE = f"arn:aws:s3:::linkly-dev-artifacts-{ACCOUNT}-{REGION}/1.zip"
FUNCTION = f"arn:aws:lambda:{HERE}:function:{{FunctionName}}"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/linkly-dev-{{name}}-1"  # CloudFormation puts the stack's name before it
WEB_ACL = f"arn:aws:wafv2:{HERE}:regional/webacl/linkly-dev/1"
RULES_OF_AWS = f"arn:aws:wafv2:{HERE}:regional/managedruleset/AWS/1"

EDGE_ACL = f"arn:aws:wafv2:us-east-1:{ACCOUNT}:global/webacl/linkly-dev-edge/1"
EDGE_RULES_OF_AWS = f"arn:aws:wafv2:us-east-1:{ACCOUNT}:global/managedruleset/AWS/1"
CLOUDFRONT = f"arn:aws:cloudfront::{ACCOUNT}"

ARNS = {
    "AWS::ApiGateway::BasePathMapping": [f"{APIS}/domainnames/go.example.com/basepathmappings"],
    "AWS::ApiGateway::Deployment": [f"{APIS}/restapis/1/deployments", f"{APIS}/restapis/1/deployments/1"],
    "AWS::ApiGateway::DomainName": [f"{APIS}/domainnames", f"{APIS}/domainnames/go.example.com"],
    "AWS::ApiGateway::RestApi": [f"{APIS}/restapis", f"{APIS}/restapis/1"],
    "AWS::ApiGateway::Stage": [f"{APIS}/restapis/1/stages", API_STAGE],
    "AWS::CloudFront::CachePolicy": [f"{CLOUDFRONT}:cache-policy/1"],
    "AWS::CloudFront::Distribution": [f"{CLOUDFRONT}:distribution/1"],
    "AWS::CloudFront::OriginAccessControl": [f"{CLOUDFRONT}:origin-access-control/1"],
    "AWS::CloudFront::OriginRequestPolicy": [f"{CLOUDFRONT}:origin-request-policy/1"],
    "AWS::CloudWatch::Alarm": [f"arn:aws:cloudwatch:{HERE}:alarm:{{AlarmName}}"],
    "AWS::CloudWatch::Dashboard": [f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/{{DashboardName}}"],
    "AWS::DynamoDB::Table": [f"arn:aws:dynamodb:{HERE}:table/{{TableName}}"],
    "AWS::IAM::Role": [ROLE],
    "AWS::KMS::Key": [f"arn:aws:kms:{HERE}:key/1"],
    "AWS::Lambda::EventInvokeConfig": [FUNCTION],
    "AWS::Lambda::EventSourceMapping": [f"arn:aws:lambda:{HERE}:event-source-mapping:1"],
    "AWS::Lambda::Function": [FUNCTION],
    "AWS::Lambda::Permission": [FUNCTION],
    "AWS::Lambda::Url": [f"arn:aws:lambda:{HERE}:function:linkly-dev-follow_link"],
    "AWS::Logs::LogGroup": [f"arn:aws:logs:{HERE}:log-group:{{LogGroupName}}:*"],
    "AWS::SNS::Subscription": [f"arn:aws:sns:{HERE}:{{TopicArn}}", f"arn:aws:sns:{HERE}:{{TopicArn}}:1"],
    "AWS::SNS::Topic": [f"arn:aws:sns:{HERE}:{{TopicName}}"],
    "AWS::SNS::TopicPolicy": [f"arn:aws:sns:{HERE}:{{Topics}}"],
    "AWS::SQS::Queue": [f"arn:aws:sqs:{HERE}:{{QueueName}}"],
    "AWS::SQS::QueuePolicy": [f"arn:aws:sqs:{HERE}:{{Queues}}"],
    "AWS::WAFv2::WebACL": [f"arn:aws:wafv2:{HERE}:regional/webacl/linkly-dev/1", EDGE_ACL],
    "AWS::WAFv2::WebACLAssociation": [WEB_ACL],
}
"""The ARNs of a resource, by its type, with properties to be filled in."""

ELSEWHERE = {
    "apigateway:SetWebACL": [API_STAGE],
    "iam:PassRole": [ROLE],
    "kms:CreateKey": ["*"],
    "lambda:CreateEventSourceMapping": ["*"],
    "logs:DescribeLogGroups": ["*"],
    "logs:DescribeResourcePolicies": ["*"],
    "s3:GetObject": [CODE],
    "s3:GetObjectVersion": [CODE],
    "wafv2:AssociateWebACL": [WEB_ACL, API_STAGE],
    "wafv2:CreateWebACL": [WEB_ACL, RULES_OF_AWS, EDGE_ACL, EDGE_RULES_OF_AWS],
    "wafv2:DisassociateWebACL": [API_STAGE],
    "wafv2:GetWebACLForResource": [API_STAGE],
    "wafv2:UpdateWebACL": [WEB_ACL, RULES_OF_AWS, EDGE_ACL, EDGE_RULES_OF_AWS],
}
"""The actions that are allowed on something else."""

UNUSED = {
    # Functions are in no network and mount nothing, and neither they nor their triggers have a key.
    "AWS::Lambda::Function": ["ec2:*", "elasticfilesystem:*", "s3files:*", "kms:*"],
    "AWS::Lambda::EventSourceMapping": ["kms:*"],
    # No replicas, no import, no stream to Kinesis, and DynamoDB's own key.
    "AWS::DynamoDB::Table": ["iam:*", "kinesis:*", "kms:*", "logs:*", "s3:*"],
    # Logs are delivered nowhere, and no group has a policy.
    "AWS::Logs::LogGroup": [
        "firehose:*", "s3:*", "logs:CreateLogDelivery", "logs:DeleteResourcePolicy", "logs:PutResourcePolicy",
    ],
    # Topics send to queues, to functions and by mail, and none of that takes a role.
    "AWS::SNS::Topic": ["iam:*"],
    "AWS::SNS::Subscription": ["iam:*"],
    # The API is described in the template, and calls functions without a role.
    "AWS::ApiGateway::RestApi": ["iam:*", "s3:*"],
    # All of a role's policies are its own, and it has no boundary.
    "AWS::IAM::Role": ["iam:AttachRolePolicy", "iam:DetachRolePolicy", "iam:*RolePermissionsBoundary"],
    # No rules of other vendors, and before nothing but an API.
    "AWS::WAFv2::WebACL": ["payments:*"],
    "AWS::WAFv2::WebACLAssociation": [
        "amplify:*", "apprunner:*", "appsync:*", "bedrock-agentcore:*", "cognito-idp:*", "ec2:*",
        "elasticloadbalancing:*", "wafv2:*PermissionPolicy",
    ],
}  # fmt: skip
"""What CloudFormation calls for the sake of properties that no resource of the template has."""

CALLED_BY_CLOUDFORMATION = {
    "aws:CalledVia": "cloudformation.amazonaws.com",
    "iam:PassedToService": "lambda.amazonaws.com",
    "lambda:FunctionArn": f"arn:aws:lambda:{HERE}:function:linkly-dev-record_clicks",
}


@pytest.fixture
def policy(monkeypatch: pytest.MonkeyPatch) -> Mapping[str, Any]:
    """The policy for the stage `dev`."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setattr("ops.deploying.deploy_policy.account", lambda: ACCOUNT)
    made: Mapping[str, Any] = json.loads(deploy_policy.text("dev"))
    return made


def is_allowed(policy: Mapping[str, Any], action: str, arn: str, context: Mapping[str, str]) -> bool:
    """Whether one of the policy's statements allows it; none forbids anything."""
    return any(
        matches(action, statement["Action"])
        and matches(arn, statement["Resource"])
        and all(
            matches(context.get(key, ""), wanted)
            for condition in statement.get("Condition", {}).values()
            for key, wanted in condition.items()
        )
        for statement in policy["Statement"]
    )


def matches(value: str, patterns: str | Sequence[str]) -> bool:
    return any(fnmatchcase(value, each) for each in ([patterns] if isinstance(patterns, str) else patterns))


def calls(resources: Resources) -> Iterator[tuple[str, str]]:
    """What CloudFormation calls to make, read, change and delete each resource, and on which ARN."""
    for name, resource in resources.items():
        kind = resource["Type"]
        properties = {key: text(value, resources) for key, value in resource.get("Properties", {}).items()}
        handlers = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, kind).schema["handlers"]
        for operation in ("create", "read", "update", "delete"):
            for action in handlers.get(operation, {}).get("permissions", []):
                if not matches(action, UNUSED.get(kind, [])):
                    for arn in ELSEWHERE.get(action, ARNS[kind]):
                        yield action, arn.format(name=name, **properties)


def text(value: Any, resources: Resources) -> str:
    """A property as text, with the names of resources in place of what refers to them."""

    def name_of(resource: str) -> str:
        properties = resources.get(resource, {}).get("Properties", {})
        return next(
            (str(properties[key]) for key in ("FunctionName", "QueueName", "TopicName") if key in properties), ""
        )

    match value:
        case {"Ref": str(resource)}:
            return name_of(resource)
        case {"Fn::Sub": str(template)}:
            return re.sub(r"\$\{(\w+)\}", lambda found: name_of(found[1]), template)
        case [one]:
            return text(one, resources)
        case _:
            return str(value)


def test_everything_that_cloudformation_does_for_a_stage_is_allowed(
    policy: Mapping[str, Any], resources: Resources
) -> None:
    refused = {call for call in calls(resources) if not is_allowed(policy, *call, CALLED_BY_CLOUDFORMATION)}

    assert set() == refused


def test_nothing_that_is_named_after_another_stage_is_touched(policy: Mapping[str, Any], resources: Resources) -> None:
    """Not even if that stage's name begins like this one's. What is listed, is listed all at once.

    A firewall of one's own before CloudFront may have any name, and is looked at.
    """
    lists = {"cloudwatch:DescribeAlarms"}
    others = {(action, re.sub(r"linkly-dev(?!\w)", "linkly-dev2", arn)) for action, arn in calls(resources)}

    allowed = {
        (action, arn)
        for action, arn in others
        if "linkly-dev2" in arn and is_allowed(policy, action, arn, CALLED_BY_CLOUDFORMATION)
    }

    looked_at = ("wafv2:GetWebACL", EDGE_ACL.replace("linkly-dev", "linkly-dev2"))
    assert {looked_at} == {call for call in allowed if call[0] not in lists}


def test_the_stack_is_named_like_the_stage_and_no_longer(policy: Mapping[str, Any]) -> None:
    ours, another = (f"arn:aws:cloudformation:{HERE}:stack/linkly-{stage}/1" for stage in ("dev", "dev2"))

    assert is_allowed(policy, "cloudformation:CreateChangeSet", ours, {})
    assert not is_allowed(policy, "cloudformation:CreateChangeSet", another, {})


@pytest.mark.parametrize(
    ("action", "arn"),
    [
        ("apigateway:DELETE", f"{APIS}/restapis/1"),
        ("cloudfront:DeleteDistribution", f"{CLOUDFRONT}:distribution/1"),
        ("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/linkly-dev-ApiHandlerRole-1"),
        ("kms:ScheduleKeyDeletion", f"arn:aws:kms:{HERE}:key/1"),
        ("lambda:DeleteEventSourceMapping", f"arn:aws:lambda:{HERE}:event-source-mapping:1"),
        ("wafv2:DisassociateWebACL", API_STAGE),
    ],
)
def test_what_has_no_name_of_ours_is_changed_by_cloudformation_only_or_for_our_functions(
    policy: Mapping[str, Any], action: str, arn: str
) -> None:
    assert is_allowed(policy, action, arn, CALLED_BY_CLOUDFORMATION)
    assert not is_allowed(policy, action, arn, {})


def test_the_role_that_has_the_policy_cannot_change_itself(policy: Mapping[str, Any]) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/deploy-linkly-dev"  # as docs/deploying.md calls it

    assert not is_allowed(policy, "iam:PutRolePolicy", role, CALLED_BY_CLOUDFORMATION)


def test_the_policy_is_short_enough_for_a_role(policy: Mapping[str, Any]) -> None:
    assert len(json.dumps(policy, separators=(",", ":"))) <= LONGEST_INLINE_POLICY
