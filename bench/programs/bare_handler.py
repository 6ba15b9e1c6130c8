"""A redirect without a framework: what the app is compared with."""

import json
import os
import uuid
from datetime import UTC, datetime
from typing import Any

import boto3

dynamodb, sqs = boto3.client("dynamodb"), boto3.client("sqs")
memory: dict[str, str] = {}


def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """The same calls as the app makes, and the same answer."""
    code = event["pathParameters"]["code"]
    if code not in memory:
        memory[code] = _find(code)
    click = {"v": 1, "id": str(uuid.uuid4()), "code": code, "occurred_at": datetime.now(UTC).isoformat()}
    click |= {"referrer": event["headers"].get("Referer"), "user_agent": event["headers"].get("User-Agent")}
    sqs.send_message(QueueUrl=os.environ["CLICK_QUEUE_URL"], MessageBody=json.dumps(click))
    return {"statusCode": 302, "headers": {"Location": memory[code], "Cache-Control": "private, no-store"}, "body": ""}


def _find(code: str) -> str:
    cached = dynamodb.get_item(TableName=os.environ["REDIRECTS_TABLE"], Key={"code": {"S": code}})
    if "Item" in cached:
        return cached["Item"]["url"]["S"]
    link = dynamodb.get_item(TableName=os.environ["LINKS_TABLE"], Key={"code": {"S": code}}, ConsistentRead=True)
    item = {name: link["Item"][name] for name in ("code", "url", "status", "version")}
    dynamodb.put_item(
        TableName=os.environ["REDIRECTS_TABLE"], Item=item, ConditionExpression="attribute_not_exists(code)"
    )
    return link["Item"]["url"]["S"]
