"""Removes what was counted of a deleted link: its clicks' rows and its counters.

In bounded steps: when time runs out, the message is sent again and the next run goes on with what is left. Running it
twice is harmless, since what is gone is gone. How many clicks a day had, on all links together, stays known: a counter
goes in one transaction with being added to those of DELETED_LINKS.

A message only says where to look. Each step is a transaction that also asks the link itself, whether it is deleted and
at no newer version than the message has: so a link that was restored loses nothing from then on, even if that happens
in the middle. A day's counters go together, so that of each day either all clicks count or none, and those can be
counted again (ops/repairing/restore.py).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from chalicelib import aws, clock, config
from chalicelib.clicks.counters import DELETED_LINKS, SORT_KEY, clicks_in, counters_of, day_of, own_shard, sort_key
from chalicelib.clicks.transactions import MOST_ACTIONS
from chalicelib.deliveries import Delivery, PermanentFailure, handle_each
from chalicelib.links.events import LinkEvent, UndecodableEvent, decode
from chalicelib.links.status import Status
from chalicelib.observability import logger, measured

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef

    Item = Mapping[str, AttributeValueTypeDef]
    Actions = Sequence[TransactWriteItemTypeDef]

_ROWS = MOST_ACTIONS - 1
"""That go in one transaction, beside the question whether the link is deleted."""


def purge_clicks(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Purge the links in an SQS event of link events; returns the partial batch response. Raises BatchFailed."""
    return handle_each(event, context, config.deleted_links_queue_url(), _purge)


def _purge(delivery: Delivery, seconds_left: Callable[[], float]) -> None:
    try:
        deletion = decode(delivery.body)
    except UndecodableEvent as error:
        raise PermanentFailure(f"undecodable: {error}") from error
    if deletion.type != "link.deleted":
        logger.warning("event of another type", extra={"code": deletion.code, "type": deletion.type})
        return
    dynamodb = aws.dynamodb()
    removed = tries = 0
    for step in _steps(deletion.code):
        if seconds_left() <= 0:
            # A new message, since this one may be delivered only five times.
            aws.sqs().send_message(QueueUrl=config.deleted_links_queue_url(), MessageBody=delivery.body)
            _log("purge goes on later", deletion, removed)
            return
        try:
            dynamodb.transact_write_items(TransactItems=[_still_deleted(deletion), *step])
        except dynamodb.exceptions.TransactionCanceledException as error:
            if error.response["CancellationReasons"][0]["Code"] == "ConditionalCheckFailed":
                _log("clicks kept, since the link is not deleted", deletion, removed)
                return
            tries += 1
            clock.back_off(tries)
        else:
            tries = 0
            removed += sum("Delete" in action for action in step)
    _log("clicks purged", deletion, removed)


def _log(what: str, deletion: LinkEvent, removed: int) -> None:
    logger.info(what, extra={"code": deletion.code, "version": deletion.version, **measured(RowsPurged=removed)})


def _steps(code: str) -> "Iterator[Actions]":
    """What is left to do, a transaction at a time: rows, then counters, looked for again until none is left."""
    while rows := _some_rows(code):
        for start in range(0, len(rows), _ROWS):
            yield [_delete_row(row) for row in rows[start : start + _ROWS]]
    while counters := list(counters_of(code)):
        for day, shards in groupby(counters, lambda counter: day_of(counter[SORT_KEY]["S"])):
            yield _move(day, list(shards))


def _still_deleted(deletion: LinkEvent) -> "TransactWriteItemTypeDef":
    return {
        "ConditionCheck": {
            "TableName": config.links_table(),
            "Key": {"code": {"S": deletion.code}},
            "ConditionExpression": "#status = :deleted AND version <= :version",
            "ExpressionAttributeNames": {"#status": "status"},
            "ExpressionAttributeValues": {
                ":deleted": {"S": Status.DELETED.value},
                ":version": {"N": str(deletion.version)},
            },
        }
    }


def _some_rows(code: str) -> "Sequence[Item]":
    answer = aws.dynamodb().query(
        TableName=config.clicks_table(),
        KeyConditionExpression="code = :code",
        ExpressionAttributeValues={":code": {"S": code}},
        ConsistentRead=True,
        Limit=1000,
    )
    return answer["Items"]


def _delete_row(row: "Item") -> "TransactWriteItemTypeDef":
    key = {name: row[name] for name in ("code", "click_id")}
    return {"Delete": {"TableName": config.clicks_table(), "Key": key}}


def _move(day: str, counters: "Sequence[Item]") -> "Actions":
    """Move a day's counters to DELETED_LINKS, each at the value that was read. One that has grown is read again."""
    return [*map(_delete_counter, counters), _add(day, clicks_in(counters))]


def _delete_counter(counter: "Item") -> "TransactWriteItemTypeDef":
    return {
        "Delete": {
            "TableName": config.daily_clicks_table(),
            "Key": {name: counter[name] for name in ("code", SORT_KEY)},
            "ConditionExpression": "clicks = :as_read",
            "ExpressionAttributeValues": {":as_read": counter["clicks"]},
        }
    }


def _add(day: str, amount: int) -> "TransactWriteItemTypeDef":
    return {
        "Update": {
            "TableName": config.daily_clicks_table(),
            "Key": {"code": {"S": DELETED_LINKS}, SORT_KEY: {"S": sort_key(day, own_shard())}},
            "UpdateExpression": "ADD clicks :amount",
            "ExpressionAttributeValues": {":amount": {"N": str(amount)}},
        }
    }
