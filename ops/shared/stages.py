"""Which stage a command is about, and how to reach it."""

import json
import os
import socket
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer
from botocore.exceptions import ClientError

from chalicelib import aws as app_aws
from ops import PROJECT
from ops.shared import emulation
from ops.shared.aws import client
from ops.shared.errors import OperatorError
from ops.shared.stacks import stack_name

Stage = Annotated[str | None, typer.Option(help="The stage; without it, the local stack if it runs.")]
"""The option of a command about a stage, or about the local stack."""

LOCAL = "local"
RUN_FILE = PROJECT / ".local" / "run.json"
"""What `make run` says of the stack that it runs."""


def real_stage(stage: str) -> str:
    """Refuse a stage that nobody has described, and the one that only `make run` deploys. Raises BadParameter."""
    if stage not in _real_stages():
        raise typer.BadParameter(f"the stages that can be deployed are: {', '.join(_real_stages())}")
    return stage


def _real_stages() -> list[str]:
    return sorted(json.loads((PROJECT / ".chalice" / "config.json").read_text())["stages"].keys() - {LOCAL})


Deployed = Annotated[str, typer.Option("--stage", callback=real_stage, help="A stage of .chalice/config.json.")]
"""The option of a command about a stage that is deployed, or is to be."""


class StageUnknown(OperatorError):
    """It is not clear which stage is meant, or the stage is not there; the message says what to do."""


def connect(stage: str | None) -> str:
    """Point this process at a stage, and return its name; without one, at the local stack if it runs.

    Afterwards both the commands' AWS clients and the app's own modules work on that stage, the latter with the very
    environment that its functions have. Raises StageUnknown.
    """
    if stage is None:
        if not _local_stack_runs():
            raise StageUnknown("Say which stage: --stage dev. (Without it, a running local stack is used; none runs.)")
        stage = LOCAL
    if stage == LOCAL and "AWS_ENDPOINT_URL" not in os.environ:
        if not _local_stack_runs():
            raise StageUnknown("The local stack does not run. Start it in another terminal: make run")
        os.environ.update(emulation.environment(run_file()["aws_endpoint"]))
    os.environ.update(function_environment(stage))
    app_aws.forget_clients()
    return stage


def function_environment(stage: str) -> Mapping[str, str]:
    """The environment variables that the functions of a deployed stage have. Raises StageUnknown."""
    functions = client("lambda")
    try:
        answer = functions.get_function_configuration(FunctionName=f"{stack_name(stage)}-api_handler")
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"ResourceNotFoundException", "ValidationException"}:
            raise
        known = _real_stages()
        advice = f"Deploy it: make deploy STAGE={stage}" if stage in known else f"There may be {' and '.join(known)}."
        raise StageUnknown(f"There is no stage {stage!r} in this account and region. {advice}") from error
    environment: dict[str, str] = answer["Environment"]["Variables"]
    return environment


def address(outputs: Mapping[str, str]) -> str:
    """Where a deployed stage answers, without a slash at the end: on AWS, or where the emulated one says.

    With EDGE=true that is CloudFront, which passes on what is the API's.
    """
    if endpoint := os.environ.get("AWS_ENDPOINT_URL"):
        return emulation.deployed_url(endpoint, outputs)
    return outputs.get("EdgeURL", outputs["EndpointURL"]).rstrip("/")


def run_file() -> dict[str, Any]:
    """What .local/run.json says; empty if there is none."""
    try:
        content: dict[str, Any] = json.loads(RUN_FILE.read_text())
    except FileNotFoundError:
        return {}
    return content


def _local_stack_runs() -> bool:
    endpoint = run_file().get("aws_endpoint")
    if endpoint is None:
        return False
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", urlsplit(endpoint).port)) == 0
