"""Every click that was accepted is counted, once."""

import uuid
from datetime import UTC, datetime

from chalicelib import aws, config
from chalicelib.clicks.click import Click, encode
from ops.shared.aws import client
from tests.deployed import Linkly, dead_letters_url, eventually, waiting


def send(body: str) -> None:
    client("sqs").send_message(QueueUrl=config.click_queue_url(), MessageBody=body)


def message(code: str) -> str:
    return encode(
        Click(
            v=1,
            id=uuid.uuid4(),
            code=code,
            occurred_at=datetime.now(UTC),
            referrer=None,
            user_agent="curl/8",
            country=None,
        )
    )


def switch_consumer(*, on: bool) -> None:
    functions = client("lambda")
    [mapping] = functions.list_event_source_mappings(FunctionName="linkly-local-record_clicks")["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=on)
    state = "Enabled" if on else "Disabled"
    eventually(lambda: functions.get_event_source_mapping(UUID=mapping["UUID"])["State"] == state)


def test_fifty_follows_make_fifty_and_twenty_more_wait_while_the_consumer_is_off(linkly: Linkly) -> None:
    code = linkly.create()

    linkly.follow(code, times=50)
    eventually(lambda: linkly.total(code) == 50)

    switch_consumer(on=False)
    linkly.follow(code, times=20)
    assert (waiting(config.click_queue_url()), linkly.total(code)) == (20, 50)

    switch_consumer(on=True)
    eventually(lambda: linkly.total(code) == 70)
    eventually(lambda: waiting(config.click_queue_url()) == 0)
    assert linkly.total(code) == 70


def test_the_same_message_sent_five_times_counts_once(linkly: Linkly) -> None:
    code = linkly.create()
    same = message(code)

    for _ in range(5):
        send(same)
    eventually(lambda: waiting(config.click_queue_url()) == 0)

    assert linkly.total(code) == 1


def test_a_poisoned_message_among_ten_ends_in_the_dead_letter_queue_alone(linkly: Linkly) -> None:
    code = linkly.create()
    poison = '{"v": 1, "code": "<script>"}'
    before = waiting(dead_letters_url())

    for _ in range(9):
        send(message(code))
    send(poison)

    eventually(lambda: linkly.total(code) == 9)
    eventually(lambda: waiting(dead_letters_url()) == before + 1, within=60)
    eventually(lambda: waiting(config.click_queue_url()) == 0)
    assert linkly.total(code) == 9
    [dead] = client("sqs").receive_message(QueueUrl=dead_letters_url(), VisibilityTimeout=0)["Messages"]
    assert poison == dead["Body"]


def test_a_click_has_a_row_that_expires_and_holds_no_address(linkly: Linkly) -> None:
    code = linkly.create()

    linkly.visitor.get(f"/{code}", headers={"User-Agent": "a browser", "Referer": "https://example.org/"})
    eventually(lambda: linkly.total(code) == 1)

    [row] = aws.dynamodb().query(
        TableName=config.clicks_table(),
        KeyConditionExpression="code = :code",
        ExpressionAttributeValues={":code": {"S": code}},
    )["Items"]
    occurred_at = datetime.fromisoformat(row["occurred_at"]["S"])
    assert {
        "code": {"S": code},
        "click_id": row["click_id"],
        "occurred_at": row["occurred_at"],
        "expires_at": {"N": str(int(occurred_at.timestamp()) + 90 * 86_400)},
        "referrer": {"S": "https://example.org/"},
        "user_agent": {"S": "a browser"},
    } == row
