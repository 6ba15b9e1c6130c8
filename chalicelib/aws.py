"""The only place that makes AWS clients: lazily, one of each per process, with tight time-outs."""

import threading
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

# A session may not make two clients at once, and `chalice local` answers every request in a thread of its own.
_ONE_AT_A_TIME = threading.Lock()


def dynamodb(attempts: int = 2) -> "DynamoDBClient":
    """The DynamoDB client: so many attempts a call, each at most a second to connect and two to be answered."""
    return cast("DynamoDBClient", _client("dynamodb", 1, 2, attempts))


def sns() -> "SNSClient":
    """The SNS client: two attempts a call, each at most a second to connect and two to be answered."""
    return cast("SNSClient", _client("sns", 1, 2, 2))


def sqs(attempts: int = 2) -> "SQSClient":
    """The SQS client: so many attempts a call, each at most half a second.

    With two of them and a pause of at most one second, a visitor waits for a dead queue about two seconds.
    """
    return cast("SQSClient", _client("sqs", 0.5, 0.5, attempts))


def forget_clients() -> None:
    """Drop the clients, so that the next ones follow the environment as it is then: region, endpoint, credentials."""
    for made in (_session, _client):
        made.cache_clear()


@cache
def _client(service: Any, connecting: float, reading: float, attempts: int) -> Any:
    retries: Any = {"mode": "standard", "total_max_attempts": attempts}
    limits = Config(connect_timeout=connecting, read_timeout=reading, retries=retries)
    with _ONE_AT_A_TIME:
        return _session().client(service, config=limits)


@cache
def _session() -> boto3.Session:
    return boto3.Session()
