"""Reading many items by their keys, of a table that is too busy for some of them."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError

from chalicelib import aws
from chalicelib.batches import MOST_TRIES, Item, read_all
from tests import infrastructure
from tests.builders import StoppedClock
from tests.faults import Faults
from tests.functional.visitor import Visitor

TABLE = infrastructure.environment()["BLOCKED_DOMAINS_TABLE"]

Busy = Callable[..., None]


@pytest.fixture
def busy(faults: Faults) -> Busy:
    """Call it with how many keys DynamoDB leaves unread of each call, the last ones; the last number of all others."""

    def leave(*numbers: int) -> None:
        rest = list(numbers)

        def unread(parsed: dict[str, Any], **_: Any) -> None:
            [[table, request]] = faults.calls[-1].params["RequestItems"].items()
            number = rest.pop(0) if len(rest) > 1 else rest[0]
            if left := request["Keys"][len(request["Keys"]) - number :]:
                parsed["UnprocessedKeys"] = {table: {**request, "Keys": left}}
            found = parsed["Responses"][table]
            parsed["Responses"][table] = [
                item for item in found if not any(key.items() <= item.items() for key in left)
            ]

        faults.handle(aws.dynamodb(), "after-call.dynamodb.BatchGetItem", unread)

    return leave


def given_domains(number: int) -> list[dict[str, Any]]:
    """As many items; gives their keys."""
    keys: list[dict[str, Any]] = [{"domain": {"S": f"{nth:03}.example"}} for nth in range(number)]
    for key in keys:
        infrastructure.dynamodb().put_item(TableName=TABLE, Item={**key, "reason": {"S": "phishing"}})
    return keys


def numbers_of_keys(faults: Faults) -> list[int]:
    """How many keys each call asked for."""
    return [len(call.params["RequestItems"][TABLE]["Keys"]) for call in faults.of("BatchGetItem")]


def in_order(items: list[Item]) -> list[Item]:
    return sorted(items, key=lambda item: str(item["domain"]["S"]))


def test_a_hundred_keys_are_read_at_a_time(faults: Faults) -> None:
    keys = given_domains(201)

    found = read_all(TABLE, [*keys, {"domain": {"S": "not-there.example"}}])

    assert [100, 100, 2] == numbers_of_keys(faults)
    assert [{**key, "reason": {"S": "phishing"}} for key in keys] == in_order(found)


def test_without_a_key_nothing_is_asked(faults: Faults) -> None:
    assert [] == read_all(TABLE, [])
    assert [] == faults.calls


def test_only_the_attributes_that_are_asked_for_are_read_and_as_consistently(faults: Faults) -> None:
    keys = given_domains(1)

    found = read_all(TABLE, keys, attributes=["reason"], consistent=False)

    [call] = faults.of("BatchGetItem")
    assert [{"reason": {"S": "phishing"}}] == found
    assert call.params["RequestItems"][TABLE]["ConsistentRead"] is False


def test_what_is_left_unread_is_read_again_after_pauses(busy: Busy, faults: Faults, clock: StoppedClock) -> None:
    keys = given_domains(MOST_TRIES)
    busy(*range(MOST_TRIES - 1, -1, -1))

    found = read_all(TABLE, keys, attributes=["domain"])

    assert keys == in_order(found)
    assert list(range(MOST_TRIES, 0, -1)) == numbers_of_keys(faults)
    assert MOST_TRIES - 1 == len(clock.sleeps) == len(set(clock.sleeps))


def test_what_stays_unread_is_given_up_as_any_call_that_failed(busy: Busy, faults: Faults, clock: StoppedClock) -> None:
    keys = given_domains(3)
    busy(2)

    with pytest.raises(BotoCoreError, match=f"2 keys of the table {TABLE} were not read in {MOST_TRIES} tries"):
        read_all(TABLE, keys)

    assert [3, *[2] * (MOST_TRIES - 1)] == numbers_of_keys(faults)
    assert MOST_TRIES - 1 == len(clock.sleeps)


def test_a_route_that_reads_a_table_which_stays_too_busy_answers_503_in_time(
    admin: Visitor, busy: Busy, clock: StoppedClock
) -> None:
    busy(1)

    answers = [admin.post("/links", {"url": "https://example.com/"}), admin.get("/analytics/links")]

    assert [503, 503] == [answer.status for answer in answers]
    assert sum(clock.sleeps) < 10
