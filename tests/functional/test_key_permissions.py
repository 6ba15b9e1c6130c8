"""What the functions' own policies let them do to the table of keys, by the rules of IAM and DynamoDB.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from chalicelib.access.store import note_use
from tests import infrastructure
from tests.builders import NOW, TOKEN
from tests.faults import Faults

KEY = {"Key": {"id": {"S": TOKEN.id}}}


def statements() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each statement about the table of keys, and whose it is."""
    for file in (infrastructure.ROOT / ".chalice").glob("policy-*.json"):
        for statement in json.loads(file.read_text())["Statement"]:
            if "ApiKeysTable" in json.dumps(statement["Resource"]):
                yield file.stem, statement


def is_allowed(operation: str, request: Mapping[str, Any]) -> bool:
    """Whether the API may make this request to the table of keys."""
    named = attributes(request)
    return any(
        f"dynamodb:{operation}" in statement["Action"]
        and all(
            holds(operator, key, operand, named)
            for operator, condition in statement.get("Condition", {}).items()
            for key, operand in condition.items()
        )
        for _, statement in statements()
    )


def holds(operator: str, key: str, operand: Any, named: set[str]) -> bool:
    """Whether a condition holds for a request that names these attributes. Knows only what the policy uses."""
    match operator, key:
        case "ForAllValues:StringEquals", "dynamodb:Attributes":
            return named <= set(operand)  # and so if there is none at all
        case "Null", "dynamodb:Attributes":
            return bool(operand == ("false" if named else "true"))
        case _:
            raise NotImplementedError(operator, key)


def attributes(request: Mapping[str, Any]) -> set[str]:
    """The top-level attributes that a request names, in its key, its expressions, or what came before these."""
    names = request.get("ExpressionAttributeNames", {})
    expressions = " ".join(request.get(f"{kind}Expression", "") for kind in ("Update", "Condition"))
    # A word that is no value (:new), no part of a path after the first, no function, and no SET or AND or the like.
    words = re.findall(r"(?<![:.#\w])#?[a-z_]\w*\b(?!\()", expressions)
    return {
        *request.get("Key", {}),
        *request.get("Item", {}),
        *request.get("AttributeUpdates", {}),
        *(names.get(word, word) for word in words),
    }


def test_only_the_api_reaches_the_keys() -> None:
    assert {"policy-api_handler"} == {owner for owner, _ in statements()}


def test_the_api_notes_when_a_key_was_last_used(faults: Faults) -> None:
    note_use(TOKEN.id, NOW)

    [call] = faults.calls
    assert ("UpdateItem", {"id", "last_used_at"}) == (call.operation, attributes(call.params))
    assert is_allowed(call.operation, call.params)


@pytest.mark.parametrize(
    ("operation", "given"),
    [
        ("UpdateItem", {**KEY, "UpdateExpression": "SET #r = :admin", "ExpressionAttributeNames": {"#r": "role"}}),
        ("UpdateItem", {**KEY, "UpdateExpression": "SET last_used_at = :now, owner = :me"}),
        ("UpdateItem", {**KEY, "UpdateExpression": "SET revoked = :no REMOVE expires_at"}),
        ("UpdateItem", {**KEY, "UpdateExpression": "SET #h = :mine", "ExpressionAttributeNames": {"#h": "hash"}}),
        ("UpdateItem", {**KEY, "AttributeUpdates": {"role": {"Value": {"S": "admin"}}}}),
        ("UpdateItem", {}),
        ("PutItem", {"Item": {**KEY["Key"], "role": {"S": "admin"}}}),
        ("PutItem", {"Item": KEY["Key"]}),
        ("DeleteItem", KEY),
        ("BatchWriteItem", {}),
        ("PartiQLInsert", {}),
        ("PartiQLUpdate", {}),
    ],
    ids=str,
)
def test_the_api_changes_nothing_else_of_a_key_and_makes_none(operation: str, given: Mapping[str, Any]) -> None:
    assert not is_allowed(operation, given)
