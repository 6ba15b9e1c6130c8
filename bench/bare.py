"""Functions without anything of Linkly, each behind an API Gateway of its own: what the local stack itself takes."""

import io
import json
import zipfile

from ops.shared import emulation
from ops.shared.aws import client

NOOP = """
def handler(event, context):
    print('{"level": "INFO", "message": "nothing done"}')  # the emulation is slower with those that print nothing
    return {"statusCode": 302, "headers": {"Location": "https://example.com/"}, "body": ""}
"""
"""The fastest that the local stack can answer."""

SENDER = """
import os

import boto3

sqs = boto3.client("sqs")

def handler(event, context):
    sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody="a click's length " * 15)
    print('{"level": "INFO", "message": "sent"}')
    return {"statusCode": 302, "headers": {"Location": "https://example.com/"}, "body": ""}
"""
"""The fastest that it can answer once a queue has accepted something."""

_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def deploy(name: str, code: str, runtime: str, memory: int) -> str:
    """Make one, with the runtime and memory of the function that it is compared with; gives its API's id.

    It has a queue that nobody reads.
    """
    queue = client("sqs").create_queue(QueueName=name)["QueueUrl"]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as source:
        source.writestr("bare.py", code)
    function = client("lambda").create_function(
        FunctionName=name,
        Runtime=runtime,
        MemorySize=memory,
        Role=_role(name),
        Handler="bare.handler",
        Code={"ZipFile": archive.getvalue()},
        Environment={"Variables": {"QUEUE_URL": queue}},
    )["FunctionArn"]
    client("lambda").add_permission(
        FunctionName=name, StatementId="api", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com"
    )
    return _put_behind_a_gateway(name, function)


def _role(name: str) -> str:
    iam = client("iam")
    role: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(_TRUST))["Role"]["Arn"]
    allowed = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": f"arn:aws:sqs:*:*:{name}"}
    policy = {"Version": "2012-10-17", "Statement": [allowed]}
    iam.put_role_policy(RoleName=name, PolicyName=name, PolicyDocument=json.dumps(policy))
    return role


def _put_behind_a_gateway(name: str, function: str) -> str:
    gateway = client("apigateway")
    api: str = gateway.create_rest_api(name=name)["id"]
    [root] = gateway.get_resources(restApiId=api)["items"]
    resource = gateway.create_resource(restApiId=api, parentId=root["id"], pathPart="{code}")["id"]
    where = {"restApiId": api, "resourceId": resource, "httpMethod": "GET"}
    gateway.put_method(**where, authorizationType="NONE")
    gateway.put_integration(
        **where,
        type="AWS_PROXY",
        integrationHttpMethod="POST",
        uri=f"arn:aws:apigateway:{emulation.REGION}:lambda:path/2015-03-31/functions/{function}/invocations",
    )
    gateway.create_deployment(restApiId=api, stageName="api")
    return api
