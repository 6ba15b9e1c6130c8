"""Removes what was counted of a deleted link: its clicks' rows and its counters.

In bounded steps: when time runs out, the message is sent again and the next run goes on with what is left. Running it
twice is harmless, since what is gone is gone. How many clicks a day had, on all links together, stays known: a counter
goes in one transaction with being added to those of DELETED_LINKS.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from chalicelib import aws, clock, config
from chalicelib.clicks.counters import DELETED_LINKS, SORT_KEY, day_of, own_shard, sort_key
from chalicelib.deliveries import Delivery, Hopeless, handle_each
from chalicelib.links.events import UndecodableEvent, decode
from chalicelib.observability import logger, measured

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef

Items = list["dict[str, AttributeValueTypeDef]"]

_PAUSE = 0.2
"""Seconds to wait when DynamoDB left some of a step undone, which it does when it is too busy."""

_COUNTERS = 50
"""That go in one transaction of at most 100 actions: each is deleted, and added to its day, which may be another's."""


def purge_clicks(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Purge the links in an SQS event of link events; returns the partial batch response. Raises BatchFailed."""
    return handle_each(event, context, config.deleted_links_queue_url(), _purge)


def _purge(delivery: Delivery, seconds_left: Callable[[], float]) -> None:
    try:
        code = decode(delivery.body).code
    except UndecodableEvent as error:
        raise Hopeless(f"undecodable: {error}") from error
    removed = 0
    for table, remove in ((config.clicks_table(), _delete_rows), (config.daily_clicks_table(), _move_counters)):
        while items := _some_items(table, code):
            if seconds_left() <= 0:
                # A new message, since this one may be delivered only five times.
                aws.sqs().send_message(QueueUrl=config.deleted_links_queue_url(), MessageBody=delivery.body)
                _tell("purge goes on later", code, removed)
                return
            removed += remove(table, items, seconds_left)
    _tell("clicks purged", code, removed)


def _tell(what: str, code: str, removed: int) -> None:
    logger.info(what, extra={"code": code, **measured(RowsPurged=removed)})


def _some_items(table: str, code: str) -> Items:
    answer = aws.dynamodb().query(
        TableName=table,
        KeyConditionExpression="code = :code",
        ExpressionAttributeValues={":code": {"S": code}},
        ConsistentRead=True,
        Limit=1000,
    )
    return answer["Items"]


def _delete_rows(table: str, rows: Items, seconds_left: Callable[[], float]) -> int:
    """Delete rows until time runs out; returns how many."""
    removed = 0
    waiting: list[Any] = [
        {"DeleteRequest": {"Key": {"code": row["code"], "click_id": row["click_id"]}}} for row in rows
    ]
    while waiting and seconds_left() > 0:
        step = waiting[:25]  # the most that one call takes
        undone = aws.dynamodb().batch_write_item(RequestItems={table: step})["UnprocessedItems"].get(table, [])
        if undone:
            clock.sleep(_PAUSE)
        removed += len(step) - len(undone)
        waiting = [*undone, *waiting[25:]]
    return removed


def _move_counters(table: str, counters: Items, seconds_left: Callable[[], float]) -> int:
    """Move counters to DELETED_LINKS until time runs out; returns how many.

    Each at the value that was read. One that has grown since, or that somebody else has moved, is read anew.
    """
    dynamodb = aws.dynamodb()
    moved = 0
    for start in range(0, len(counters), _COUNTERS):
        if seconds_left() <= 0:
            break
        step = counters[start : start + _COUNTERS]
        amounts: Counter[str] = Counter()
        for counter in step:
            amounts[day_of(counter[SORT_KEY]["S"])] += int(counter["clicks"]["N"])
        actions = [_remove(table, counter) for counter in step] + [_add(table, *each) for each in amounts.items()]
        try:
            dynamodb.transact_write_items(TransactItems=actions)
        except dynamodb.exceptions.TransactionCanceledException:
            clock.sleep(_PAUSE)
        else:
            moved += len(step)
    return moved


def _remove(table: str, counter: "dict[str, AttributeValueTypeDef]") -> "TransactWriteItemTypeDef":
    return {
        "Delete": {
            "TableName": table,
            "Key": {"code": counter["code"], SORT_KEY: counter[SORT_KEY]},
            "ConditionExpression": "clicks = :as_read",
            "ExpressionAttributeValues": {":as_read": counter["clicks"]},
        }
    }


def _add(table: str, day: str, amount: int) -> "TransactWriteItemTypeDef":
    return {
        "Update": {
            "TableName": table,
            "Key": {"code": {"S": DELETED_LINKS}, SORT_KEY: {"S": sort_key(day, own_shard())}},
            "UpdateExpression": "ADD clicks :amount",
            "ExpressionAttributeValues": {":amount": {"N": str(amount)}},
        }
    }
