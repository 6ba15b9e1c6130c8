"""AWS clients of the operator's commands: boto3's, for whatever account, region and endpoint the environment names."""

from typing import Any

import boto3
from botocore.config import Config

_CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 5})


def client(service: str) -> Any:
    """A client of an AWS service, made anew, so that it follows the environment as it is now."""
    return boto3.Session().client(service, config=_CONFIG)


def account() -> str:
    """The 12 digits of the account that we are in."""
    identity: str = client("sts").get_caller_identity()["Account"]
    return identity
