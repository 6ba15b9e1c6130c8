"""The redirect cache in DynamoDB: table `redirects`, by `code`.

A copy of what a redirect needs to know of a link. An entry is replaced only by a newer version, so that it does not
matter in which order its writers come. At the same version it changes only between what the list of blocked domains
says: whoever writes that has looked at the link and at the list (corrections.py).
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from chalicelib import config
from chalicelib.calls import Call, ConditionFailed, by_sdk
from chalicelib.links.status import Status

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    from chalicelib.links.link import Link


class Redirect(NamedTuple):
    """Where a code leads."""

    code: str
    url: str
    status: Status
    version: int

    @classmethod
    def of(cls, link: "Link") -> "Redirect":
        """The redirect that a link asks for."""
        return cls(link.code, link.url, link.status, link.version)


def find_redirect(code: str, call: Call = by_sdk) -> Redirect | None:
    """The cached redirect, which may be a moment old (an eventually consistent read), or None. Raises CallFailed."""
    answer = call("GetItem", {"TableName": config.redirects_table(), "Key": {"code": {"S": code}}})
    return redirect_in(answer["Item"]) if "Item" in answer else None


def put_redirect(redirect: Redirect, call: Call = by_sdk) -> bool:
    """Cache a redirect unless the same or a newer version is there; whether it was written. Raises CallFailed."""
    write = {
        "TableName": config.redirects_table(),
        "Item": to_item(redirect),
        "ConditionExpression": "attribute_not_exists(code) OR version < :version",
        "ExpressionAttributeValues": {":version": {"N": str(redirect.version)}},
    }
    try:
        call("PutItem", write)
    except ConditionFailed:
        return False
    return True


def to_item(redirect: Redirect) -> "dict[str, AttributeValueTypeDef]":
    """A redirect as the table keeps it."""
    return {
        "code": {"S": redirect.code},
        "url": {"S": redirect.url},
        "status": {"S": redirect.status.value},
        "version": {"N": str(redirect.version)},
    }


def redirect_in(item: Mapping[str, Any]) -> Redirect:
    """The redirect in an item of this table, or that a link's item asks for: their attributes have the same names."""
    return Redirect(
        code=item["code"]["S"],
        url=item["url"]["S"],
        status=Status(item["status"]["S"]),
        version=int(item["version"]["N"]),
    )
