"""A function that does nothing, behind an API Gateway of its own: the fastest that the local stack can answer."""

import io
import json
import zipfile

from ops import emulator
from ops.aws import client

_CODE = """
def handler(event, context):
    print('{"level": "INFO", "message": "nothing done"}')  # the emulation is slower with those that print nothing
    return {"statusCode": 302, "headers": {"Location": "https://example.com/"}, "body": ""}
"""
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def deploy(runtime: str, memory: int) -> str:
    """Make it, with the runtime and memory of the function that it is compared with; gives the API's id."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as source:
        source.writestr("noop.py", _CODE)
    role = client("iam").create_role(RoleName="noop", AssumeRolePolicyDocument=json.dumps(_TRUST))["Role"]["Arn"]
    function = client("lambda").create_function(
        FunctionName="noop",
        Runtime=runtime,
        MemorySize=memory,
        Role=role,
        Handler="noop.handler",
        Code={"ZipFile": archive.getvalue()},
    )["FunctionArn"]
    client("lambda").add_permission(
        FunctionName="noop", StatementId="api", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com"
    )
    return _put_behind_a_gateway(function)


def _put_behind_a_gateway(function: str) -> str:
    gateway = client("apigateway")
    api: str = gateway.create_rest_api(name="noop")["id"]
    [root] = gateway.get_resources(restApiId=api)["items"]
    resource = gateway.create_resource(restApiId=api, parentId=root["id"], pathPart="{code}")["id"]
    where = {"restApiId": api, "resourceId": resource, "httpMethod": "GET"}
    gateway.put_method(**where, authorizationType="NONE")
    gateway.put_integration(
        **where,
        type="AWS_PROXY",
        integrationHttpMethod="POST",
        uri=f"arn:aws:apigateway:{emulator.REGION}:lambda:path/2015-03-31/functions/{function}/invocations",
    )
    gateway.create_deployment(restApiId=api, stageName="api")
    return api
