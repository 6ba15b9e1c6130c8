"""Read many items by their keys: a hundred at a time, and again what DynamoDB leaves unread.

BatchGetItem answers with part of what it was asked for when a table is too busy, or an answer grows too large:
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
"""

from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError

from chalicelib import aws, clock

MOST_KEYS = 100
"""That one call takes."""

MOST_TRIES = 6
"""Calls for the same keys. Their pauses are three seconds at most, and a route has ten."""

Item = Mapping[str, Any]
"""Attributes by their names, as DynamoDB writes them: `{"code": {"S": "my-link"}}`."""


class NotAllRead(BotoCoreError):
    """DynamoDB was too busy to read all that it was asked for. Handled like every error of a call to AWS."""

    fmt = "{unread} keys of the table {table} were not read in {tries} tries"


def read_all(
    table: str, keys: Sequence[Item], *, attributes: Sequence[str] = (), consistent: bool = True
) -> list[Item]:
    """The items of a table with these keys, each a different one, that there are, in no order.

    With `attributes`, only these of each item. Raises NotAllRead, or botocore's error.
    """
    request: dict[str, Any] = {"ConsistentRead": consistent}
    if attributes:
        names = {f"#{number}": name for number, name in enumerate(attributes)}
        request |= {"ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names}
    found: list[Item] = []
    for start in range(0, len(keys), MOST_KEYS):
        found += _read(table, keys[start : start + MOST_KEYS], request)
    return found


def _read(table: str, keys: Sequence[Item], request: Mapping[str, Any]) -> list[Item]:
    found: list[Item] = []
    unread = keys
    for tries in range(1, MOST_TRIES + 1):
        wanted: Any = {table: {**request, "Keys": unread}}
        answer: Any = aws.dynamodb().batch_get_item(RequestItems=wanted)
        found += answer["Responses"].get(table, [])
        unread = answer["UnprocessedKeys"].get(table, {}).get("Keys", [])
        if not unread:
            return found
        if tries < MOST_TRIES:
            clock.back_off(tries)
    raise NotAllRead(unread=len(unread), table=table, tries=MOST_TRIES)
