"""Removes what was counted of a deleted link: its clicks' rows and its counters.

In bounded steps: when time runs out, the message is sent again and the next run goes on with what is left. Running it
twice is harmless, since what is gone is gone.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from chalicelib import aws, clock, config
from chalicelib.clicks.counters import SORT_KEY
from chalicelib.deliveries import Delivery, Hopeless, handle_each
from chalicelib.links.events import UndecodableEvent, decode
from chalicelib.observability import logger

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

Keys = list["dict[str, AttributeValueTypeDef]"]

_PAUSE = 0.2
"""Seconds to wait when DynamoDB left some of a step undone, which it does when it is too busy."""


def purge_clicks(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Purge the links in an SQS event of link events; returns the partial batch response. Raises BatchFailed."""
    return handle_each(event, context, config.deleted_links_queue_url(), _purge)


def _purge(delivery: Delivery, seconds_left: Callable[[], float]) -> None:
    try:
        code = decode(delivery.body).code
    except UndecodableEvent as error:
        raise Hopeless(f"undecodable: {error}") from error
    removed = 0
    for table, sort_key in ((config.clicks_table(), "click_id"), (config.daily_clicks_table(), SORT_KEY)):
        while keys := _some_keys(table, sort_key, code):
            if seconds_left() <= 0:
                # A new message, since this one may be delivered only five times.
                aws.sqs().send_message(QueueUrl=config.deleted_links_queue_url(), MessageBody=delivery.body)
                logger.info("purge goes on later", extra={"code": code, "removed": removed})
                return
            removed += _delete(table, keys, seconds_left)
    logger.info("clicks purged", extra={"code": code, "removed": removed})


def _some_keys(table: str, sort_key: str, code: str) -> Keys:
    answer = aws.dynamodb().query(
        TableName=table,
        KeyConditionExpression="code = :code",
        ExpressionAttributeValues={":code": {"S": code}},
        ExpressionAttributeNames={"#sort_key": sort_key},
        ProjectionExpression="code, #sort_key",
        ConsistentRead=True,
        Limit=1000,
    )
    return answer["Items"]


def _delete(table: str, keys: Keys, seconds_left: Callable[[], float]) -> int:
    """Delete the items with these keys until time runs out; returns how many."""
    removed = 0
    waiting: list[Any] = [{"DeleteRequest": {"Key": key}} for key in keys]
    while waiting and seconds_left() > 0:
        step = waiting[:25]  # the most that one call takes
        undone = aws.dynamodb().batch_write_item(RequestItems={table: step})["UnprocessedItems"].get(table, [])
        if undone:
            clock.sleep(_PAUSE)
        removed += len(step) - len(undone)
        waiting = [*undone, *waiting[25:]]
    return removed
