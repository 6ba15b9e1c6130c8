"""`python -m ops dlq`: look into the dead-letter queues, and send back what waits there."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from ops.aws import client
from ops.deploy import queue_depth, stack_name
from ops.logs import json_lines
from ops.stages import Stage, connect

commands = typer.Typer(no_args_is_help=True, help="Look into the dead-letter queues, and send back what waits there.")

CONSUMERS = {
    "clicks": "record_clicks",
    "link-changes": "refresh_redirects",
    "deleted-links": "purge_clicks",
    "link-events": "count_created_links",
}
"""The function whose dead letters are in each queue, by the queue's name without `-dlq`."""

NO_QUEUE = "link-events"
"""SNS calls this one's function itself, without a queue between them."""

Name = Annotated[str, typer.Argument(help=f"One of {', '.join(CONSUMERS)}.")]

_DAY = 24 * 60 * 60


@commands.command(name="list")
def list_(stage: Stage = None) -> None:
    """Show each dead-letter queue, how many messages wait in it, and how long the oldest has been there."""
    stage = connect(stage)
    table = Table("queue", "messages", "oldest")
    for name in CONSUMERS:
        url = _url(stage, name, "-dlq")
        number = queue_depth(url)  # before looking, so that there is an age for whatever is in it
        with looked_at(url) as messages:
            oldest = min((int(each["Attributes"]["SentTimestamp"]) / 1000 for each in messages), default=None)
        table.add_row(name, str(max(number, len(messages))), _age(oldest))
    Console().print(table)


@commands.command()
def show(name: Name, stage: Stage = None) -> None:
    """Show what waits in a dead-letter queue, each message with the reason that came with it or was last logged."""
    stage = connect(stage)
    url = _url(stage, name, "-dlq")
    logged = {} if name == NO_QUEUE else _reasons(stage, name)
    with looked_at(url) as messages:
        for message in messages:
            content, reason = unwrapped(message["Body"])
            reason = reason or logged.get(message["MessageId"], "no reason is logged")
            print(f"{message['MessageId']}  {_age(int(message['Attributes']['SentTimestamp']) / 1000)}  {reason}")
            print(f"  {content}")


@commands.command()
def redrive(
    name: Name,
    limit: Annotated[int | None, typer.Option(min=1, help="How many messages at most.")] = None,
    stage: Stage = None,
) -> None:
    """Send the messages of a dead-letter queue back to their queue; those of link-events, to count_created_links.

    Each is sent before it is deleted, so an interruption loses nothing and may send one twice, which harms nobody.
    """
    stage = connect(stage)
    moved = _move(client("sqs"), _url(stage, name, "-dlq"), _sender(stage, name), limit)
    print(f"{moved} messages sent back to {name}")


@commands.command()
def purge(
    name: Name, yes: Annotated[bool, typer.Option("--yes", help="Yes, lose them.")] = False, stage: Stage = None
) -> None:
    """Delete whatever waits in a dead-letter queue, for ever."""
    stage = connect(stage)
    url = _url(stage, name, "-dlq")
    lost = queue_depth(url)
    if not yes:
        raise typer.BadParameter(f"{lost} messages would be lost; add --yes if they should be")
    client("sqs").purge_queue(QueueUrl=url)
    print(f"{lost} messages deleted from {name}-dlq")


def _url(stage: str, name: str, end: str = "") -> str:
    if name not in CONSUMERS:
        raise typer.BadParameter(f"there is no queue {name!r}; choose from {', '.join(CONSUMERS)}")
    url: str = client("sqs").get_queue_url(QueueName=f"{stack_name(stage)}-{name}{end}")["QueueUrl"]
    return url


@contextmanager
def looked_at(url: str) -> Iterator[list[dict[str, Any]]]:
    """The messages of a queue, hidden from others while they are looked at, and then put back."""
    sqs = client("sqs")
    messages = list(_received(sqs, url, None))
    try:
        yield messages
    finally:
        for message in messages:
            sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)


def _received(sqs: Any, url: str, limit: int | None) -> Iterator[dict[str, Any]]:
    received = 0
    while limit is None or received < limit:
        messages = sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=min(10, limit - received) if limit else 10,
            WaitTimeSeconds=1,
            AttributeNames=["SentTimestamp"],
        ).get("Messages", [])
        if not messages:
            return
        received += len(messages)
        yield from messages


def unwrapped(body: str) -> tuple[str, str | None]:
    """The message that a dead letter is about, and why it is dead, if it says so itself.

    What a consumer gave up on is there as it was. SNS leaves a notification, Lambda a record of the invocation:
    https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
    """
    try:
        found = json.loads(body)
    except ValueError:
        return body, None
    match found:
        case {"Type": "Notification", "Message": str(message)}:
            return message, "SNS could not deliver it"
        case {
            "requestContext": {"condition": str(condition)},
            "requestPayload": {"Records": [{"Sns": {"Message": str(message)}}]},
        }:
            answer = found.get("responsePayload")
            return message, str(answer.get("errorMessage", condition) if isinstance(answer, dict) else condition)
        case _:
            return body, None


def _sender(stage: str, name: str) -> Callable[[str], None]:
    """What sends a message to the consumer of a dead-letter queue, by way of its queue if it has one."""
    if name == NO_QUEUE:
        functions, function = client("lambda"), f"{stack_name(stage)}-{CONSUMERS[name]}"

        def invoke(message: str) -> None:
            sns: dict[str, Any] = {"Subject": None, "Message": message, "MessageAttributes": {}}
            event = {"Records": [{"EventSource": "aws:sns", "Sns": sns}]}
            functions.invoke(FunctionName=function, InvocationType="Event", Payload=json.dumps(event).encode())

        return invoke
    sqs, url = client("sqs"), _url(stage, name)

    def send(message: str) -> None:
        sqs.send_message(QueueUrl=url, MessageBody=message)

    return send


def _move(sqs: Any, source: str, send: Callable[[str], None], limit: int | None) -> int:
    moved = 0
    for message in _received(sqs, source, limit):
        send(unwrapped(message["Body"])[0])
        sqs.delete_message(QueueUrl=source, ReceiptHandle=message["ReceiptHandle"])
        moved += 1
    return moved


def _reasons(stage: str, name: str) -> dict[str, str]:
    """What a queue's function last logged about each message that failed in the past 14 days, by message id."""
    lines = json_lines(stage, CONSUMERS[name], time.time() - 14 * _DAY, "failures")
    return {each["message_id"]: each["cause"] for line in lines for each in line.get("failures", [])}


def _age(since: float | None) -> str:
    if since is None:
        return ""
    seconds = int(time.time() - since)
    return f"{seconds // _DAY}d {seconds % _DAY // 3600:02}:{seconds % 3600 // 60:02}:{seconds % 60:02}"
