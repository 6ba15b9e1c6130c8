"""The click queue, from the redirect's side."""

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib import aws, config
from chalicelib.clicks.click import Click, encode
from chalicelib.observability import logger


def enqueue(click: Click) -> None:
    """Hand a click over for counting. Never raises, and takes about two seconds at most.

    If SQS does not accept it, the whole message goes to the log as one structured line, from which it can be sent
    again: with the same id, so that it counts once even if SQS had accepted it after all.
    """
    message = encode(click)
    try:
        aws.sqs().send_message(QueueUrl=config.click_queue_url(), MessageBody=message)
    except (BotoCoreError, ClientError) as error:
        logger.error("click not queued", extra={"unqueued_click": message, "reason": str(error)})
