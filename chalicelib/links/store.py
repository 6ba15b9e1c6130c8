"""Links in DynamoDB: table `links`, by `code`. A question about the present is asked in the write itself."""

import uuid
from datetime import datetime
from typing import TYPE_CHECKING

from chalicelib import aws, clock, config
from chalicelib.links.codes import is_code
from chalicelib.links.link import Link, Status
from chalicelib.problems import CodeTaken, LinkNotFound

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef


def insert_link(link: Link) -> None:
    """Store a new link. Raises CodeTaken if the code is, or ever was, another link's.

    The write carries an id of its own. If its answer is lost and botocore sends it again, the second attempt finds the
    first one's item under that id, and knows that the code is taken by nobody but itself.
    """
    dynamodb = aws.dynamodb()
    write_id = str(uuid.uuid4())
    try:
        dynamodb.put_item(
            TableName=config.links_table(),
            Item={**_to_item(link), "write_id": {"S": write_id}},
            ConditionExpression="attribute_not_exists(code) OR write_id = :write_id",
            ExpressionAttributeValues={":write_id": {"S": write_id}},
        )
    except dynamodb.exceptions.ConditionalCheckFailedException as error:
        raise CodeTaken(link.code) from error


def read_link(code: str) -> Link:
    """The link with this code, as of now (a consistent read), deleted or not. Raises LinkNotFound."""
    if not is_code(code):
        raise LinkNotFound(code)
    answer = aws.dynamodb().get_item(TableName=config.links_table(), Key={"code": {"S": code}}, ConsistentRead=True)
    if "Item" not in answer:
        raise LinkNotFound(code)
    return _from_item(answer["Item"])


def _to_item(link: Link) -> "dict[str, AttributeValueTypeDef]":
    return {
        "code": {"S": link.code},
        "url": {"S": link.url},
        "owner": {"S": link.owner},
        "version": {"N": str(link.version)},
        "status": {"S": link.status.value},
        "created_at": {"S": clock.rfc3339(link.created_at)},
        "updated_at": {"S": clock.rfc3339(link.updated_at)},
    }


def _from_item(item: "dict[str, AttributeValueTypeDef]") -> Link:
    return Link(
        code=item["code"]["S"],
        url=item["url"]["S"],
        owner=item["owner"]["S"],
        version=int(item["version"]["N"]),
        status=Status(item["status"]["S"]),
        created_at=datetime.fromisoformat(item["created_at"]["S"]),
        updated_at=datetime.fromisoformat(item["updated_at"]["S"]),
    )
