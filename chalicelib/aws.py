"""The only place that makes AWS clients: lazily, one of each per process, with tight time-outs.

botocore is used directly: boto3's own layer on top is resources and sessions, which nothing here uses, and importing
it would lengthen every cold start.
"""

from functools import cache
from typing import TYPE_CHECKING, cast

import botocore.session
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

_DYNAMODB = Config(connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 2})
# Two tries at half a second each and a pause of at most one: a visitor waits for a dead queue about two seconds.
_SQS = Config(connect_timeout=0.5, read_timeout=0.5, retries={"mode": "standard", "total_max_attempts": 2})


@cache
def _session() -> botocore.session.Session:
    return botocore.session.get_session()


@cache
def dynamodb() -> "DynamoDBClient":
    """The DynamoDB client: two attempts a call, each at most 2 seconds."""
    return cast("DynamoDBClient", _session().create_client("dynamodb", config=_DYNAMODB))


@cache
def sqs() -> "SQSClient":
    """The SQS client: two attempts a call, each at most half a second."""
    return cast("SQSClient", _session().create_client("sqs", config=_SQS))


def forget_clients() -> None:
    """Drop the clients, so that the next ones read the environment anew (another region, endpoint or credentials)."""
    for made in (_session, dynamodb, sqs):
        made.cache_clear()
