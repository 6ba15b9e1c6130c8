"""No address of a visitor is in any table or log of the deployed stack."""

import json
import time
from typing import Any

from ops.shared.aws import client
from tests.addresses import ADDRESSES, HEADERS
from tests.deployed import Linkly, eventually, forbidden, logged


def test_a_visitors_address_is_nowhere_whatever_happens_to_the_click(linkly: Linkly) -> None:
    since = time.time()
    counted, unqueued, late = (linkly.create() for _ in range(3))

    linkly.visitor.get(f"/{counted}", headers=HEADERS)
    linkly.visitor.get("/nowhere", headers=HEADERS)
    linkly.visitor.post("/links", headers=HEADERS, content="{")
    eventually(lambda: linkly.total(counted) == 1)
    with forbidden("follow_link", "sqs:SendMessage"):
        linkly.visitor.get(f"/{unqueued}", headers=HEADERS)
    with forbidden("record_clicks", "dynamodb:UpdateItem"):
        linkly.visitor.get(f"/{late}", headers=HEADERS)
        eventually(lambda: logged("record_clicks", since, "messages failed") > 0)

    eventually(lambda: linkly.total(late) == 1)
    eventually(  # its creation, and its click
        lambda: logged("api_handler", since, unqueued) + logged("follow_link", since, unqueued) == 2
    )
    for text in (rows(), log_lines(since)):
        assert "Browser/1.0" in text
        assert [] == [address for address in ADDRESSES if address in text]


def rows() -> str:
    dynamodb = client("dynamodb")
    return json.dumps([dynamodb.scan(TableName=name)["Items"] for name in dynamodb.list_tables()["TableNames"]])


def log_lines(since: float) -> str:
    logs = client("logs")
    lines: list[Any] = []
    for group in logs.describe_log_groups()["logGroups"]:
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=group["logGroupName"], startTime=int(since * 1000)
        )
        lines += [event["message"] for page in pages for event in page["events"]]
    return json.dumps(lines)


def test_of_a_short_links_query_its_tags_are_kept_and_nothing_else(linkly: Linkly) -> None:
    since = time.time()
    code = linkly.create()

    with forbidden("follow_link", "sqs:SendMessage"):  # so that the log has the whole click
        linkly.visitor.get(f"/{code}", params={"utm_source": "Frühlings brief", "fbclid": "somebody"})

    eventually(lambda: logged("follow_link", since, code) == 1)
    assert 1 == logged("follow_link", since, "Frühlings brief")
    assert 0 == logged("follow_link", since, "somebody")
