"""DynamoDB, as far as counting clicks uses it, in memory. test_models.py holds it against moto.

A transaction takes time here: it begins, which locks its items, and is committed or abandoned later. Whoever touches a
locked item in between is told TransactionConflict, as in DynamoDB and never in moto, where a call is over at once.
What the model does not know it refuses, so that it cannot be wrong about it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests import infrastructure
from tests.faults import Fault, cancelled, refused

ItemKey = tuple[str, str, str]
"""Table, hash key, sort key; empty where there is none."""

SORT_KEYS: dict[str, str] = {
    resource["Properties"]["TableName"]["Fn::Sub"].rpartition("-")[2]: resource["Properties"]["KeySchema"][1][
        "AttributeName"
    ]
    for resource in infrastructure.template()["Resources"].values()
    if resource.get("Type") == "AWS::DynamoDB::Table" and len(resource["Properties"]["KeySchema"]) > 1
}
"""The sort key of each table that has one, by the table's name without its stage."""


@dataclass(eq=False)
class Pending:
    """A transaction that has begun: nobody else may touch its items until it is committed or abandoned."""

    actions: Sequence[dict[str, Any]]
    keys: list[ItemKey]


class Tables:
    """Stands in for botocore's client, whose real exceptions it raises."""

    def __init__(self) -> None:
        self.exceptions = infrastructure.dynamodb().exceptions
        self._items: dict[ItemKey, dict[str, Any]] = {}
        self._pending: list[Pending] = []
        self.refused: str | None = None
        """The code of a link whose breakdowns are refused, for a reason that nobody has thought of."""

    # What the app calls

    def transact_write_items(self, *, TransactItems: Sequence[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 (AWS)
        self.commit(self.begin(TransactItems))
        return {}

    def put_item(self, *, TableName: str, Item: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 (AWS)
        self._items[_item_key(TableName, Item)] = Item
        return {}

    def batch_get_item(self, *, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 (AWS)
        [[table, request]] = RequestItems.items()
        keys = [_item_key(table, key) for key in request["Keys"]]
        if not 1 <= len(keys) <= 100 or len(set(keys)) < len(keys):
            raise _error(refused("ValidationException"), "BatchGetItem")
        names = request["ExpressionAttributeNames"]
        wanted = [names[name] for name in request["ProjectionExpression"].split(", ")]
        found = [self._items[key] for key in keys if key in self._items]
        return {
            "Responses": {table: [{name: item[name] for name in wanted if name in item} for item in found]},
            "UnprocessedKeys": {},
        }

    def query(self, *, Limit: int | None = None, **question: Any) -> dict[str, Any]:  # noqa: N803 (AWS)
        [page] = self.paginate(**question)
        return {**page, "Items": page["Items"][:Limit]}

    def get_paginator(self, operation: str) -> "Tables":
        if operation != "query":
            raise NotImplementedError(operation)
        return self

    def paginate(  # noqa: PLR0913 (as many as the call has)
        self,
        *,
        TableName: str,  # noqa: N803 (AWS)
        KeyConditionExpression: str,  # noqa: N803 (AWS)
        ExpressionAttributeValues: dict[str, Any],  # noqa: N803 (AWS)
        ConsistentRead: bool,  # noqa: N803 (AWS)
        ProjectionExpression: str = "",  # noqa: N803 (AWS)
        ExpressionAttributeNames: dict[str, str] | None = None,  # noqa: N803 (AWS)
        FilterExpression: str = "",  # noqa: N803 (AWS)
    ) -> Iterator[dict[str, Any]]:
        names = ExpressionAttributeNames or {}
        values = {name: value["S"] for name, value in ExpressionAttributeValues.items()}
        ranged = KeyConditionExpression == "code = :code AND #sort_key BETWEEN :first AND :last"
        if not (ranged and names["#sort_key"] == _sort_key(TableName)) and KeyConditionExpression != "code = :code":
            raise NotImplementedError(KeyConditionExpression)
        if not ConsistentRead or FilterExpression not in ("", "occurred_at BETWEEN :first AND :last"):
            raise NotImplementedError(FilterExpression)
        wanted = [names[name] for name in ProjectionExpression.split(", ") if name]
        of = (TableName, values[":code"])
        keys = [key for key in self._items if key[:2] == of]
        found = [
            self._items[key] for key in sorted(keys) if not ranged or values[":first"] <= key[2] <= values[":last"]
        ]
        yield {
            "Items": [
                {name: item[name] for name in wanted or item if name in item}
                for item in found
                if not FilterExpression or values[":first"] <= item["occurred_at"]["S"] <= values[":last"]
            ],
            "ScannedCount": len(found),
        }

    # What becomes of a transaction

    def begin(self, actions: Sequence[dict[str, Any]]) -> Pending:
        """Lock the items of a transaction. Raises what DynamoDB would."""
        pending = Pending(actions, [_key(action) for action in actions])
        if not 1 <= len(actions) <= 100 or len(set(pending.keys)) < len(actions):
            raise _error(refused("ValidationException"))
        self._check(pending)
        self._pending.append(pending)
        return pending

    def commit(self, pending: Pending) -> None:
        """Write all of it. Raises TransactionCanceledException and writes nothing if one of its conditions fails."""
        self.abandon(pending)
        self._check(pending)
        for key, action in zip(pending.keys, pending.actions, strict=True):
            match action:
                case {"Put": {"Item": item}}:
                    self._items[key] = item
                case {"Delete": _}:
                    self._items.pop(key, None)
                case {"Update": update}:
                    self._items[key] = updated({**update["Key"], **self._items.get(key, {})}, update)

    def abandon(self, pending: Pending) -> None:
        """Forget a transaction, of which nothing is written."""
        self._pending.remove(pending)

    def reasons(self, actions: Sequence[dict[str, Any]]) -> list[str]:
        """Why these actions could not be written now: a code each, `None` if nothing speaks against it."""
        locked = {key for other in self._pending for key in other.keys}
        return [self._reason(action, _key(action), locked) for action in actions]

    def expire(self, now: datetime) -> None:
        """Delete what has expired. DynamoDB takes its time for that; the soonest is the worst for an exact count."""
        self._items = {
            key: item
            for key, item in self._items.items()
            if int(item.get("expires_at", {"N": "9" * 12})["N"]) > now.timestamp()
        }

    # What a test looks at

    def items(self, table: str) -> list[dict[str, Any]]:
        """All items of the table with this name."""
        return [self._items[key] for key in sorted(key for key in self._items if key[0] == table)]

    def items_of(self, written: Pending, table: str) -> list[dict[str, Any]]:
        """What a transaction that was committed has left of the items that it names, in this table."""
        return [self._items[key] for key in written.keys if key[0] == table and key in self._items]

    def has(self, table: str, code: str, sort_key: str) -> bool:
        return (table, code, sort_key) in self._items

    def is_locked(self, table: str, code: str) -> bool:
        return any((table, code, "") in pending.keys for pending in self._pending)

    def _check(self, pending: Pending) -> None:
        reasons = self.reasons(pending.actions)
        if set(reasons) != {"None"}:
            raise _error(cancelled(*reasons, items=self.items_met(pending.actions, reasons)))

    def items_met(self, actions: Sequence[dict[str, Any]], reasons: Sequence[str]) -> dict[int, Any]:
        """The items that failed conditions have met, by the number of their action, if it asks for that."""
        return {
            number: dict(self._items[_key(action)])
            for number, (action, reason) in enumerate(zip(actions, reasons, strict=True))
            if reason == "ConditionalCheckFailed"
            and action.get("Update", {}).get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
            and _key(action) in self._items
        }

    def _reason(self, action: dict[str, Any], key: ItemKey, locked: set[ItemKey]) -> str:
        if key in locked:
            return "TransactionConflict"
        there = self._items.get(key)
        match action:
            case (
                {"Put": {"ConditionExpression": condition} as write}
                | {"Delete": {"ConditionExpression": condition} as write}
                | {"ConditionCheck": {"ConditionExpression": "attribute_not_exists(clicks)" as condition} as write}
            ):
                fine = there is None if "not_exists" in condition else holds(condition, there or {}, write)
            case {"ConditionCheck": {"ConditionExpression": "version = :version"} as check}:
                fine = there is not None and there["version"] == check["ExpressionAttributeValues"][":version"]
            case {"ConditionCheck": {"ExpressionAttributeValues": {":deleted": deleted, ":version": {"N": version}}}}:
                fine = there is not None and there["status"] == deleted
                fine = fine and int((there or {})["version"]["N"]) <= int(version)
            case {"Update": {"Key": {"code": {"S": code}}, "ExpressionAttributeNames": names}} if (
                code == self.refused and len(names) > 1
            ):
                return "ValidationError"
            case {"Update": {"ConditionExpression": _} as update}:
                fine = all(holds(term, there or {}, update) for term in update["ConditionExpression"].split(" AND "))
            case _:
                fine = True
        return "None" if fine else "ConditionalCheckFailed"


def updated(item: dict[str, Any], update: dict[str, Any]) -> dict[str, Any]:
    """The item after an update of the form `SET v = :v ADD #0 :1, #1 :2`."""
    names, values = update.get("ExpressionAttributeNames", {}), update["ExpressionAttributeValues"]
    sets, adds = re.fullmatch(r"(?:SET (.+) )?ADD (.+)", update["UpdateExpression"]).groups()  # type: ignore[union-attr]
    item = dict(item)
    for assignment in sets.split(", ") if sets else ():
        name, _, value = assignment.partition(" = ")
        item[names.get(name, name)] = values[value]
    for addition in adds.split(", "):
        name, value = addition.split(" ")
        name = names.get(name, name)
        item[name] = {"N": str(int(item.get(name, {"N": "0"})["N"]) + int(values[value]["N"]))}
    return item


def holds(term: str, item: dict[str, Any], update: dict[str, Any]) -> bool:
    """Whether one term of a counter's condition holds for an item."""
    names, values = update.get("ExpressionAttributeNames", {}), update["ExpressionAttributeValues"]
    if match := re.fullmatch(r"attribute_exists\((.+)\)", term):
        return names.get(match[1], match[1]) in item
    if term == "(attribute_not_exists(v) OR v <= :room)":
        return "v" not in item or int(item["v"]["N"]) <= int(values[":room"]["N"])
    if term == "clicks = :as_read":
        return bool(item) and item["clicks"] == values[":as_read"]
    raise NotImplementedError(term)


def _key(action: dict[str, Any]) -> ItemKey:
    match action:
        case {"Put": {"TableName": table, "Item": item, **rest}} if rest.get("ConditionExpression") in (
            None,
            "attribute_not_exists(clicks)",
            "clicks = :as_read",
            f"attribute_not_exists({_sort_key(table)})",
        ):
            pass
        case {"Update": {"TableName": table, "Key": item, "UpdateExpression": _}}:
            pass
        case {"Delete": {"TableName": table, "Key": item, **rest}} if rest.get("ConditionExpression") in (
            None,
            "clicks = :as_read",
        ):
            pass
        case {
            "ConditionCheck": {
                "TableName": table,
                "Key": item,
                "ConditionExpression": "#status = :deleted AND version <= :version",
                "ExpressionAttributeNames": {"#status": "status"},
            }
        }:
            pass
        case {
            "ConditionCheck": {
                "TableName": table,
                "Key": item,
                "ConditionExpression": "version = :version" | "attribute_not_exists(clicks)",
            }
        }:
            pass
        case _:
            raise NotImplementedError(action)
    return _item_key(table, item)


def _item_key(table: str, item: dict[str, Any]) -> ItemKey:
    sort_key = _sort_key(table)
    return (table, item["code"]["S"], item[sort_key]["S"] if sort_key else "")


def _sort_key(table: str) -> str | None:
    return SORT_KEYS.get(table.rpartition("-")[2])


def _error(fault: Fault, operation: str = "TransactWriteItems") -> Exception:
    error: Exception = fault.error(infrastructure.dynamodb(), operation)
    return error
