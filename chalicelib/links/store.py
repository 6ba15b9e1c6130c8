"""Links in DynamoDB: table `links`, by `code`. A question about the present is asked in the write itself."""

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, cast

import msgspec
from msgspec import structs

from chalicelib import aws, clock, config
from chalicelib.batches import read_all
from chalicelib.links.codes import is_code
from chalicelib.links.link import Link, plain_value
from chalicelib.links.schemas import Code
from chalicelib.links.status import Status
from chalicelib.problems import (
    CodeTaken,
    ContradictoryTimes,
    IdempotencyKeyReused,
    LinkDeleted,
    LinkNotFound,
    NotYourLink,
    Problem,
    StaleVersion,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import (
        AttributeValueTypeDef,
        QueryInputTypeDef,
        QueryOutputTypeDef,
        ScanOutputTypeDef,
    )

    Item = dict[str, AttributeValueTypeDef]

_MOST_QUERIES = 10

_PAGES_OF_SEARCH = 2
"""Of up to 1 MB each."""
_SECONDS_OF_SEARCH = 1


class Position(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a page of an owner's links ends."""

    created_at: Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z")]
    code: Code


class Origin(NamedTuple):
    """The request that made a link. It is stored with the link, and no change of the link changes it."""

    request_id: str
    """The same for every repetition of the request, and for no other."""
    payload_hash: str
    """Of what the request asked for; empty if it cannot be repeated."""


def insert_link(link: Link, origin: Origin | None = None) -> Link:
    """Store a new link; returns it, or the link as it is now that the same request made before.

    So a request may be repeated after any time, and its write when the answer was lost. Without an origin, only the
    write may. Raises CodeTaken if the code is, or ever was, another link's, IdempotencyKeyReused if the request has
    made the link for another payload.
    """
    dynamodb = aws.dynamodb()
    origin = origin or Origin(str(uuid.uuid4()), "")
    try:
        dynamodb.put_item(
            TableName=config.links_table(),
            Item={
                **to_item(link),
                "request_id": {"S": origin.request_id},
                "payload_hash": {"S": origin.payload_hash},
                "write_id": {"S": origin.request_id},
            },
            ConditionExpression="attribute_not_exists(code)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except dynamodb.exceptions.ConditionalCheckFailedException as error:
        item: Item = cast("Any", error.response)["Item"]
        if item.get("request_id") != {"S": origin.request_id}:
            raise CodeTaken(link.code) from error
        if item["payload_hash"] != {"S": origin.payload_hash}:
            raise IdempotencyKeyReused from error
        return _from_item(item)
    return link


def update_link(code: str, changes: Mapping[str, Any], owner: str | None, version: int | None) -> Link:
    """Change fields of a link that is not deleted, if it is `owner`'s and at `version` (None: whosever, whichever).

    Returns the link as it is then. Raises LinkNotFound, NotYourLink, LinkDeleted, StaleVersion or ContradictoryTimes.
    """
    if not is_code(code):
        raise LinkNotFound(code)
    required: dict[str, Any] = {"status": Status.ACTIVE}
    if owner is not None:
        required["owner"] = owner
    if version is not None:
        required["version"] = version
    try:
        return _change(code, changes, required)
    except _NotAsRequired as error:
        raise _refusal(code, error.link, owner, version) from error


def replace_link(link: Link, version: int) -> None:
    """Make a link that is at `version` what `link` says, deleted or not, as its next version. Raises StaleVersion."""
    changes = {name: value for name, value in structs.asdict(link).items() if name not in {"code", *_SET_BY_A_CHANGE}}
    try:
        _change(link.code, changes, {"version": version})
    except _NotAsRequired as error:
        raise StaleVersion from error


class _NotAsRequired(Exception):
    """A link is not what a change of it requires; `link` is as it is, or None if there is none."""

    def __init__(self, link: Link | None) -> None:
        super().__init__()
        self.link = link


_SET_BY_A_CHANGE = ("version", "updated_at")


def _change(code: str, changes: Mapping[str, Any], required: Mapping[str, Any]) -> Link:
    """Set fields of a link to the values in `changes`, if others have the values in `required`; the link as it is then.

    All of this is one conditional write, of which DynamoDB returns the item that it failed on. That item also tells
    whether it was this very write, sent again after its answer was lost, that changed it. Raises _NotAsRequired.
    """
    dynamodb = aws.dynamodb()
    write_id: AttributeValueTypeDef = {"S": str(uuid.uuid4())}
    changes = {**changes, "updated_at": clock.now()}
    kept = {name: attribute for name, value in changes.items() if (attribute := _attribute(value))}
    sets = ["write_id = :write_id", "#version = #version + :one", *(f"#{name} = :new_{name}" for name in kept)]
    removes = [f"#{name}" for name in changes if name not in kept]
    try:
        answer = dynamodb.update_item(
            TableName=config.links_table(),
            Key={"code": {"S": code}},
            UpdateExpression=f"SET {', '.join(sets)}" + (f" REMOVE {', '.join(removes)}" if removes else ""),
            ConditionExpression=" AND ".join(
                ["write_id <> :write_id", *(f"#{name} = :required_{name}" for name in required), *_in_order(changes)]
            ),
            ExpressionAttributeNames={f"#{name}": name for name in {*changes, *required, "version"}},
            ExpressionAttributeValues={
                ":write_id": write_id,
                ":one": {"N": "1"},
                **{f":new_{name}": attribute for name, attribute in kept.items()},
                **{f":required_{name}": _attribute(value) or {"NULL": True} for name, value in required.items()},
            },
            ReturnValues="ALL_NEW",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except dynamodb.exceptions.ConditionalCheckFailedException as error:
        item: Item | None = cast("Any", error.response).get("Item")
        if item is None or item["write_id"] != write_id:
            raise _NotAsRequired(_from_item(item) if item else None) from error
        return _from_item(item)
    return _from_item(answer["Attributes"])


def _in_order(changes: Mapping[str, Any]) -> list[str]:
    """Conditions, so that a link starts before it expires also when two changes cross: a text is as early as it is low.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
    """
    starts_at, expires_at = changes.get("starts_at"), changes.get("expires_at")
    conditions = []
    if starts_at and "expires_at" not in changes:
        conditions.append("(attribute_not_exists(expires_at) OR expires_at > :new_starts_at)")
    if expires_at and "starts_at" not in changes:
        conditions.append("(attribute_not_exists(starts_at) OR starts_at < :new_expires_at)")
    return conditions


def _refusal(code: str, link: Link | None, owner: str | None, version: int | None) -> Problem:
    """Why a link could not be changed."""
    if link is None:
        return LinkNotFound(code)
    if owner is not None and link.owner != owner:
        return NotYourLink()
    if link.status is Status.DELETED:
        return LinkDeleted(code)
    return ContradictoryTimes() if version in (None, link.version) else StaleVersion()


def query_links(owner: str, limit: int, after: Position | None) -> tuple[list[Link], Position | None]:
    """At most `limit` of `owner`'s links that are not deleted, newest first; and where to go on, if there may be more.

    Deleted links are skipped; to stay bounded, a page may come short of `limit` where very many were deleted.
    """
    wanted = limit + 1  # one more than is shown, to know whether there is a next page
    links: list[Link] = []
    position = after
    for _ in range(_MOST_QUERIES):
        answer = aws.dynamodb().query(**_newest_first(owner, position, wanted - len(links)))
        links += map(_from_item, answer["Items"])
        position = _end_of(answer)
        if position is None or len(links) == wanted:
            break
    if len(links) > limit:
        links = links[:limit]
        position = _position_of(links[-1])
    return links, position


def _newest_first(owner: str, after: Position | None, most: int | None = None) -> "QueryInputTypeDef":
    query: QueryInputTypeDef = {
        "TableName": config.links_table(),
        "IndexName": "by_owner",
        "KeyConditionExpression": "#owner = :owner",
        "FilterExpression": "#status = :active",
        "ExpressionAttributeNames": {"#owner": "owner", "#status": "status"},
        "ExpressionAttributeValues": {":owner": {"S": owner}, ":active": {"S": Status.ACTIVE.value}},
        "ScanIndexForward": False,
    }
    if after:
        query["ExclusiveStartKey"] = {
            "owner": {"S": owner},
            "created_at": {"S": after.created_at},
            "code": {"S": after.code},
        }
    if most:
        query["Limit"] = most
    return query


def _end_of(answer: "QueryOutputTypeDef") -> Position | None:
    """Where a page ends; None of the last one."""
    last = answer.get("LastEvaluatedKey")
    return Position(last["created_at"]["S"], last["code"]["S"]) if last else None


def _position_of(link: Link) -> Position:
    return Position(clock.rfc3339(link.created_at), link.code)


def search_links(
    owner: str, limit: int, after: Position | None, matches: Callable[[Link], bool]
) -> tuple[list[Link], Position | None]:
    """At most `limit` of `owner`'s links that are not deleted and match, newest first; and where to go on.

    At most 2 MB are read, and for about a second: a page may be short, or empty, while there is somewhere to go on.
    """
    links: list[Link] = []
    position = after
    deadline = monotonic() + _SECONDS_OF_SEARCH
    for _ in range(_PAGES_OF_SEARCH):
        answer = aws.dynamodb().query(**_newest_first(owner, position))
        found = [*map(_from_item, answer["Items"])]
        for link in found:
            if matches(link):
                links.append(link)
            if len(links) == limit:
                return links, _position_of(link) if link is not found[-1] or "LastEvaluatedKey" in answer else None
        position = _end_of(answer)
        if position is None or monotonic() > deadline:
            break
    return links, position


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


def every_code() -> Iterator[list[str]]:
    """The codes of all links, deleted ones too, in no order, page by page. For the operator: it scans the table."""
    pages = (
        aws.dynamodb()
        .get_paginator("scan")
        .paginate(TableName=config.links_table(), ProjectionExpression="code", ConsistentRead=True)
    )
    for page in pages:
        yield [item["code"]["S"] for item in page["Items"]]


def read_link(code: str) -> Link:
    """The link with this code, as of now (a consistent read), deleted or not. Raises LinkNotFound."""
    if not is_code(code):
        raise LinkNotFound(code)
    answer = aws.dynamodb().get_item(TableName=config.links_table(), Key={"code": {"S": code}}, ConsistentRead=True)
    if "Item" not in answer:
        raise LinkNotFound(code)
    return _from_item(answer["Item"])


def read_links(codes: Sequence[str]) -> dict[str, Link]:
    """Those of these links that there are, by code, as of now (consistent reads), deleted or not."""
    keys = [{"code": {"S": code}} for code in codes if is_code(code)]
    items: list[Any] = read_all(config.links_table(), keys)
    return {link.code: link for link in map(_from_item, items)}


def links_with(part: str) -> Iterator[tuple[int, list[Link]]]:
    """The active links with `part` in an address, in no order, page by page, each with the number of links looked at.

    Read consistently: a link that was written before is among them. For the operator: it scans the table.
    """
    pages = (
        aws.dynamodb()
        .get_paginator("scan")
        .paginate(
            TableName=config.links_table(),
            FilterExpression="#status = :active AND (contains(#url, :part) OR contains(expired_url, :part))",
            ExpressionAttributeNames={"#status": "status", "#url": "url"},
            ExpressionAttributeValues={":active": {"S": Status.ACTIVE.value}, ":part": {"S": part}},
            ConsistentRead=True,
        )
    )
    for page in pages:
        yield page["ScannedCount"], list(map(_from_item, page["Items"]))


def to_item(link: Link) -> "Item":
    """A link as the table keeps it."""
    attributes = {name: _attribute(value) for name, value in structs.asdict(link).items()}
    return {name: attribute for name, attribute in attributes.items() if attribute}


def _from_item(item: "Item") -> Link:
    """The link in an item. Attributes that are no fields are passed over: newer code may have written them."""
    return msgspec.convert({name: _value(item[name]) for name in Link.__struct_fields__ if name in item}, Link)


def _attribute(value: Any) -> "AttributeValueTypeDef | None":
    """A value of a field as DynamoDB keeps it; None for one that is not kept, as the default of its field is none."""
    match plain_value(value):
        case None | []:
            return None
        case bool(switch):
            return {"BOOL": switch}
        case int(number):
            return {"N": str(number)}
        case list(texts):
            return {"L": [{"S": text} for text in texts]}
        case text:
            return {"S": text}


def _value(attribute: "AttributeValueTypeDef") -> Any:
    [(kind, value)] = attribute.items()
    match kind:
        case "N":
            return int(cast("str", value))
        case "L":
            return [_value(each) for each in cast("list[AttributeValueTypeDef]", value)]
        case _:
            return value
