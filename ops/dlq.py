"""`python -m ops dlq`: send back what waits in a dead-letter queue."""

from typing import Annotated, Any

import typer

from ops.aws import client
from ops.deploy import stack_name
from ops.stages import Stage, connect

commands = typer.Typer(no_args_is_help=True, help="Send back what waits in a dead-letter queue.")


@commands.callback()
def callback() -> None:
    """Keep `redrive` a command of its own, though it is the only one so far."""


@commands.command()
def redrive(
    name: Annotated[str, typer.Argument(help="The queue, such as link-changes.")],
    limit: Annotated[int | None, typer.Option(min=1, help="How many messages at most.")] = None,
    stage: Stage = None,
) -> None:
    """Send the messages of a dead-letter queue back to their queue.

    Each is sent before it is deleted, so an interruption loses nothing and may send one twice, which harms nobody.
    """
    stage = connect(stage)
    sqs = client("sqs")
    try:
        queue, dead_letters = (
            sqs.get_queue_url(QueueName=f"{stack_name(stage)}-{name}{end}")["QueueUrl"] for end in ("", "-dlq")
        )
    except sqs.exceptions.QueueDoesNotExist as error:
        raise typer.BadParameter(f"stage {stage} has no queue {name!r} with a dead-letter queue") from error
    moved = _move(sqs, dead_letters, queue, limit)
    print(f"{moved} messages sent back to {name}")


def _move(sqs: Any, source: str, target: str, limit: int | None) -> int:
    moved = 0
    while limit is None or moved < limit:
        wanted = min(10, limit - moved if limit else 10)
        messages = sqs.receive_message(QueueUrl=source, MaxNumberOfMessages=wanted, WaitTimeSeconds=1).get(
            "Messages", []
        )
        if not messages:
            break
        for message in messages:
            sqs.send_message(QueueUrl=target, MessageBody=message["Body"])
            sqs.delete_message(QueueUrl=source, ReceiptHandle=message["ReceiptHandle"])
            moved += 1
    return moved
