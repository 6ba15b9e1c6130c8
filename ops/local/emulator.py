"""The emulated AWS (ministack), as a process of its own on this machine, and where it differs from AWS.

Differences that Linkly has to know of, all of them:

- It does not read the gateway responses in an API's definition: they are put one by one after a deployment.
- It knows SQS's batch calls as IAM actions of their own, which AWS does not: they are granted after a deployment.
- It does not say which attributes a write names (dynamodb:Attributes): that condition is dropped after a deployment.
- It speaks plain HTTP, which the policies of queues and topics forbid: it is told that every request came over HTTPS.
- It is stopped and started again, and AWS never is. `emulator_process.py` sees to it that nothing is lost by that. What
  remains: a process that is killed goes back to where it was stopped last; and what a function has not finished half a
  minute after the stop comes again when the visibility time-out of its queue is over, or not if it is from a topic.
- It delivers a topic's message to a function once, whatever becomes of it: AWS tries twice more. It kills functions at
  work when their code is replaced, which AWS lets finish.
- It throttles all of a stage as the template says, but not one path: it takes that as UpdateStage writes it only.
- Its API Gateway answers below a path of its own: `deployed_url` in ops/shared/emulation.py. It leaves the header
  WWW-Authenticate as it is, which AWS renames to x-amzn-Remapped-WWW-Authenticate on its way out:
  https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
- Its CloudFront signs nothing: a function's URL that wants signatures is opened to everybody after a deployment, and
  nothing is seen of what AWS does with a signature, of a `+` in a path or of a body. It says no visitor's country,
  caches nothing, repeats nothing, and gives nobody another visitor's answer. It is told to answer below a path too, and
  to ask its own API Gateway: `emulator_process.py`.
- It knows no alarm that divides one metric by another: a stage with EDGE=true is deployed there with ALARMS=none.
- It lets a function run more often at once than is reserved for it: nobody gets 429 for that.
- The URLs of its queues have its port in them, stored ones too: `make run` refuses another port than last time.
- It has no metrics of SQS, Lambda and API Gateway: alarms are there, and never go off.
- Its API Gateway writes no access log.
- Its Lambda writes the text lines START, END and REPORT about each invocation, and heeds no LoggingConfig.
- It restores a table as it is now, whatever the time that it is asked for.
- It shows 10,000 lines of a log at once and no way to more; the functions' lines have no ids.
- Its CloudFormation watches no alarms during an update, and sees no change in a template whose outputs only differ.
- It ignores the batching window of an event source mapping, and never raises a TransactionConflict.
- Its SNS calls a function once and drops the event if that fails, instead of invoking it asynchronously, which Lambda
  tries three times and ends in the on-failure destination. Nor does SNS heed the redrive policy of a subscription.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from ops import PROJECT
from ops.deploying.deployment import Deployment
from ops.shared.aws import client
from ops.shared.errors import OperatorError

PYTHON = PROJECT / ".venv-aws" / "bin" / "python"
PROCESS = Path(__file__).with_name("emulator_process.py")

HIGHEST_PORT = 65535

SECONDS_TO_START = 30
SECONDS_TO_STOP = 60
"""Half of which the emulated AWS may wait for functions to finish, before it writes its state down."""


class PortTaken(OperatorError):
    """Another program listens where we want to; the message says what to do about it."""


class EmulatorFailed(OperatorError):
    """The emulated AWS did not start; the message shows the end of its log."""


def require_free_port(port: int, setting: str) -> None:
    """Raise PortTaken if something listens on `port`; `setting` is the variable that chooses another one."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise PortTaken(
                f"Port {port} is taken by another program. "
                f"Stop it, or choose another port: {setting}={port + 1} make run"
            ) from error


@contextmanager
def emulated_aws(port: int, directory: Path, *, lambda_endpoint: str | None = None) -> Iterator[str]:
    """Run the emulated AWS with IAM enforced and its state in `directory`; gives its endpoint, stops it at the end.

    `lambda_endpoint` is where the Lambda functions find AWS instead, such as a proxy in front of it.
    Raises PortTaken or EmulatorFailed.
    """
    require_free_port(port, "AWS_PORT")
    temporary = directory / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    log_path = directory / "emulator.log"
    endpoint = f"http://localhost:{port}"
    settings = {
        "PATH": os.defpath,
        "HOME": str(directory),
        "TMPDIR": str(temporary),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "localhost",
        "GATEWAY_PORT": str(port),
        "AUTH": "true",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "PERSIST_STATE": "1",
        "S3_PERSIST": "1",
        "STATE_DIR": str(directory / "state"),
        "S3_DATA_DIR": str(directory / "s3"),
    }
    if lambda_endpoint:
        settings["AWS_ENDPOINT_URL"] = lambda_endpoint
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [PYTHON, "-P", PROCESS],
            env=settings,
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # so that Ctrl-C reaches us, and we stop it in order
        )
    try:
        _wait_until_it_answers(endpoint, process, log_path)
        yield endpoint
    finally:
        stop(process)


def stop(process: "subprocess.Popen[Any]") -> None:
    """End a process that leads a session of its own, and everything that it has started."""
    process.terminate()
    try:
        process.wait(SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        print(f"process {process.pid} did not stop in {SECONDS_TO_STOP} seconds and was killed", file=sys.stderr)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def complete(deployment: Deployment) -> None:
    """Do after a deployment what AWS does by itself; see the differences above."""
    _put_gateway_responses(deployment.template, deployment.outputs["RestAPIId"])
    if "EdgeURL" in deployment.outputs:
        _open_url(deployment.template["Resources"]["FollowLink"]["Properties"]["FunctionName"])
    for function in client("lambda").list_functions()["Functions"]:
        _adapt_policies(function["Role"].rpartition("/")[2])


def _open_url(function: str) -> None:
    functions = client("lambda")
    functions.update_function_url_config(FunctionName=function, AuthType="NONE")
    with suppress(functions.exceptions.ResourceConflictException):  # of a deployment before
        functions.add_permission(
            FunctionName=function,
            StatementId="everybody",
            Action="lambda:InvokeFunctionUrl",
            Principal="*",
            FunctionUrlAuthType="NONE",
        )


def _put_gateway_responses(template: Mapping[str, Any], api_id: str) -> None:
    apigateway = client("apigateway")
    definition = template["Resources"]["RestAPI"]["Properties"]["Body"]
    for response_type, response in definition["x-amazon-apigateway-gateway-responses"].items():
        apigateway.put_gateway_response(
            restApiId=api_id,
            responseType=response_type,
            statusCode=str(response["statusCode"]),
            responseParameters=response["responseParameters"],
            responseTemplates=response["responseTemplates"],
        )
    apigateway.create_deployment(restApiId=api_id, stageName="api")


def _adapt_policies(role: str) -> None:
    iam = client("iam")
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        policy = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for statement in policy["Statement"]:
            if "sqs:ChangeMessageVisibility" in statement["Action"]:
                statement["Action"].append("sqs:ChangeMessageVisibilityBatch")
            if "dynamodb:UpdateItem" in statement["Action"]:
                statement.pop("Condition", None)
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(policy))


def _wait_until_it_answers(endpoint: str, process: "subprocess.Popen[bytes]", log_path: Path) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(f"{endpoint}/_ministack/health", timeout=2).raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    end_of_log = log_path.read_text(errors="replace")[-2000:]
    raise EmulatorFailed(f"The emulated AWS did not start. The end of {log_path}:\n{end_of_log}")
