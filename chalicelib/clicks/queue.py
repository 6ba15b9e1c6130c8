"""The click queue, from the redirect's side."""

from chalicelib import config, log
from chalicelib.calls import Call, CallFailed, by_sdk
from chalicelib.clicks.message import Message


def enqueue(click: Message, call: Call = by_sdk, **facts: str) -> None:
    """Hand a click over for counting. Never raises, and takes about two seconds at most.

    Either way one line is logged, with `facts` of the caller's in it. If SQS does not accept the click, it holds the
    whole message, from which it can be sent again: with the same id, so that it counts once even if SQS had accepted
    it after all.
    """
    try:
        call("SendMessage", {"QueueUrl": config.click_queue_url(), "MessageBody": click.text})
    except CallFailed as error:
        log.error("click not queued", {"unqueued_click": click.text, "reason": str(error), **facts}, ClicksUnqueued=1)
    else:
        log.info("click accepted", code=click.code, click_id=click.id, occurred_at=click.occurred_at, **facts)
