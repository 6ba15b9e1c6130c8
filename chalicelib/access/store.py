"""API keys in DynamoDB: table `api_keys`, by `id`."""

import uuid
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from chalicelib import aws, clock, config
from chalicelib.access.keys import LAST_USED_GRAIN, ApiKey, Role

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef


class KeyNotFound(LookupError):
    """No key has this id."""


class KeyNotReplaced(RuntimeError):
    """A key has come to its end in another way than the one that was asked for."""


def put_key(key: ApiKey) -> None:
    """Store a new key. Raises ConditionalCheckFailedException, as ClientError, if the id is taken.

    The write carries an id of its own, by which it knows itself when its answer is lost and it is sent again.
    """
    write_id: AttributeValueTypeDef = {"S": str(uuid.uuid4())}
    item: dict[str, AttributeValueTypeDef] = {
        "id": {"S": key.id},
        "hash": {"S": key.hash},
        "owner": {"S": key.owner},
        "role": {"S": key.role.value},
        "created_at": {"S": clock.rfc3339(key.created_at)},
        "revoked": {"BOOL": key.revoked},
        "write_id": write_id,
    }
    if key.expires_at is not None:
        item["expires_at"] = {"S": clock.rfc3339(key.expires_at)}
    if key.replaced_by is not None:
        item["replaced_by"] = {"S": key.replaced_by}
    if key.last_used_at is not None:
        item["last_used_at"] = {"S": clock.rfc3339(key.last_used_at)}
    aws.dynamodb().put_item(
        TableName=config.api_keys_table(),
        Item=item,
        ConditionExpression="attribute_not_exists(id) OR write_id = :write_id",
        ExpressionAttributeValues={":write_id": write_id},
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


def replace_key(key_id: str, new_id: str, expires_at: datetime | None) -> None:
    """Let the key `new_id` take this one's place: this one expires at that time, or without one is revoked at once.

    Raises KeyNotReplaced if it is revoked, replaced by another one, or would expire before that anyway: no key's life
    is ever made longer.
    """
    dynamodb = aws.dynamodb()
    values: dict[str, AttributeValueTypeDef] = {":new": {"S": new_id}, ":no": {"BOOL": False}}
    condition = "attribute_exists(id) AND revoked = :no AND attribute_not_exists(replaced_by)"
    if expires_at is None:
        end = "revoked = :yes"
        values[":yes"] = {"BOOL": True}
    else:
        end = "expires_at = :end"
        values[":end"] = {"S": clock.rfc3339(expires_at)}
        condition += " AND (attribute_not_exists(expires_at) OR expires_at >= :end)"
    try:
        dynamodb.update_item(
            TableName=config.api_keys_table(),
            Key={"id": {"S": key_id}},
            UpdateExpression=f"SET {end}, replaced_by = :new",
            # The first half is this very write, sent again after its answer was lost.
            ConditionExpression=f"replaced_by = :new OR ({condition})",
            ExpressionAttributeValues=values,
        )
    except dynamodb.exceptions.ConditionalCheckFailedException as error:
        raise KeyNotReplaced(key_id) from error


def note_use(key_id: str, now: datetime) -> None:
    """Note that a key is in use, unless that was noted within the hour before `now`."""
    dynamodb = aws.dynamodb()
    with suppress(dynamodb.exceptions.ConditionalCheckFailedException):  # another process was quicker
        dynamodb.update_item(
            TableName=config.api_keys_table(),
            Key={"id": {"S": key_id}},
            UpdateExpression="SET last_used_at = :now",
            ConditionExpression=(
                "attribute_exists(id) AND (attribute_not_exists(last_used_at) OR last_used_at < :an_hour_ago)"
            ),
            ExpressionAttributeValues={
                ":now": {"S": clock.rfc3339(now)},
                ":an_hour_ago": {"S": clock.rfc3339(now - LAST_USED_GRAIN)},
            },
        )


def _from_item(item: "dict[str, AttributeValueTypeDef]") -> ApiKey:
    return ApiKey(
        id=item["id"]["S"],
        hash=item["hash"]["S"],
        owner=item["owner"]["S"],
        role=Role(item["role"]["S"]),
        created_at=_time(item["created_at"]["S"]),
        expires_at=_time(item["expires_at"]["S"]) if "expires_at" in item else None,
        revoked=item["revoked"]["BOOL"],
        replaced_by=item["replaced_by"]["S"] if "replaced_by" in item else None,
        last_used_at=_time(item["last_used_at"]["S"]) if "last_used_at" in item else None,
    )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
