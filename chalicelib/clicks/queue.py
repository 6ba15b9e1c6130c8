"""The click queue, from the redirect's side."""

from collections.abc import Mapping

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib import aws, clock, config
from chalicelib.clicks.click import Click, encode
from chalicelib.observability import logger, measured

NO_METRICS: Mapping[str, int] = {}


def enqueue(click: Click, metrics: Mapping[str, int] = NO_METRICS) -> None:
    """Hand a click over for counting. Never raises, and takes about two seconds at most.

    Either way one line is logged, with `metrics` of the caller's in it. If SQS does not accept the click, it holds the
    whole message, from which it can be sent again: with the same id, so that it counts once even if SQS had accepted
    it after all.
    """
    message = encode(click)
    try:
        aws.sqs().send_message(QueueUrl=config.click_queue_url(), MessageBody=message)
    except (BotoCoreError, ClientError) as error:
        line = {"unqueued_click": message, "reason": str(error)}
        logger.error("click not queued", extra=line | measured(ClicksUnqueued=1, **metrics))
    else:
        line = {"click_id": str(click.id), "code": click.code, "occurred_at": clock.rfc3339(click.occurred_at)}
        logger.info("click accepted", extra=line | measured(ClicksAccepted=1, **metrics))
