"""`python -m ops dlq`: look into the dead-letter queues, and send back what waits there."""

import json
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from botocore.exceptions import ClientError
from rich.console import Console

from chalicelib import config
from ops.shared.aws import client
from ops.shared.listing import AsJson, print_json, print_list
from ops.shared.log_lines import json_lines
from ops.shared.queues import Message, looked_at, message_counts, queue_depth, tens
from ops.shared.stacks import stack_name
from ops.shared.stages import Stage, connect

commands = typer.Typer(no_args_is_help=True, help="Look into the dead-letter queues, and send back what waits there.")

CONSUMERS = {
    "clicks": "record_clicks",
    "link-changes": "refresh_redirects",
    "deleted-links": "purge_clicks",
}
"""The function that works on each queue, by the queue's name; its dead letters are in the queue named `…-dlq`."""

NO_QUEUE = "link-events"
"""Of the listeners that SNS calls itself: they have no queue, and share one for their dead letters."""

NAMES = (*CONSUMERS, NO_QUEUE)

Name = Annotated[str, typer.Argument(help=f"One of {', '.join(NAMES)}.")]

Send = Callable[[Sequence[Message]], "Sent"]
"""Sends up to ten dead letters to their consumer, and says what became of them. Raises botocore's errors."""

_DAY = 24 * 60 * 60


@commands.command(name="list")
def list_(as_json: AsJson = False, stage: Stage = None) -> None:
    """Show each dead-letter queue, and how many messages wait in it, or are being looked at."""
    stage = connect(stage)
    rows = []
    for name in NAMES:
        waiting, hidden, _ = message_counts(_url(stage, name, "-dlq"))
        rows.append({"queue": name, "waiting": waiting, "looked_at": hidden})
    print_list(rows, as_json=as_json)


@commands.command()
def show(
    name: Name,
    limit: Annotated[int, typer.Option(min=1, help="How many messages at most.")] = 100,
    as_json: AsJson = False,
    stage: Stage = None,
) -> None:
    """Show what waits in a dead-letter queue, each message with the reason that came with it or was last logged."""
    stage = connect(stage)
    url = _url(stage, name, "-dlq")
    there = queue_depth(url)
    with Console(stderr=True).status("looking through the queue, and the log for reasons"):
        with looked_at(url) as look:
            messages = sorted(look.messages(limit), key=_sent_at)
        logged = {} if name == NO_QUEUE or not messages else _reasons(stage, name, _sent_at(messages[0]))
    letters = [_letter(message, logged) for message in messages]
    if as_json:
        print_json(letters)
        return
    for letter in letters:
        print(f"{letter['id']}  {_age(letter['sent_at'])}  {letter['reason'] or 'no reason is logged'}")
        print(f"  {letter['message']}")
    if there > len(messages):
        print(f"and {there - len(messages)} more; --limit shows more of them")
    elif not messages:
        Console(stderr=True).print(f"Nothing waits in {name}-dlq.", highlight=False)


@commands.command()
def redrive(
    name: Name,
    limit: Annotated[int | None, typer.Option(min=1, help="How many messages at most.")] = None,
    stage: Stage = None,
) -> None:
    """Send the messages of a dead-letter queue back to their queue; those of link-events, to the listeners.

    Each is sent before it is deleted, so an interruption loses nothing and may send one twice, which harms nobody. One
    that comes back meanwhile stays.
    """
    stage = connect(stage)
    url = _url(stage, name, "-dlq")
    send = _invoker() if name == NO_QUEUE else _sender(_url(stage, name))
    with Console(stderr=True).status("sending back"):
        moved = _redrive(url, send, limit)
    print(f"{moved.sent} messages sent back to {name}")
    if moved.returned:
        print(f"{moved.returned} came back meanwhile, and stay. See why: python -m ops dlq show {name} --stage {stage}")
    if moved.undeleted:
        print(f"{moved.undeleted} of them could not be deleted: they are sent once more the next time, and count once")
    for reason, number in moved.refusals.items():
        print(f"{number} were not accepted, and stay: {reason}")
    if moved.refusals:
        raise typer.Exit(1)


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
    if name not in NAMES:
        raise typer.BadParameter(f"there is no queue {name!r}; choose from {', '.join(NAMES)}")
    url: str = client("sqs").get_queue_url(QueueName=f"{stack_name(stage)}-{name}{end}")["QueueUrl"]
    return url


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
            "requestContext": {"condition": str(condition), "functionArn": str(arn)},
            "requestPayload": {"Records": [{"Sns": {"Message": str(message)}}]},
        }:
            answer = found.get("responsePayload")
            why = answer.get("errorMessage", condition) if isinstance(answer, dict) else condition
            return message, f"{_function(arn).split('-', 2)[-1]}: {why}"
        case _:
            return body, None


@dataclass
class Sent:
    """What became of some messages."""

    as_what: dict[str, Collection[str]] = field(default_factory=dict)
    """How each that was accepted is known if it comes back: by a message's id, or by its function and content."""
    refusals: Counter[str] = field(default_factory=Counter)
    """How many were not accepted, by the reason."""


def _sender(url: str) -> Send:
    """What sends messages to a queue."""
    sqs = client("sqs")

    def send(messages: Sequence[Message]) -> Sent:
        entries = [
            {"Id": str(number), "MessageBody": unwrapped(each["Body"])[0]} for number, each in enumerate(messages)
        ]
        answer = sqs.send_message_batch(QueueUrl=url, Entries=entries)
        return Sent(
            {messages[int(each["Id"])]["MessageId"]: [each["MessageId"]] for each in answer.get("Successful", [])},
            Counter(f"{each['Code']} {each.get('Message', '')}".rstrip() for each in answer.get("Failed", [])),
        )

    return send


def _invoker() -> Send:
    """What has listeners work on events as if SNS delivered them.

    Lambda's record names the listener that failed. SNS says no more than that one could not be reached: so all of them
    hear such an event once more, as they may at any time.
    """
    functions, listeners = client("lambda"), _listeners()

    def invoke(messages: Sequence[Message]) -> Sent:
        sent = Sent()
        for each in messages:
            function, event = _invocation(each["Body"])
            called = listeners if function is None else [function]
            if not called:
                sent.refusals["no function listens to changes of links"] += 1
                continue
            try:
                for name in called:
                    functions.invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps(event).encode())
            except ClientError as error:
                if error.response["Error"]["Code"] != "ResourceNotFoundException":
                    raise
                sent.refusals[f"there is no function {name}"] += 1
            else:
                content, _ = unwrapped(each["Body"])
                sent.as_what[each["MessageId"]] = [f"{name} {content}" for name in called]
        return sent

    return invoke


def _listeners() -> list[str]:
    """The functions that SNS calls when a link has changed."""
    pages = client("sns").get_paginator("list_subscriptions_by_topic").paginate(TopicArn=config.link_events_topic_arn())
    subscriptions = [each for page in pages for each in page["Subscriptions"]]
    return [_function(each["Endpoint"]) for each in subscriptions if each["Protocol"] == "lambda"]


def _invocation(body: str) -> tuple[str | None, Any]:
    """The function that a dead letter is about, if it says so, and the event that it was called with."""
    try:
        found = json.loads(body)
    except ValueError:
        found = body
    match found:
        case {"requestContext": {"functionArn": str(arn)}, "requestPayload": event}:
            return _function(arn), event
        case {"Type": "Notification"}:
            sns = found
        case _:  # somebody put the event there
            sns = {"Message": body}
    return None, {"Records": [{"EventSource": "aws:sns", "Sns": {"Subject": None, "MessageAttributes": {}, **sns}}]}


def _function(arn: str) -> str:
    """The function's name in its ARN, which may name a version after it."""
    return arn.partition(":function:")[2].partition(":")[0]


@dataclass
class Moved:
    """What became of the messages of a dead-letter queue."""

    sent: int = 0
    returned: int = 0
    undeleted: int = 0
    refusals: Counter[str] = field(default_factory=Counter)


def _redrive(url: str, send: Send, limit: int | None) -> Moved:
    """Send messages and then delete them, ten at a time."""
    moved = Moved()
    known: set[str] = set()
    with looked_at(url) as look:

        def move(ten: Sequence[Message]) -> tuple[Sent, int]:
            sent = send(ten)
            accepted = [each for each in ten if each["MessageId"] in sent.as_what]
            return sent, look.delete(accepted) if accepted else 0

        for some in look.rounds(limit):
            news = [each for each in some if known.isdisjoint(_known_as(each))]
            moved.returned += len(some) - len(news)
            for sent, undeleted in look.workers.map(move, tens(news)):
                known.update(*sent.as_what.values())
                moved.sent += len(sent.as_what)
                moved.undeleted += undeleted
                moved.refusals += sent.refusals
    return moved


def _known_as(message: Message) -> list[str]:
    """What a message that was sent before would be known as; see Sent.as_what."""
    function, _ = _invocation(message["Body"])
    return [message["MessageId"], f"{function} {unwrapped(message['Body'])[0]}"]


def _reasons(stage: str, name: str, since: float) -> dict[str, str]:
    """What a queue's function last logged about each message that failed since a time in seconds, by message id."""
    lines = json_lines(stage, CONSUMERS[name], since, "failures")
    return {each["message_id"]: each["cause"] for line in lines for each in line.get("failures", [])}


def _sent_at(message: Message) -> float:
    """When a message was first sent, in seconds."""
    return int(message["Attributes"]["SentTimestamp"]) / 1000


def _letter(message: Message, logged: Mapping[str, str]) -> dict[str, Any]:
    """What is told of a dead letter; its reason is None if none came with it or was `logged`."""
    content, reason = unwrapped(message["Body"])
    return {
        "id": message["MessageId"],
        "sent_at": datetime.fromtimestamp(_sent_at(message), UTC),
        "reason": reason or logged.get(message["MessageId"]),
        "message": content,
    }


def _age(since: datetime) -> str:
    seconds = int(time.time() - since.timestamp())
    return f"{seconds // _DAY}d {seconds % _DAY // 3600:02}:{seconds % 3600 // 60:02}:{seconds % 60:02}"
