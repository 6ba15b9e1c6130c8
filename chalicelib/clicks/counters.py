"""The counters in DynamoDB: table `daily_clicks`, by `code` and `day#shard`.

A day's clicks are spread over shards, so that consumers at work at the same time get less in each other's way: each
execution environment draws one, and another when it meets somebody there. A statistic is the sum over the shards.
"""

import secrets
from collections import Counter
from typing import TYPE_CHECKING, Any

from chalicelib import aws, config

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

SHARDS = 8
"""That are drawn. There are items of up to 16, which were drawn before."""

SORT_KEY = "day#shard"

DELETED_LINKS = "#deleted"
"""Stands for a code, which it is none: where the counters of deleted links are added up."""


def own_shard() -> int:
    """The shard that this execution environment adds to, from 0 to 7."""
    return _own[0]


def draw_another_shard() -> None:
    """Add to another shard from now on."""
    _own[0] = (_own[0] + 1 + secrets.randbelow(SHARDS - 1)) % SHARDS


_own = [secrets.randbelow(SHARDS)]


def sort_key(day: str, shard: int) -> str:
    """The sort key of a day's shard: 2026-05-27#07."""
    return f"{day}#{shard:02d}"


def day_of(sort_key: str) -> str:
    """The day of a sort key: 2026-05-27."""
    return sort_key.partition("#")[0]


def counters_of(
    code: str, days: tuple[str, str] | None = None, attributes: "Collection[str]" = (), table: str = ""
) -> "Iterator[Mapping[str, AttributeValueTypeDef]]":
    """A link's counters in the order of their days, as of now: at most a few items a day.

    Of all time, or of `days`, the first and the last one; whole, or with these of their attributes only; from the table
    in use, or from another one.
    """
    question: dict[str, Any] = {"KeyConditionExpression": "code = :code"}
    values = {":code": {"S": code}}
    if days:
        question["KeyConditionExpression"] += " AND #sort_key BETWEEN :first AND :last"
        values |= {":first": {"S": days[0]}, ":last": {"S": f"{days[1]}$"}}  # which comes after every #shard
    names = {f"#{number}": name for number, name in enumerate(attributes)}
    if names:
        question["ProjectionExpression"] = ", ".join(names)
    if days:
        names["#sort_key"] = SORT_KEY
    if names:
        question["ExpressionAttributeNames"] = names
    pages = (
        aws.dynamodb()
        .get_paginator("query")
        .paginate(
            TableName=table or config.daily_clicks_table(),
            ExpressionAttributeValues=values,
            ConsistentRead=True,
            **question,
        )
    )
    for page in pages:
        yield from page["Items"]


def clicks_by_day(code: str) -> Counter[str]:
    """The number of clicks of each day that had some, by day (2026-05-27), of all time and as of now."""
    return by_day(counters_of(code, attributes=(SORT_KEY, "clicks")))


def by_day(counters: "Iterable[Mapping[str, AttributeValueTypeDef]]") -> Counter[str]:
    """How many clicks some counters have counted, by day."""
    counts: Counter[str] = Counter()
    for counter in counters:
        counts[day_of(counter[SORT_KEY]["S"])] += int(counter["clicks"]["N"])
    return counts


def clicks_in(counters: "Iterable[Mapping[str, AttributeValueTypeDef]]") -> int:
    """How many clicks some counters have counted together."""
    return sum(int(counter["clicks"]["N"]) for counter in counters)
