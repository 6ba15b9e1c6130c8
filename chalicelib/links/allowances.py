"""How often links with `max_clicks` were followed: table `allowances`, by `code`.

A click is taken from the allowance before the visitor is redirected, by one conditional write: so there are never more
redirects than are allowed, whoever comes at once. If the answer to the write is lost and it is sent again, there may be
fewer. The item of a deleted link stays, so that one that is restored does not begin again.
"""

from chalicelib import config
from chalicelib.calls import Call, ConditionFailed, by_sdk


def take(code: str, most: int, call: Call = by_sdk) -> bool:
    """Use up one of `most` clicks; whether there was one left. Raises CallFailed."""
    write = {
        "TableName": config.allowances_table(),
        "Key": {"code": {"S": code}},
        "UpdateExpression": "ADD used :one",
        "ConditionExpression": "attribute_not_exists(used) OR used < :most",
        "ExpressionAttributeValues": {":one": {"N": "1"}, ":most": {"N": str(most)}},
    }
    try:
        call("UpdateItem", write)
    except ConditionFailed:
        return False
    return True


def used(code: str, call: Call = by_sdk) -> int:
    """How many clicks of a link are used up, as of now (a consistent read). Raises CallFailed."""
    read = {"TableName": config.allowances_table(), "Key": {"code": {"S": code}}, "ConsistentRead": True}
    item = call("GetItem", read).get("Item", {})
    return int(item["used"]["N"]) if "used" in item else 0
