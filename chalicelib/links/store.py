"""Links in DynamoDB: table `links`, by `code`. A question about the present is asked in the write itself."""

import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, cast

import msgspec

from chalicelib import aws, clock, config
from chalicelib.links.codes import Code, is_code
from chalicelib.links.link import Link, Status
from chalicelib.problems import CodeTaken, LinkDeleted, LinkNotFound, NotYourLink, Problem, StaleVersion

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import (
        AttributeValueTypeDef,
        QueryInputTypeDef,
        QueryOutputTypeDef,
        ScanOutputTypeDef,
    )

_MOST_QUERIES = 10


class Position(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a page of an owner's links ends."""

    created_at: Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z")]
    code: Code


def insert_link(link: Link, write_id: str | None = None) -> None:
    """Store a new link. Raises CodeTaken if the code is, or ever was, another link's.

    The write carries an id of its own. If its answer is lost and it is sent again, the second attempt finds the first
    one's item under that id, and knows that the code is taken by nobody but itself.
    """
    dynamodb = aws.dynamodb()
    write_id = write_id or str(uuid.uuid4())
    try:
        dynamodb.put_item(
            TableName=config.links_table(),
            Item={**_to_item(link), "write_id": {"S": write_id}},
            ConditionExpression="attribute_not_exists(code) OR write_id = :write_id",
            ExpressionAttributeValues={":write_id": {"S": write_id}},
        )
    except dynamodb.exceptions.ConditionalCheckFailedException as error:
        raise CodeTaken(link.code) from error


def update_link(code: str, changes: Mapping[str, str], owner: str | None, version: int | None) -> Link:
    """Change a link that is not deleted, if it is `owner`'s and at `version` (None: whosever, whichever).

    All of this is one conditional write, of which DynamoDB returns the item that it failed on. That item also tells
    whether it was this very write, sent again after its answer was lost, that changed it. Returns the link as it is
    then. Raises LinkNotFound, NotYourLink, LinkDeleted or StaleVersion.
    """
    if not is_code(code):
        raise LinkNotFound(code)
    dynamodb = aws.dynamodb()
    write_id = str(uuid.uuid4())
    conditions = ["#status = :active", "write_id <> :write_id"]
    values: dict[str, AttributeValueTypeDef] = {
        ":active": {"S": Status.ACTIVE.value},
        ":write_id": {"S": write_id},
        ":now": {"S": clock.rfc3339(clock.now())},
        ":one": {"N": "1"},
        **{f":new_{name}": {"S": value} for name, value in changes.items()},
    }
    names = {"#status": "status", **{f"#{name}": name for name in changes}}
    if owner is not None:
        conditions.append("#owner = :owner")
        names["#owner"] = "owner"
        values[":owner"] = {"S": owner}
    if version is not None:
        conditions.append("version = :version")
        values[":version"] = {"N": str(version)}
    settings = ", ".join(f"#{name} = :new_{name}" for name in changes)
    try:
        answer = dynamodb.update_item(
            TableName=config.links_table(),
            Key={"code": {"S": code}},
            UpdateExpression=f"SET {settings}, version = version + :one, updated_at = :now, write_id = :write_id",
            ConditionExpression=" AND ".join(conditions),
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=values,
            ReturnValues="ALL_NEW",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except dynamodb.exceptions.ConditionalCheckFailedException as error:
        item: dict[str, AttributeValueTypeDef] | None = cast("Any", error.response).get("Item")
        if item is None:
            raise LinkNotFound(code) from error
        if item["write_id"]["S"] == write_id:
            return _from_item(item)
        raise _refusal(_from_item(item), owner) from error
    return _from_item(answer["Attributes"])


def _refusal(link: Link, owner: str | None) -> Problem:
    if owner is not None and link.owner != owner:
        return NotYourLink()
    if link.status is Status.DELETED:
        return LinkDeleted(link.code)
    return StaleVersion()


def query_links(owner: str, limit: int, after: Position | None) -> tuple[list[Link], Position | None]:
    """At most `limit` of `owner`'s links that are not deleted, newest first; and where to go on, if there may be more.

    Deleted links are skipped; to stay bounded, a page may come short of `limit` where very many were deleted.
    """
    wanted = limit + 1  # one more than is shown, to know whether there is a next page
    links: list[Link] = []
    position = after
    for _ in range(_MOST_QUERIES):
        query: QueryInputTypeDef = {
            "TableName": config.links_table(),
            "IndexName": "by_owner",
            "KeyConditionExpression": "#owner = :owner",
            "FilterExpression": "#status = :active",
            "ExpressionAttributeNames": {"#owner": "owner", "#status": "status"},
            "ExpressionAttributeValues": {":owner": {"S": owner}, ":active": {"S": Status.ACTIVE.value}},
            "ScanIndexForward": False,
            "Limit": wanted - len(links),
        }
        if position:
            query["ExclusiveStartKey"] = {
                "owner": {"S": owner},
                "created_at": {"S": position.created_at},
                "code": {"S": position.code},
            }
        answer = aws.dynamodb().query(**query)
        links += map(_from_item, answer["Items"])
        last = answer.get("LastEvaluatedKey")
        position = Position(last["created_at"]["S"], last["code"]["S"]) if last else None
        if position is None or len(links) == wanted:
            break
    if len(links) > limit:
        links = links[:limit]
        position = Position(clock.rfc3339(links[-1].created_at), links[-1].code)
    return links, position


def replace_link(link: Link, version: int) -> None:
    """Make a link that is at `version` what `link` says, deleted or not, as its next version. Raises StaleVersion."""
    dynamodb = aws.dynamodb()
    write_id = str(uuid.uuid4())
    item = _to_item(replace(link, version=version + 1, updated_at=clock.now()))
    try:
        dynamodb.put_item(
            TableName=config.links_table(),
            Item={**item, "write_id": {"S": write_id}},
            # Sent again after its answer was lost, it finds itself.
            ConditionExpression="version = :version OR write_id = :write_id",
            ExpressionAttributeValues={":version": {"N": str(version)}, ":write_id": {"S": write_id}},
        )
    except dynamodb.exceptions.ConditionalCheckFailedException as error:
        raise StaleVersion from error


def every_link(owner: str | None = None, table: str | None = None) -> Iterator[Link]:
    """All links, or all of `owner`'s, deleted ones too, of this table or one restored from it; a page at a time.

    Of an owner's, the index tells, which is eventually consistent: a link of a moment ago may be missing.
    """
    dynamodb = aws.dynamodb()
    table = table or config.links_table()
    pages: Iterable[ScanOutputTypeDef | QueryOutputTypeDef]
    if owner is None:
        pages = dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    else:
        pages = dynamodb.get_paginator("query").paginate(
            TableName=table,
            IndexName="by_owner",
            KeyConditionExpression="#owner = :owner",
            ExpressionAttributeNames={"#owner": "owner"},
            ExpressionAttributeValues={":owner": {"S": owner}},
        )
    for page in pages:
        yield from map(_from_item, page["Items"])


def read_link(code: str) -> Link:
    """The link with this code, as of now (a consistent read), deleted or not. Raises LinkNotFound."""
    if not is_code(code):
        raise LinkNotFound(code)
    answer = aws.dynamodb().get_item(TableName=config.links_table(), Key={"code": {"S": code}}, ConsistentRead=True)
    if "Item" not in answer:
        raise LinkNotFound(code)
    return _from_item(answer["Item"])


def links_with(part: str) -> Iterator[tuple[int, list[Link]]]:
    """The active links with `part` in their url, in no order, page by page, each with the number of links looked at.

    Read consistently: a link that was written before is among them. For the operator: it scans the table.
    """
    pages = (
        aws.dynamodb()
        .get_paginator("scan")
        .paginate(
            TableName=config.links_table(),
            FilterExpression="#status = :active AND contains(#url, :part)",
            ExpressionAttributeNames={"#status": "status", "#url": "url"},
            ExpressionAttributeValues={":active": {"S": Status.ACTIVE.value}, ":part": {"S": part}},
            ConsistentRead=True,
        )
    )
    for page in pages:
        yield page["ScannedCount"], list(map(_from_item, page["Items"]))


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
