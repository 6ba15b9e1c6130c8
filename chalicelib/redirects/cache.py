"""The redirect cache in DynamoDB: table `redirects`, by `code`.

A copy of what a redirect needs to know of a link. An entry is replaced only by a newer version, so that it does not
matter in which order its writers come. At the same version it changes only between what the list of blocked domains
says: whoever writes that has looked at the link and at the list (corrections.py).

An entry says in which layout it is written. One in another layout that would lead somewhere is as good as none: whoever
wrote it may have known less of the link, or more, than whoever reads it, so the link itself is asked. What has a life
(life.py) has its target under a name that code of before LAYOUT does not know.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from chalicelib import config
from chalicelib.calls import Call, ConditionFailed, by_sdk
from chalicelib.links.status import Status

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    from chalicelib.links.link import Link


LAYOUT = 3
"""Of the entries that are written here; 1 are those that do not say, 2 know neither passwords nor limits."""


class Redirect(NamedTuple):
    """Where a code leads."""

    code: str
    url: str
    status: Status
    version: int
    life: Mapping[str, Any] | None = None
    """What is not as with most links (life.py), as a link's item has it."""

    @classmethod
    def of(cls, link: "Link") -> "Redirect":
        """The redirect that a link asks for."""
        from chalicelib.links.store import to_item as item_of  # noqa: PLC0415 (which imports the SDK)

        return redirect_in(item_of(link))


def find_redirect(code: str, call: Call = by_sdk) -> Redirect | None:
    """The cached redirect, which may be a moment old (an eventually consistent read), or None. Raises CallFailed."""
    answer = call("GetItem", {"TableName": config.redirects_table(), "Key": {"code": {"S": code}}})
    item = answer.get("Item")
    if item is None or (item["status"]["S"] == Status.ACTIVE and item.get("layout") != _LAYOUT):
        return None
    return redirect_in(item)


def put_redirect(redirect: Redirect, call: Call = by_sdk) -> bool:
    """Cache a redirect unless the same or a newer version is there; whether it was written. Raises CallFailed."""
    write = {
        "TableName": config.redirects_table(),
        "Item": to_item(redirect),
        "ConditionExpression": (
            "attribute_not_exists(code) OR version < :version "
            "OR (version = :version AND #status = :active AND (attribute_not_exists(layout) OR layout <> :layout))"
        ),
        "ExpressionAttributeNames": {"#status": "status"},
        "ExpressionAttributeValues": {
            ":version": {"N": str(redirect.version)},
            ":active": {"S": Status.ACTIVE.value},
            ":layout": _LAYOUT,
        },
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
        target_attribute(redirect): {"S": redirect.url},
        "status": {"S": redirect.status.value},
        "version": {"N": str(redirect.version)},
        "layout": _LAYOUT,
        **(redirect.life or {}),
    }


def target_attribute(redirect: Redirect) -> str:
    """What the attribute with the target is called."""
    return _GUARDED if redirect.life else "url"


def redirect_in(item: Mapping[str, Any]) -> Redirect:
    """The redirect in an item of this table, or that a link's item asks for: their attributes have the same names."""
    life = {name: item[name] for name, usual in _USUAL.items() if name in item and item[name] != usual}
    if "password" in item:
        life["has_password"] = {"BOOL": True}
    return Redirect(
        code=item["code"]["S"],
        url=(item.get("url") or item[_GUARDED])["S"],
        status=Status(item["status"]["S"]),
        version=int(item["version"]["N"]),
        life=life or None,
    )


_GUARDED = "guarded_url"
_LAYOUT: "AttributeValueTypeDef" = {"N": str(LAYOUT)}
_USUAL: "Mapping[str, AttributeValueTypeDef | None]" = {
    "enabled": {"BOOL": True},
    "starts_at": None,
    "expires_at": None,
    "expired_url": None,
    "forward_query": {"BOOL": False},
    "max_clicks": None,
    "has_password": None,
}
"""What is in a link's item that a redirect has to know, and what it is of most links. Passwords stay where they are."""
