"""The tables and queues of infra/template.yaml, made in moto: nothing of what they are is written a second time."""

import copy
import copyreg
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import boto3
import yaml
from boto3.dynamodb.types import TypeDeserializer
from moto.core import responses
from moto.core.base_backend import BackendDict
from moto.core.models import botocore_stubber

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

ROOT = Path(__file__).parents[1]
REGION = "eu-central-1"
ACCOUNT = "123456789012"  # moto's own
BASE_URL = "https://go.example.com"
CLICK_QUEUE, CLICK_DEAD_LETTER_QUEUE = "ClickQueue", "ClickDeadLetterQueue"

_GIVEN = {"Stage": "test", "BaseUrl": BASE_URL, "DomainName": "", "PurgeDelaySeconds": "0"}


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms too: `!Ref X` as `{"Ref": "X"}`."""


def _long_form(loader: yaml.SafeLoader, function: str, node: yaml.ScalarNode | yaml.SequenceNode) -> dict[str, Any]:
    if isinstance(node, yaml.SequenceNode):
        return {f"Fn::{function}": loader.construct_sequence(node, deep=True)}
    text = loader.construct_scalar(node)
    match function:
        case "Ref":
            return {"Ref": text}
        case "GetAtt":
            return {"Fn::GetAtt": text.split(".")}
        case _:
            return {f"Fn::{function}": text}


_Loader.add_multi_constructor("!", _long_form)


@cache
def template() -> dict[str, Any]:
    """infra/template.yaml, with CloudFormation's functions in their long form."""
    loaded: dict[str, Any] = yaml.load(
        (ROOT / "infra" / "template.yaml").read_text(),
        Loader=_Loader,  # noqa: S506 (a SafeLoader)
    )
    return loaded


@cache
def environment() -> Mapping[str, str]:
    """The environment variables that the functions get."""
    variables = _resolve(template()["Globals"]["Function"]["Environment"]["Variables"])
    return {name: str(value) for name, value in variables.items()}


@contextmanager
def emulated_aws() -> Iterator[None]:
    """An AWS in moto that has every table, queue and topic of the template, empty, and nothing else.

    It is made once, and then copied, which takes two milliseconds where making it takes seventy. So is what `mock_aws`
    does beyond switching moto on: it prepares for other libraries than botocore.
    """
    botocore_stubber.enabled = True
    try:
        _renew(_as_made())
        yield
    finally:
        botocore_stubber.enabled = False


# moto would look through all names of a class again for each call.
responses.method_names_from_class = cache(responses.method_names_from_class)  # type: ignore[attr-defined]

States = Mapping[tuple[str, str, str], Mapping[str, Any]]
"""What moto holds, by service, account and region."""

# A queue of moto's has one, and nothing that waits for a lock can be copied; a copy gets one of its own.
copyreg.pickle(threading.Condition, lambda _: (threading.Condition, ()))


@cache
def _as_made() -> States:
    _create()
    return {key: _copied(backend.__dict__, backend) for key, backend in _backends()}


def _renew(states: States) -> None:
    for key, backend in _backends():
        if key in states:
            backend.__dict__ = _copied(states[key], backend)
        else:  # a service, or a region, that only the last test has used
            backend.reset()


def _backends() -> Iterator[tuple[tuple[str, str, str], Any]]:
    for service in vars(BackendDict)["_instances"]:
        for account, regions in service.items():
            for region, backend in regions.items():
                yield (service.service_name, account, region), backend


def _copied(state: Mapping[str, Any], backend: Any) -> dict[str, Any]:
    """A copy of a backend's state, whose parts know the backend itself and no copy of it."""
    return copy.deepcopy({**state}, {id(backend): backend})


def _create() -> None:
    for properties in _properties_of("AWS::DynamoDB::Table").values():
        _create_table(properties)
    # A queue must be there before another one sends its dead letters to it.
    for properties in sorted(_properties_of("AWS::SQS::Queue").values(), key=lambda each: "RedrivePolicy" in each):
        _create_queue(properties)
    for properties in _properties_of("AWS::SNS::Topic").values():
        _create_topic(properties)
    for name, properties in _properties_of("AWS::SNS::Subscription").items():
        if "Condition" not in template()["Resources"][name]:
            _create_subscription(properties)


def items(table: str) -> list[dict[str, Any]]:
    """All items of the table whose name is in this environment variable, by their keys."""
    name = environment()[table]
    keys = _keys(name)
    pages = dynamodb().get_paginator("scan").paginate(TableName=name)
    deserialize = TypeDeserializer().deserialize
    found = [{key: deserialize(value) for key, value in item.items()} for page in pages for item in page["Items"]]
    return sorted(found, key=lambda item: [item[key] for key in keys])


@cache
def _keys(table: str) -> list[str]:
    """The names of a table's key attributes, the hash key first."""
    [schema] = [
        each["KeySchema"] for each in _properties_of("AWS::DynamoDB::Table").values() if each["TableName"] == table
    ]
    return [key["AttributeName"] for key in schema]


def queue_url(queue: str) -> str:
    """The URL of the queue with this name in the template."""
    return _reference(queue)


def properties(resource: str) -> dict[str, Any]:
    """What a resource of the template is made with."""
    found: dict[str, Any] = _resolve(template()["Resources"][resource]["Properties"])
    return found


def receive(queue: str = CLICK_QUEUE) -> list[dict[str, Any]]:
    """The visible messages of a queue, as the records of an SQS event."""
    records: list[dict[str, Any]] = []
    while (
        messages := sqs()
        .receive_message(QueueUrl=queue_url(queue), MaxNumberOfMessages=10, AttributeNames=["All"])
        .get("Messages")
    ):
        records += [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "attributes": message["Attributes"],
                "body": message["Body"],
            }
            for message in messages
        ]
    return records


@cache
def dynamodb() -> "DynamoDBClient":
    """A client of the tests' own: what it does is neither recorded nor broken by tests/faults.py."""
    return cast("DynamoDBClient", boto3.client("dynamodb", region_name=REGION))


@cache
def sns() -> "SNSClient":
    """As above, for topics."""
    return cast("SNSClient", boto3.client("sns", region_name=REGION))


@cache
def sqs() -> "SQSClient":
    """As above, for queues."""
    return cast("SQSClient", boto3.client("sqs", region_name=REGION))


def _create_topic(properties: dict[str, Any]) -> None:
    # moto would want the key to be there that AWS makes by itself.
    sns().create_topic(Name=properties["TopicName"])


def _create_subscription(properties: dict[str, Any]) -> None:
    sns().subscribe(
        TopicArn=properties["TopicArn"],
        Protocol=properties["Protocol"],
        Endpoint=properties["Endpoint"],
        Attributes={
            "RawMessageDelivery": json.dumps(properties["RawMessageDelivery"]),
            "FilterPolicy": json.dumps(properties["FilterPolicy"]),
            "RedrivePolicy": json.dumps(properties["RedrivePolicy"]),
        },
    )


def _create_table(properties: dict[str, Any]) -> None:
    rest = dict(properties)
    # Of backups nothing can be seen in moto.
    rest.pop("PointInTimeRecoverySpecification", None)
    # CloudFormation says less where the API has to be told all, and in one piece what the API takes in two.
    if "StreamSpecification" in rest:
        rest["StreamSpecification"]["StreamEnabled"] = True
    expiry = rest.pop("TimeToLiveSpecification", None)
    dynamodb().create_table(**rest)
    if expiry:
        dynamodb().update_time_to_live(TableName=rest["TableName"], TimeToLiveSpecification=expiry)


def _create_queue(properties: dict[str, Any]) -> None:
    rest = dict(properties)
    name = rest.pop("QueueName")
    # An attribute is a text: 370, true or the JSON of the redrive policy.
    attributes: Any = {key: value if isinstance(value, str) else json.dumps(value) for key, value in rest.items()}
    sqs().create_queue(QueueName=name, Attributes=attributes)


def _properties_of(kind: str) -> dict[str, dict[str, Any]]:
    resources = template()["Resources"].items()
    return {name: _resolve(resource["Properties"]) for name, resource in resources if resource.get("Type") == kind}


def _resolve(node: Any) -> Any:  # noqa: PLR0911 (one for each function)
    """The node with CloudFormation's functions worked out, as far as this template uses them."""
    match node:
        case {"Ref": name}:
            return _reference(name)
        case {"Fn::Sub": str(text)}:
            return re.sub(r"\$\{(\w+)\}", lambda found: _reference(found[1]), text)
        case {"Fn::GetAtt": [name, "Arn"]}:
            return _arn(name)
        case {"Fn::FindInMap": [mapping, first, second]}:
            return template()["Mappings"][mapping][_resolve(first)][second]
        case {"Fn::If": [condition, then, otherwise]}:
            return _resolve(then if _holds(template()["Conditions"][condition]) else otherwise)
        case dict():
            return {key: _resolve(value) for key, value in node.items()}
        case list():
            return [_resolve(value) for value in node]
        case _:
            return node


def _holds(condition: Any) -> bool:
    match condition:
        case {"Fn::Not": [inner]}:
            return not _holds(inner)
        case {"Fn::Equals": [one, other]}:
            return bool(_resolve(one) == _resolve(other))
        case _:
            raise NotImplementedError(f"Does {condition} hold?")


def _reference(name: str) -> str:
    if name in _GIVEN:
        return _GIVEN[name]
    if parameter := template()["Parameters"].get(name):
        return str(parameter["Default"])
    resource = template()["Resources"][name]
    match resource["Type"]:
        case "AWS::DynamoDB::Table":
            return str(_resolve(resource["Properties"]["TableName"]))
        case "AWS::SNS::Topic":
            return f"arn:aws:sns:{REGION}:{ACCOUNT}:{_resolve(resource['Properties']['TopicName'])}"
        case "AWS::SQS::Queue":
            return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{_resolve(resource['Properties']['QueueName'])}"
        case kind:
            raise NotImplementedError(f"What is the Ref of a {kind}?")


def _arn(queue: str) -> str:
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{_resolve(template()['Resources'][queue]['Properties']['QueueName'])}"
