"""Break each AWS call in turn, in every way there is. What is promised holds whichever it was."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from chalicelib.clicks import recorder, transactions
from chalicelib.deliveries import BatchFailed
from chalicelib.links.store import insert_link
from chalicelib.redirects import follow
from tests import infrastructure
from tests.builders import LambdaContext, a_link, a_message, an_sqs_event, clicks
from tests.faults import (
    Fault,
    Faults,
    lost,
    lost_once,
    refused,
    reset,
    throttled,
    timed_out,
    unavailable,
)
from tests.functional.visitor import Visitor

EVERY_FAULT = [
    throttled(),
    unavailable(),
    refused("AccessDeniedException"),
    timed_out(),
    reset(),
    lost(timed_out()),
    lost(unavailable()),
    lost_once(),
]


@pytest.mark.parametrize("fault", EVERY_FAULT, ids=str)
def test_whichever_call_breaks_a_batch_that_is_delivered_again_counts_once(
    faults: Faults, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    monkeypatch.setattr(transactions, "MOST_ACTIONS", 4)
    for number in faults.each_call(fault):
        # Three transactions, a copy, and a message that has to be put off.
        code = f"round-{number}"
        made = [*clicks(4, code=code), *clicks(2, code=f"{code}-too")]
        records = [*map(a_message, [*made, made[0]]), a_message("no click")]
        event = an_sqs_event(*records)

        answer: dict[str, Any] = {"batchItemFailures": [{"itemIdentifier": each["messageId"]} for each in records]}
        with suppress(BatchFailed):
            answer = recorder.record_clicks(event, LambdaContext())
        failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        deleted = {each["body"] for each in records if each["messageId"] not in failed}
        rows_at_first = rows_of(code)
        faults.repair()
        recorder.record_clicks(event, LambdaContext())

        assert {json.loads(body)["id"] for body in deleted} <= rows_at_first
        assert {str(click.id) for click in made} == rows_of(code)
        assert 6 == count_of(code)

    assert {"BatchGetItem", "TransactWriteItems", "ChangeMessageVisibilityBatch"} == {
        call.operation for call in faults.broken
    }


@pytest.mark.parametrize("fault", EVERY_FAULT, ids=str)
def test_whichever_call_breaks_a_known_link_is_followed_and_its_click_is_queued_or_logged(
    visitor: Visitor, faults: Faults, logs: Callable[[], list[dict[str, Any]]], fault: Fault
) -> None:
    insert_link(a_link(code="my-link", url="https://example.com/"))
    visitor.get("/my-link")
    infrastructure.receive()

    for _ in faults.each_call(fault):
        follow.forget()
        lines_before = len(logs())

        answer = visitor.get("/my-link")

        queued = [each["body"] for each in infrastructure.receive()]
        logged = [line["unqueued_click"] for line in logs()[lines_before:] if "unqueued_click" in line]
        assert (302, "https://example.com/") == (answer.status, answer.headers["Location"])
        assert 1 == len({json.loads(message)["id"] for message in queued + logged})

    assert ["GetItem", "SendMessage"] == sorted({call.operation for call in faults.broken})


def rows_of(code: str) -> set[str]:
    return {item["click_id"] for item in infrastructure.items("CLICKS_TABLE") if item["code"].startswith(code)}


def count_of(code: str) -> int:
    return sum(item["clicks"] for item in infrastructure.items("DAILY_CLICKS_TABLE") if item["code"].startswith(code))
