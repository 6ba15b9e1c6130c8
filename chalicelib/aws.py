"""The only place that makes AWS clients: lazily, one of each per process, with tight time-outs.

botocore is used directly: boto3's own layer on top is resources and sessions, which nothing here uses, and importing
it would lengthen every cold start. So would most of botocore's data, of which MODELS has what we need: a client can do
what ops/local/models.py lists, and nothing else.
"""

import threading
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import botocore.session
from botocore.config import Config
from botocore.exceptions import DataNotFoundError
from botocore.loaders import Loader, create_loader

from chalicelib import config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

_PATIENT = Config(connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 2})
# Two tries at half a second each and a pause of at most one: a visitor waits for a dead queue about two seconds.
_HASTY = Config(connect_timeout=0.5, read_timeout=0.5, retries={"mode": "standard", "total_max_attempts": 2})


# A session may not make two clients at once, and `chalice local` answers every request in a thread of its own.
_ONE_AT_A_TIME = threading.Lock()


MODELS = Path(__file__).parent / "models"
"""What botocore knows of the services that we call, written by `python -m ops models`."""


class _OwnModelsFirst(Loader):
    """Finds botocore's data in MODELS, or else where botocore keeps it.

    botocore's own way, given MODELS as one more folder, would still open the folders of all 400 services for each
    client: https://github.com/boto/botocore/blob/1.44.5/botocore/loaders.py#L279
    """

    def __init__(self) -> None:
        super().__init__([str(MODELS)], include_default_search_paths=False)
        self._everything = create_loader()

    def load_service_model(self, service_name: str, type_name: str, api_version: str | None = None) -> Any:
        try:
            return super().load_service_model(service_name, type_name, api_version)
        except DataNotFoundError:
            return self._everything.load_service_model(service_name, type_name, api_version)

    def load_data_with_path(self, name: str) -> Any:
        try:
            return super().load_data_with_path(name)
        except DataNotFoundError:
            return self._everything.load_data_with_path(name)

    def is_builtin_path(self, path: str) -> bool:
        return Path(path).is_relative_to(MODELS) or self._everything.is_builtin_path(path)


@cache
def _loader() -> Loader:
    return _OwnModelsFirst()


@cache
def _session() -> botocore.session.Session:
    session = botocore.session.get_session()
    session.register_component("data_loader", _loader())
    return session


def _client(service: str, limits: Config) -> Any:
    with _ONE_AT_A_TIME:
        session = _session()
        return session.create_client(service, config=limits, verify=_authorities(session))


def _authorities(session: botocore.session.Session) -> str | None:
    """The certificate authorities that vouch for AWS: in Lambda Amazon's own, five of them. None for botocore's 126.

    They are read again for each connection (https://github.com/urllib3/urllib3/issues/3623). Amazon recommends these
    five to whoever keeps a list of their own (https://www.amazontrust.com/repository/), but says nothing of China.
    """
    chosen = session.get_config_variable("ca_bundle")
    region = session.get_config_variable("region") or ""
    if chosen or region.startswith("cn-") or not config.runs_in_lambda():
        return None
    return str(MODELS / "amazon-roots.pem")


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
