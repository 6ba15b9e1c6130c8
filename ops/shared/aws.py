"""AWS clients of the operator's commands: boto3's, for whatever account, region and endpoint the environment names."""

from functools import cache
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.loaders import Loader, create_loader

from ops.shared.errors import OperatorError

_CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 5})


class NotConnected(OperatorError):
    """The environment does not say to which account or region to go."""


def client(service: str, config: Config = _CONFIG) -> Any:
    """A new client of an AWS service, which follows the environment as it is now. Raises NotConnected."""
    core = botocore.session.get_session()
    core.register_component("data_loader", _loader())
    session = boto3.Session(botocore_session=core)
    if session.region_name is None:
        raise NotConnected("No AWS region is set. Say which, for example: export AWS_DEFAULT_REGION=eu-central-1")
    if session.get_credentials() is None:
        raise NotConnected("No AWS credentials are found. Sign in, or set AWS_PROFILE.")
    return session.client(service, config=config)


@cache
def _loader() -> Loader:
    """Reads what botocore knows of AWS once for all clients; that takes longer than all else that makes a client."""
    return create_loader()


def account() -> str:
    """The 12 digits of the account that we are in."""
    identity: str = client("sts").get_caller_identity()["Account"]
    return identity
