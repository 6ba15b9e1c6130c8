"""The only place that makes AWS clients: lazily, one of each per process, with tight time-outs.

botocore is used directly: boto3's own layer on top is resources and sessions, which nothing here uses, and importing
it would lengthen every cold start.
"""

import threading
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import botocore.session
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

_PATIENT = Config(connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 2})
# Two tries at half a second each and a pause of at most one: a visitor waits for a dead queue about two seconds.
_HASTY = Config(connect_timeout=0.5, read_timeout=0.5, retries={"mode": "standard", "total_max_attempts": 2})


# A session may not make two clients at once, and `chalice local` answers every request in a thread of its own.
_ONE_AT_A_TIME = threading.Lock()


@cache
def _session() -> botocore.session.Session:
    return botocore.session.get_session()


def _client(service: str, config: Config) -> Any:
    with _ONE_AT_A_TIME:
        return _session().create_client(service, config=config)


@cache
def dynamodb() -> "DynamoDBClient":
    """The DynamoDB client: two attempts a call, each at most 2 seconds."""
    return cast("DynamoDBClient", _client("dynamodb", _PATIENT))


@cache
def sns() -> "SNSClient":
    """The SNS client: two attempts a call, each at most 2 seconds."""
    return cast("SNSClient", _client("sns", _PATIENT))


@cache
def sqs() -> "SQSClient":
    """The SQS client: two attempts a call, each at most half a second."""
    return cast("SQSClient", _client("sqs", _HASTY))


def forget_clients() -> None:
    """Drop the clients, so that the next ones read the environment anew (another region, endpoint or credentials)."""
    for made in (_session, dynamodb, sns, sqs):
        made.cache_clear()
