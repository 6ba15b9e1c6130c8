"""The redirect cache in DynamoDB: table `redirects`, by `code`.

A copy of what a redirect needs to know of a link. An entry is replaced only by a newer version, so that it does not
matter in which order its writers come. At the same version it changes only between what the list of blocked domains
says: whoever writes that has looked at the link and at the list.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, Self

from chalicelib import aws, config
from chalicelib.links.link import Link, Status

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef


@dataclass(frozen=True, slots=True)
class Redirect:
    """Where a code leads."""

    code: str
    url: str
    status: Status
    version: int

    @classmethod
    def of(cls, link: Link) -> Self:
        """The redirect that a link asks for."""
        return cls(link.code, link.url, link.status, link.version)


class Correction(NamedTuple):
    """An entry that was written over, or that there was none."""

    before: Redirect | None
    after: Redirect


def find_redirect(code: str) -> Redirect | None:
    """The cached redirect, which may be a moment old (an eventually consistent read), or None."""
    answer = aws.dynamodb().get_item(TableName=config.redirects_table(), Key={"code": {"S": code}})
    return _from_item(answer["Item"]) if "Item" in answer else None


def put_redirect(redirect: Redirect) -> bool:
    """Cache a redirect unless the same or a newer version is there; whether it was written."""
    dynamodb = aws.dynamodb()
    try:
        dynamodb.put_item(
            TableName=config.redirects_table(),
            Item=_to_item(redirect),
            ConditionExpression="attribute_not_exists(code) OR version < :version",
            ExpressionAttributeValues={":version": {"N": str(redirect.version)}},
        )
    except dynamodb.exceptions.ConditionalCheckFailedException:
        return False
    return True


def correct_redirect(redirect: Redirect) -> Correction | None:
    """Cache a redirect unless the very same or a newer version is there; None if so.

    For who has read the link and the list of blocked domains: what is cached of that version gives way.
    """
    dynamodb = aws.dynamodb()
    try:
        answer = dynamodb.put_item(
            TableName=config.redirects_table(),
            Item=_to_item(redirect),
            ConditionExpression=(
                "attribute_not_exists(code) OR version < :version "
                "OR (version = :version AND (#status <> :status OR #url <> :url))"
            ),
            ExpressionAttributeNames={"#status": "status", "#url": "url"},
            ExpressionAttributeValues={
                ":version": {"N": str(redirect.version)},
                ":status": {"S": redirect.status.value},
                ":url": {"S": redirect.url},
            },
            ReturnValues="ALL_OLD",
        )
    except dynamodb.exceptions.ConditionalCheckFailedException:
        return None
    return Correction(_from_item(answer["Attributes"]) if "Attributes" in answer else None, redirect)


def block_redirect(link: Link) -> bool:
    """Have a link answer that it is blocked, unless something newer is cached, or its deletion; whether it does.

    Whoever caches the same version after this is refused by `put_redirect`, so that it stays blocked until it changes.
    """
    dynamodb = aws.dynamodb()
    try:
        dynamodb.put_item(
            TableName=config.redirects_table(),
            Item=_to_item(replace(Redirect.of(link), status=Status.BLOCKED)),
            ConditionExpression=(
                "attribute_not_exists(code) OR version < :version OR (version = :version AND #status <> :deleted)"
            ),
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={
                ":version": {"N": str(link.version)},
                ":deleted": {"S": Status.DELETED.value},
            },
        )
    except dynamodb.exceptions.ConditionalCheckFailedException:
        return False
    return True


def unblock_redirect(link: Link) -> bool:
    """Have a link redirect again that is blocked at its present version; whether it was."""
    dynamodb = aws.dynamodb()
    try:
        dynamodb.update_item(
            TableName=config.redirects_table(),
            Key={"code": {"S": link.code}},
            UpdateExpression="SET #status = :active",
            ConditionExpression="#status = :blocked AND version = :version",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={
                ":active": {"S": Status.ACTIVE.value},
                ":blocked": {"S": Status.BLOCKED.value},
                ":version": {"N": str(link.version)},
            },
        )
    except dynamodb.exceptions.ConditionalCheckFailedException:
        return False
    return True


def _to_item(redirect: Redirect) -> "dict[str, AttributeValueTypeDef]":
    return {
        "code": {"S": redirect.code},
        "url": {"S": redirect.url},
        "status": {"S": redirect.status.value},
        "version": {"N": str(redirect.version)},
    }


def _from_item(item: "dict[str, AttributeValueTypeDef]") -> Redirect:
    return Redirect(
        code=item["code"]["S"],
        url=item["url"]["S"],
        status=Status(item["status"]["S"]),
        version=int(item["version"]["N"]),
    )
