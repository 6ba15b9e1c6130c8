"""The counters of a link's day, read and replaced as a whole: they add up together, and are never mixed with others."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from chalicelib import aws, config
from chalicelib.batches import read_all
from chalicelib.clicks.breakdowns import CLICKS
from chalicelib.clicks.counters import SORT_KEY, counters_of, sort_key
from chalicelib.links.status import Status

SHARDS = 16
"""That a day may have: those that are drawn, and those that were drawn before."""

Item = Mapping[str, Any]
"""Attributes by their names, as DynamoDB writes them."""


def version_if_alive(code: str) -> str | None:
    """The version of a link, as of now; None if it is deleted, or there is no such link."""
    links = read_all(config.links_table(), [{"code": {"S": code}}], attributes=("status", "version"))
    return next((link["version"]["N"] for link in links if link["status"]["S"] != Status.DELETED), None)


def read_day(code: str, day: str, table: str = "") -> list[Item]:
    """The counters of a link's day, as of now; of another table than the one in use, if it is named."""
    return [*counters_of(code, (day, day), table=table)]


def replace_day(code: str, version: str, day: str, as_read: Sequence[Item], wanted: Sequence[Item]) -> str | None:
    """Put other counters in the place of all of a day, in one transaction.

    Only if nothing has been counted since `as_read`, and the link still has the version that it had when it was alive,
    so that no purge was at work. Returns why not, in DynamoDB's words; None if it is done. Raises botocore's errors.
    """
    dynamodb = aws.dynamodb()
    try:
        dynamodb.transact_write_items(TransactItems=[*_actions(code, version, day, as_read, wanted)])
    except dynamodb.exceptions.TransactionCanceledException as error:
        return ", ".join(sorted({reason["Code"] for reason in error.response["CancellationReasons"]} - {"None"}))
    return None


def _actions(code: str, version: str, day: str, as_read: Sequence[Item], wanted: Sequence[Item]) -> Iterator[Any]:
    yield {
        "ConditionCheck": {
            "TableName": config.links_table(),
            "Key": {"code": {"S": code}},
            "ConditionExpression": "version = :version",
            "ExpressionAttributeValues": {":version": {"N": version}},
        }
    }
    before, after = ({item[SORT_KEY]["S"]: item for item in items} for items in (as_read, wanted))
    for name in sorted({sort_key(day, shard) for shard in range(SHARDS)} | before.keys() | after.keys()):
        only: Any = {"TableName": config.daily_clicks_table(), **_unchanged(before.get(name))}
        key: Any = {"code": {"S": code}, SORT_KEY: {"S": name}}
        if name in after:
            yield {"Put": {"Item": after[name], **only}}
        elif name in before:
            yield {"Delete": {"Key": key, **only}}
        else:
            yield {"ConditionCheck": {"Key": key, **only}}


def _unchanged(as_read: Item | None) -> Mapping[str, Any]:
    """The condition that a counter is as it was read; a counter only grows, so that its clicks tell."""
    if as_read is None:
        return {"ConditionExpression": "attribute_not_exists(clicks)"}
    return {"ConditionExpression": "clicks = :as_read", "ExpressionAttributeValues": {":as_read": as_read[CLICKS]}}
