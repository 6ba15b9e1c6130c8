"""API keys in DynamoDB: table `api_keys`, by `id`."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from chalicelib import aws, clock, config
from chalicelib.access.keys import ApiKey, Role

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef


class KeyNotFound(LookupError):
    """No key has this id."""


def put_key(key: ApiKey) -> None:
    """Store a new key. Raises ConditionalCheckFailedException, as ClientError, if the id is taken."""
    item: dict[str, AttributeValueTypeDef] = {
        "id": {"S": key.id},
        "hash": {"S": key.hash},
        "owner": {"S": key.owner},
        "role": {"S": key.role.value},
        "created_at": {"S": clock.rfc3339(key.created_at)},
        "revoked": {"BOOL": key.revoked},
    }
    if key.expires_at is not None:
        item["expires_at"] = {"S": clock.rfc3339(key.expires_at)}
    aws.dynamodb().put_item(
        TableName=config.api_keys_table(), Item=item, ConditionExpression="attribute_not_exists(id)"
    )


def find_key(key_id: str) -> ApiKey | None:
    """The key with this id, read consistently, so that a revocation holds from the moment it is made."""
    answer = aws.dynamodb().get_item(TableName=config.api_keys_table(), Key={"id": {"S": key_id}}, ConsistentRead=True)
    return _from_item(answer["Item"]) if "Item" in answer else None


def list_keys() -> Iterator[ApiKey]:
    """Every key, in no order. For the operator: it scans the table."""
    for page in aws.dynamodb().get_paginator("scan").paginate(TableName=config.api_keys_table()):
        yield from map(_from_item, page["Items"])


def revoke_key(key_id: str) -> None:
    """Make a key useless for ever. Raises KeyNotFound if there is none."""
    dynamodb = aws.dynamodb()
    try:
        dynamodb.update_item(
            TableName=config.api_keys_table(),
            Key={"id": {"S": key_id}},
            UpdateExpression="SET revoked = :yes",
            ConditionExpression="attribute_exists(id)",
            ExpressionAttributeValues={":yes": {"BOOL": True}},
        )
    except dynamodb.exceptions.ConditionalCheckFailedException as error:
        raise KeyNotFound(key_id) from error


def _from_item(item: "dict[str, AttributeValueTypeDef]") -> ApiKey:
    return ApiKey(
        id=item["id"]["S"],
        hash=item["hash"]["S"],
        owner=item["owner"]["S"],
        role=Role(item["role"]["S"]),
        created_at=_time(item["created_at"]["S"]),
        expires_at=_time(item["expires_at"]["S"]) if "expires_at" in item else None,
        revoked=item["revoked"]["BOOL"],
    )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
