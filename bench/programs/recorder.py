"""Count batches of clicks; prints to stderr how many clicks a second of CPU were counted.

A first batch is not measured, and who visited in it is forgotten: the process runs, and has seen no user agent yet.

Arguments: `app`, or `bare`, a conditional put and an update of the counter for each click; and a file with SQS events.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import at_the_stub  # noqa: F401
from lambda_functions import CONTEXT

what, events = sys.argv[1], json.loads(Path(sys.argv[2]).read_text())


def count_one_by_one(event: dict[str, Any], _: Any) -> None:
    """What anybody would write first; it is not exact."""
    for record in event["Records"]:
        click = json.loads(record["body"])
        key = {"code": {"S": click["code"]}}
        seen = {name: {"S": click[name]} for name in ("occurred_at", "referrer", "user_agent") if click[name]}
        dynamodb.put_item(
            TableName=os.environ["CLICKS_TABLE"],
            Item={**key, "click_id": {"S": click["id"]}, **seen},
            ConditionExpression="attribute_not_exists(click_id)",
        )
        dynamodb.update_item(
            TableName=os.environ["DAILY_CLICKS_TABLE"],
            Key={**key, "day#shard": {"S": click["occurred_at"][:10]}},
            UpdateExpression="ADD clicks :one",
            ExpressionAttributeValues={":one": {"N": "1"}},
        )


if what == "bare":
    import boto3

    dynamodb, count = boto3.client("dynamodb"), count_one_by_one
    count(events[0], CONTEXT)
else:
    from app import record_clicks as count
    from chalicelib import robots
    from chalicelib.clicks import dimensions

    count(events[0], CONTEXT)
    robots.forget()
    dimensions.forget()

before = time.process_time()
for event in events:
    assert not (count(event, CONTEXT) or {}).get("batchItemFailures")
spent = time.process_time() - before
print(json.dumps({"clicks": sum(len(event["Records"]) for event in events) / spent}), file=sys.stderr)
