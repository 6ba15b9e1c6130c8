"""The number of links created per day: table `daily_links`, by `day`, which no other room touches.

Beside the days, the table holds a marker for each event that was counted, written in one transaction with the counter.
An event that SNS cannot deliver, or that is not counted in Lambda's three tries, waits in `link-events-dlq`.
"""

from datetime import date, timedelta
from typing import Any, TypedDict

from chalicelib import aws, clock, config
from chalicelib.batches import read_all
from chalicelib.links.events import LinkEvent, UndecodableEvent, decode
from chalicelib.observability import logger
from chalicelib.schemas import Day

MARKER_DAYS = 60
"""How long a repeated event is recognised, which may be 53 days old: the stream repeats it for one, SNS for 23, Lambda
for a quarter; it waits in the dead-letter queue for 14, and after a redrive and another quarter for 14 more.
https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
"""


class DayOfLinks(TypedDict):
    """How many links were created on a day in UTC."""

    day: Day
    links: int


class LinksByDay(TypedDict):
    """The links that were created on the last days, newest first and without days that had none."""

    by_day: list[DayOfLinks]


def count_created_link(message: str) -> None:
    """Count a link.created event for its day, in UTC, once.

    Any other event is passed over, whatever the subscription's filter lets through. Raises botocore's error if it could
    not be counted; Lambda then tries again, twice.
    """
    try:
        event = decode(message)
    except UndecodableEvent as error:
        logger.error("link event not counted", extra={"reason": str(error)})
        return
    if event.type != "link.created":
        # A filter policy takes up to 15 minutes to take effect:
        # https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html
        logger.warning("event of another type", extra={"code": event.code, "type": event.type})
        return
    dynamodb = aws.dynamodb()
    try:
        dynamodb.transact_write_items(TransactItems=[_mark(event), _add(event)])
    except dynamodb.exceptions.TransactionCanceledException as error:
        if error.response["CancellationReasons"][0]["Code"] != "ConditionalCheckFailed":
            raise


def links_by_day(days: int, today: date) -> LinksByDay:
    """How many links were created on each of the last `days` days, today's included."""
    wanted = [(today - timedelta(days=back)).isoformat() for back in range(days)]
    items = read_all(config.daily_links_table(), [{"day": {"S": day}} for day in wanted])
    found = {item["day"]["S"]: int(item["links"]["N"]) for item in items}
    return {"by_day": [{"day": day, "links": found[day]} for day in wanted if day in found]}


def _mark(event: LinkEvent) -> Any:
    expires_at = clock.now() + timedelta(days=MARKER_DAYS)
    return {
        "Put": {
            "TableName": config.daily_links_table(),
            "Item": {"day": {"S": f"event#{event.id}"}, "expires_at": {"N": str(int(expires_at.timestamp()))}},
            "ConditionExpression": "attribute_not_exists(#day)",
            "ExpressionAttributeNames": {"#day": "day"},
        }
    }


def _add(event: LinkEvent) -> Any:
    return {
        "Update": {
            "TableName": config.daily_links_table(),
            "Key": {"day": {"S": event.day}},
            "UpdateExpression": "ADD links :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }
    }
