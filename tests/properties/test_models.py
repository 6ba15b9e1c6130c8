"""The models of DynamoDB and SQS answer as moto does, call by call: what holds on them is no fiction of theirs.

What moto cannot show is left out here, and is the models' own: that transactions overlap in time, and that SQS delivers
a message twice. docs/exactness.md says where AWS describes it.
"""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib import aws
from chalicelib.batches import read_all
from chalicelib.clicks import counters, purge
from chalicelib.clicks.click import Click, encode
from chalicelib.links.events import LinkEvent
from ops.repairing import days, recount
from tests import infrastructure
from tests.builders import NOW, TODAY, StoppedClock, a_click, actions_of, clicks
from tests.properties.queues import MOST_RECEIVES, VISIBILITY_SECONDS, Queues
from tests.properties.tables import Tables

QUEUE, DEAD_LETTER_QUEUE = (
    infrastructure.queue_url(name) for name in (infrastructure.CLICK_QUEUE, infrastructure.CLICK_DEAD_LETTER_QUEUE)
)


@pytest.fixture(params=["model", "moto"], autouse=True)
def either(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, clock: StoppedClock) -> Iterator[None]:
    """Each test runs on the models, and on moto."""
    if request.param == "moto":
        with infrastructure.emulated_aws():
            monkeypatch.setattr(aws, "sqs", infrastructure.sqs)  # the app's own can only send and put off
            yield
    else:
        tables, queues = Tables(), Queues(clock.now)
        monkeypatch.setattr(aws, "dynamodb", lambda *_: tables)
        monkeypatch.setattr(aws, "sqs", lambda *_: queues)
        yield


# DynamoDB


def write(*made: Click, shard: int = 7) -> None:
    aws.dynamodb().transact_write_items(TransactItems=actions_of(*made, shard=shard))


def refusal(items: list[Any]) -> tuple[str, int, list[str]]:
    """The error that these actions get: its code, its status and the codes of its reasons."""
    with pytest.raises(ClientError) as caught:
        aws.dynamodb().transact_write_items(TransactItems=items)
    response: Any = caught.value.response
    reasons = [reason["Code"] for reason in response.get("CancellationReasons", [])]
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"], reasons


def counted() -> dict[str, int]:
    return {**counters.clicks_by_day("my-link")}


def test_a_transaction_writes_its_rows_and_adds_to_its_counters() -> None:
    write(*clicks(3))
    write(*clicks(2))
    write(*clicks(1), shard=8)

    assert {TODAY: 6} == counted()


def test_a_transaction_with_a_row_that_exists_writes_nothing_and_says_which() -> None:
    known, new, too = clicks(3)
    write(known)

    answer = refusal(actions_of(new, known, too))

    assert ("TransactionCanceledException", 400, ["None", "ConditionalCheckFailed", "None", "None"]) == answer
    assert {TODAY: 1} == counted()
    write(new, too)
    assert {TODAY: 3} == counted()


def test_every_row_that_exists_is_named() -> None:
    known = clicks(3)
    write(*known)
    failed = "ConditionalCheckFailed"

    assert {("TransactionCanceledException", 400, (failed, failed, failed, "None"))} == {
        (code, status, tuple(reasons))
        for code, status, reasons in (refusal(actions_of(*order)) for order in permutations(known))
    }


def test_a_cancellation_is_the_exception_that_the_recorder_catches() -> None:
    click = a_click()
    write(click)

    with pytest.raises(aws.dynamodb().exceptions.TransactionCanceledException):
        write(click)


def test_a_row_without_a_condition_is_written_over() -> None:
    click = a_click()
    write(click)
    again = actions_of(click)
    del again[0]["Put"]["ConditionExpression"]

    aws.dynamodb().transact_write_items(TransactItems=again)

    assert {TODAY: 2} == counted()


def test_the_same_id_on_another_link_is_another_row() -> None:
    click = a_click()
    write(click)
    write(a_click(id=click.id, code="my-other-link"))

    assert {TODAY: 1} == counted()


def test_a_transaction_has_at_most_a_hundred_actions() -> None:
    assert "ValidationException" == refusal(actions_of(*clicks(100)))[0]
    write(*clicks(99))
    assert {TODAY: 99} == counted()


def test_a_transaction_touches_an_item_once() -> None:
    click = a_click()

    assert "ValidationException" == refusal([*actions_of(click)[:1], *actions_of(click)])[0]
    assert {} == counted()


# The purge


LINKS, ROWS, COUNTERS = (
    infrastructure.environment()[name] for name in ("LINKS_TABLE", "CLICKS_TABLE", "DAILY_CLICKS_TABLE")
)


def given_link(code: str, status: str = "deleted", version: int = 2) -> None:
    item: Any = {"code": {"S": code}, "status": {"S": status}, "version": {"N": str(version)}}
    aws.dynamodb().put_item(TableName=LINKS, Item=item)


def still_deleted(code: str = "my-link", version: int = 2) -> Any:
    url = "https://example.com/"
    deletion = LinkEvent(
        v=1, id=uuid.UUID(int=1), type="link.deleted", code=code, url=url, version=version, occurred_at=NOW
    )
    return purge._still_deleted(deletion)  # noqa: SLF001 (the very action)


def delete_row(click: Click) -> Any:
    return {"Delete": {"TableName": ROWS, "Key": {"code": {"S": click.code}, "click_id": {"S": str(click.id)}}}}


def delete_counter(clicks: int, shard: int = 7) -> Any:
    key: Any = {"code": {"S": "my-link"}, counters.SORT_KEY: {"S": counters.sort_key(TODAY, shard)}}
    return purge._delete_counter({**key, "clicks": {"N": str(clicks)}})  # noqa: SLF001 (the very action)


def rows() -> list[str]:
    answer = aws.dynamodb().query(
        TableName=ROWS,
        KeyConditionExpression="code = :code",
        ExpressionAttributeValues={":code": {"S": "my-link"}},
        ConsistentRead=True,
        Limit=2,
    )
    return [item["click_id"]["S"] for item in answer["Items"]]


def test_rows_and_counters_of_a_link_that_is_still_deleted_are_removed_together() -> None:
    made = sorted(clicks(3), key=lambda click: str(click.id))
    write(*made)
    given_link("my-link")

    some = rows()
    aws.dynamodb().transact_write_items(
        TransactItems=[still_deleted(), *map(delete_row, made), delete_row(a_click()), delete_counter(3)]
    )

    assert [str(click.id) for click in made[:2]] == some
    assert ([], {}) == (rows(), counted())


@pytest.mark.parametrize(("status", "version"), [("active", 2), ("active", 3), ("deleted", 3), (None, 0)])
def test_nothing_is_removed_of_a_link_that_is_not_deleted_or_again(status: str | None, version: int) -> None:
    click = a_click()
    write(click)
    if status:
        given_link("my-link", status, version)

    answer = refusal([still_deleted(), delete_row(click)])

    assert ("TransactionCanceledException", 400, ["ConditionalCheckFailed", "None"]) == answer
    assert [str(click.id)] == rows()


@pytest.mark.parametrize(("read", "shard"), [(2, 7), (3, 8)], ids=["it has grown", "it is gone"])
def test_a_counter_is_removed_only_as_it_was_read(read: int, shard: int) -> None:
    write(*clicks(3))
    given_link("my-link")

    answer = refusal([still_deleted(), delete_counter(read, shard)])

    assert ("TransactionCanceledException", 400, ["None", "ConditionalCheckFailed"]) == answer
    assert {TODAY: 3} == counted()


def test_items_are_read_by_their_keys() -> None:
    given_link("gone")
    given_link("alive", "active")

    found = read_all(
        LINKS, [{"code": {"S": code}} for code in ("gone", "alive", "nobodys")], attributes=("code", "status")
    )

    assert {"gone": "deleted", "alive": "active"} == {item["code"]["S"]: item["status"]["S"] for item in found}


@pytest.mark.parametrize("codes", [["one", "one"], [f"link-{number}" for number in range(101)]], ids=["twice", "101"])
def test_a_key_is_read_once_and_a_hundred_at_once(codes: list[str]) -> None:
    keys: Any = [{"code": {"S": code}} for code in codes]

    with pytest.raises(ClientError, match="ValidationException"):
        aws.dynamodb().batch_get_item(RequestItems={LINKS: {"Keys": keys}})


# The recount


OLD_SHARD = 12


def recounted(*counters: dict[str, Any], version: str = "2", as_read: Any = None) -> str | None:
    """Put these in the place of today's counters, as they are or were read; why not."""
    read = days.read_day("my-link", TODAY) if as_read is None else as_read
    return days.replace_day("my-link", version, TODAY, read, counters)


def a_counter(shard: int, clicks: int) -> dict[str, Any]:
    return {
        "code": {"S": "my-link"},
        counters.SORT_KEY: {"S": counters.sort_key(TODAY, shard)},
        "clicks": {"N": str(clicks)},
    }


def test_a_day_is_read_whole_and_no_other() -> None:
    write(*clicks(2))
    write(*clicks(1), shard=0)
    for other in ({"code": "my-other-link"}, {"occurred_at": NOW + timedelta(days=1)}):
        write(a_click(**other))
    write(a_click(occurred_at=NOW - timedelta(days=1)), shard=15)

    found = days.read_day("my-link", TODAY)

    assert [("00", "1"), ("07", "2")] == [(each[counters.SORT_KEY]["S"][-2:], each["clicks"]["N"]) for each in found]


def test_the_rows_of_some_days_are_found_among_all() -> None:
    made = {back: clicks(back, occurred_at=NOW - timedelta(days=back)) for back in (1, 2, 3, 4)}
    write(*(click for each in made.values() for click in each))
    write(a_click(code="my-other-link", occurred_at=NOW - timedelta(days=2)))
    looked_at: list[int] = []

    found = recount._amounts("my-link", ["2026-05-24", "2026-05-25"], looked_at.append)  # noqa: SLF001 (the very call)

    assert {"2026-05-24": 3, "2026-05-25": 2} == {day: amounts["clicks"] for day, amounts in found.items()}
    assert 10 == looked_at[-1]


def test_a_day_is_replaced_by_what_is_put_in_its_place() -> None:
    given_link("my-link", "active")
    write(*clicks(2))
    write(*clicks(1), shard=OLD_SHARD)

    done = recounted(a_counter(OLD_SHARD, 2), a_counter(8, 1))

    assert (None, [a_counter(8, 1), a_counter(OLD_SHARD, 2)]) == (done, days.read_day("my-link", TODAY))


@pytest.mark.parametrize("shard", [7, OLD_SHARD, 8], ids=["it has grown", "it has grown too", "it is new"])
@pytest.mark.parametrize("merged", [7, 8], ids=["in one that is there", "in a new one"])
def test_a_day_to_which_a_click_came_is_not_replaced(shard: int, merged: int) -> None:
    given_link("my-link", "active")
    write(*clicks(2))
    write(*clicks(1), shard=OLD_SHARD)
    read = days.read_day("my-link", TODAY)
    write(*clicks(1), shard=shard)

    assert "ConditionalCheckFailed" == recounted(a_counter(merged, 3), as_read=read)
    assert {TODAY: 4} == counted()


@pytest.mark.parametrize("gone", [True, False], ids=["it is gone", "it has another number"])
def test_a_day_whose_counters_are_less_is_not_replaced(gone: bool) -> None:
    given_link("my-link", "active")
    if not gone:
        write(*clicks(2))

    assert "ConditionalCheckFailed" == recounted(as_read=[a_counter(7, 3)])
    assert ({} if gone else {TODAY: 2}) == counted()


@pytest.mark.parametrize("version", ["1", "3", None])
def test_a_day_of_a_link_that_has_changed_is_not_replaced(version: str | None) -> None:
    if version:
        given_link("my-link", "active", int(version))
    write(*clicks(3))

    assert "ConditionalCheckFailed" == recounted(a_counter(8, 3))
    assert {TODAY: 3} == counted()


@pytest.mark.parametrize(("status", "version"), [("active", "2"), ("deleted", None), (None, None)])
def test_a_link_has_a_version_while_it_lives(status: str | None, version: str | None) -> None:
    if status:
        given_link("my-link", status)

    assert version == days.version_if_alive("my-link")


# SQS


def send(body: str) -> str:
    return str(aws.sqs().send_message(QueueUrl=QUEUE, MessageBody=body)["MessageId"])


def received(queue: str = QUEUE) -> list[Any]:
    answer = aws.sqs().receive_message(QueueUrl=queue, MaxNumberOfMessages=10, AttributeNames=["All"])
    return [*answer.get("Messages", [])]


def seen(queue: str = QUEUE) -> list[tuple[str, str, str]]:
    return [
        (message["MessageId"], message["Body"], message["Attributes"]["ApproximateReceiveCount"])
        for message in received(queue)
    ]


def put_off(seconds: int, *receipts: str) -> list[list[str]]:
    """Change the visibility of the messages with these receipts; the numbers of those that succeeded and failed."""
    entries: Any = [
        {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": seconds}
        for number, receipt in enumerate(receipts)
    ]
    answer: Any = aws.sqs().change_message_visibility_batch(QueueUrl=QUEUE, Entries=entries)
    return [[each["Id"] for each in answer.get(name, [])] for name in ("Successful", "Failed")]


def test_a_message_that_was_received_is_hidden_until_it_is_put_back() -> None:
    body = encode(a_click())
    identity = send(body)
    (message,) = received()
    hidden = seen()

    changed = put_off(0, message["ReceiptHandle"])

    assert (identity, body) == (message["MessageId"], message["Body"])
    assert [] == hidden
    assert [["0"], []] == changed
    assert [(identity, body, "2")] == seen()


def test_an_earlier_receipt_still_counts() -> None:
    send("a")
    (first,) = received()
    put_off(0, first["ReceiptHandle"])
    (second,) = received()

    assert first["ReceiptHandle"] != second["ReceiptHandle"]
    assert [["0", "1"], []] == put_off(0, first["ReceiptHandle"], second["ReceiptHandle"])


def test_a_message_that_is_put_off_stays_hidden() -> None:
    send("a")
    (message,) = received()

    put_off(VISIBILITY_SECONDS, message["ReceiptHandle"])

    assert [] == seen()


def test_a_message_that_was_deleted_is_gone() -> None:
    send("a")
    kept = send("b")
    messages = {message["Body"]: message for message in received()}

    aws.sqs().delete_message(QueueUrl=QUEUE, ReceiptHandle=messages["a"]["ReceiptHandle"])
    put_off(0, messages["b"]["ReceiptHandle"])

    assert [(kept, "b", "2")] == seen()


def test_a_message_that_was_received_too_often_is_a_dead_letter_with_the_id_it_had() -> None:
    identity = send("a")

    counts = []
    while messages := received():
        counts += [message["Attributes"]["ApproximateReceiveCount"] for message in messages]
        put_off(0, messages[0]["ReceiptHandle"])

    assert [str(number) for number in range(1, MOST_RECEIVES + 1)] == counts
    assert [(identity, "a")] == [(each[0], each[1]) for each in seen(DEAD_LETTER_QUEUE)]
