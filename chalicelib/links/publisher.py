"""Announces every change of a link: from the table's stream to the topic.

The stream is the outbox. A change is in it if and only if it was committed, and Lambda reads a batch again until this
function succeeds, for as long as the stream keeps it (24 hours); so nothing that is committed goes unannounced, even if
everything crashes right after. Only an item that somebody put into the table by hand, and that is no link, is passed
over. See docs/adr/0006-the-stream-is-the-outbox.md.
"""

from collections.abc import Mapping
from typing import Any

from chalicelib import aws, config
from chalicelib.links.events import NotALink, encode, event_of
from chalicelib.observability import logger, measured


def publish_link_events(event: Mapping[str, Any]) -> None:
    """Publish the events of a batch of stream records, in their order.

    Raises botocore's error if one could not be published: Lambda then reads the whole batch again, and the events that
    were published before come twice, with the same ids.
    """
    sns, topic = aws.sns(), config.link_events_topic_arn()
    published = 0
    for record in event["Records"]:
        try:
            link_event = event_of(record)
        except NotALink as error:
            # It never will be one, and to fail would hold up the changes behind it for a day.
            logger.error("not a link", extra={"keys": record["dynamodb"]["Keys"], "reason": str(error)})
            continue
        if link_event is None:
            continue
        sns.publish(
            TopicArn=topic,
            Subject=link_event.type,
            Message=encode(link_event),
            MessageAttributes={"type": {"DataType": "String", "StringValue": link_event.type}},
        )
        published += 1
    logger.info(
        "link events published",
        extra={"records": len(event["Records"]), **measured(LinkEventsPublished=published)},
    )
