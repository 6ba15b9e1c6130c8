"""AWS clients of the operator's commands: boto3's, for whatever account, region and endpoint the environment names."""

import os
import threading
from functools import lru_cache
from typing import Any

import boto3
from botocore.config import Config

from ops.shared.errors import OperatorError

_CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 5})

# A session may not make two clients at once.
_ONE_AT_A_TIME = threading.Lock()


class NotConnected(OperatorError):
    """The environment does not say to which account or region to go."""


def client(service: str, config: Config = _CONFIG) -> Any:
    """A new client of an AWS service, for the AWS_ variables as they are now. Raises NotConnected."""
    with _ONE_AT_A_TIME:
        session = _session(tuple(sorted(item for item in os.environ.items() if item[0].startswith("AWS_"))))
        if session.region_name is None:
            raise NotConnected("No AWS region is set. Say which, for example: export AWS_DEFAULT_REGION=eu-central-1")
        if session.get_credentials() is None:
            raise NotConnected("No AWS credentials are found. Sign in, or set AWS_PROFILE.")
        return session.client(service, config=config)


@lru_cache(maxsize=1)
def _session(environment: tuple[tuple[str, str], ...]) -> boto3.Session:  # noqa: ARG001 (another one, another session)
    """One for all clients: a new one reads what botocore knows of AWS again, and asks again for a second factor."""
    return boto3.Session()


def account() -> str:
    """The 12 digits of the account that we are in."""
    identity: str = client("sts").get_caller_identity()["Account"]
    return identity
