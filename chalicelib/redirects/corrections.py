"""Writes to the redirect cache by those who have looked at the list of blocked domains, and not at the link alone."""

from typing import NamedTuple

from chalicelib import aws, config
from chalicelib.links.link import Link
from chalicelib.links.status import Status
from chalicelib.redirects.cache import Redirect, redirect_in, target_attribute, to_item


class Correction(NamedTuple):
    """An entry that was written over, or that there was none."""

    before: Redirect | None
    after: Redirect


def correct_redirect(redirect: Redirect) -> Correction | None:
    """Cache a redirect unless the very same or a newer version is there; None if so.

    For who has read the link and the list of blocked domains: what is cached of that version gives way.
    """
    dynamodb = aws.dynamodb()
    item = to_item(redirect)
    target = target_attribute(redirect)
    differs = (
        "#status <> :status OR attribute_not_exists(layout) OR layout <> :layout "
        "OR attribute_not_exists(#target) OR #target <> :target"
    )
    try:
        answer = dynamodb.put_item(
            TableName=config.redirects_table(),
            Item=item,
            ConditionExpression=(
                f"attribute_not_exists(code) OR version < :version OR (version = :version AND ({differs}))"
            ),
            ExpressionAttributeNames={"#status": "status", "#target": target},
            ExpressionAttributeValues={
                ":version": item["version"],
                ":status": item["status"],
                ":layout": item["layout"],
                ":target": item[target],
            },
            ReturnValues="ALL_OLD",
        )
    except dynamodb.exceptions.ConditionalCheckFailedException:
        return None
    return Correction(redirect_in(answer["Attributes"]) if "Attributes" in answer else None, redirect)


def block_redirect(link: Link) -> bool:
    """Have a link answer that it is blocked, unless something newer is cached, or its deletion; whether it does.

    Whoever caches the same version after this is refused by `put_redirect`, so that it stays blocked until it changes.
    """
    dynamodb = aws.dynamodb()
    try:
        dynamodb.put_item(
            TableName=config.redirects_table(),
            Item=to_item(Redirect.of(link)._replace(status=Status.BLOCKED)),
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
