"""Whatever message comes, the good ones beside it are done and it fails alone; no record holds up the stream."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib import aws, deliveries
from chalicelib.analytics.daily_links import count_created_link
from chalicelib.clicks.click import encode as encode_click
from chalicelib.clicks.purge import purge_clicks
from chalicelib.clicks.recorder import record_clicks
from chalicelib.links.events import EventType, LinkEvent, decode, encode
from chalicelib.links.publisher import publish_link_events
from chalicelib.links.status import Status
from chalicelib.links.store import insert_link
from chalicelib.redirects.refresher import refresh_redirects
from tests import infrastructure
from tests.builders import NOW, LambdaContext, a_click, a_link, a_message, an_sqs_event
from tests.faults import Faults
from tests.functional.odd import ODD, spoilt, values
from tests.functional.test_publish_link_events import a_record

Lines = Callable[[], list[dict[str, Any]]]
Consumer = Callable[[dict[str, Any], Any], dict[str, Any]]


def a_click_message() -> str:
    return encode_click(a_click())


def an_event_message(kind: EventType = "link.deleted") -> str:
    url = "https://example.com/"
    return encode(LinkEvent(v=1, id=uuid.UUID(int=1), type=kind, code="gone", url=url, version=1, occurred_at=NOW))


CONSUMERS: dict[str, tuple[Consumer, str, Callable[[], str]]] = {
    "record_clicks": (record_clicks, "Click", a_click_message),
    "refresh_redirects": (refresh_redirects, "LinkChanges", an_event_message),
    "purge_clicks": (purge_clicks, "DeletedLinks", an_event_message),
}


@pytest.fixture(params=CONSUMERS)
def consumer(request: pytest.FixtureRequest) -> tuple[Consumer, str, Callable[[], str]]:
    """A function, the name of its queue in the template, and how a good message for it is made."""
    insert_link(a_link(code="gone", status=Status.DELETED))
    return CONSUMERS[request.param]


def done(lines: list[dict[str, Any]]) -> int:
    """How many messages were worked on to the end, by what was logged of them."""
    ends = ("redirect refreshed", "redirect was right", "no such link", "event of another type", "clicks purged")
    return sum(line.get("ClicksRecorded", line["message"] in ends) for line in lines)


@settings(ODD, max_examples=100)
@given(data=st.data())
def test_one_odd_message_fails_alone_or_not_at_all(
    consumer: tuple[Consumer, str, Callable[[], str]], lines: Lines, data: st.DataObject
) -> None:
    consume, _, good = consumer
    odd = a_message(data.draw(spoilt(good())))

    response = consume(an_sqs_event(a_message(good()), odd, a_message(good())), LambdaContext())

    failed = response["batchItemFailures"]
    assert failed in ([], [{"itemIdentifier": odd["messageId"]}])
    assert 3 - len(failed) == done(lines())


def test_a_message_that_can_never_succeed_ends_in_the_dead_letter_queue_and_the_others_are_done(
    consumer: tuple[Consumer, str, Callable[[], str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "PERMANENT_FAILURE_PAUSE", 0)
    consume, queue, good = consumer
    sqs, url = infrastructure.sqs(), infrastructure.queue_url(f"{queue}Queue")
    for body in (good(), "bad", good()):
        sqs.send_message(QueueUrl=url, MessageBody=body)

    taken = []
    while records := infrastructure.receive(f"{queue}Queue"):
        taken.append(len(records))
        failed = {
            each["itemIdentifier"] for each in consume(an_sqs_event(*records), LambdaContext())["batchItemFailures"]
        }
        for record in records:
            if record["messageId"] not in failed:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=record["receiptHandle"])

    assert [3, 1, 1, 1, 1] == taken
    assert ["bad"] == [record["body"] for record in infrastructure.receive(f"{queue}DeadLetterQueue")]


@settings(ODD, max_examples=100)
@given(message=spoilt(an_event_message("link.created")))
def test_no_message_makes_the_counting_of_links_fail(lines: Lines, message: str) -> None:
    count_created_link(message)

    lines()


attributes = st.sampled_from(["S", "N", "BOOL"]).flatmap(lambda kind: values.map(lambda value: {kind: value}))


@pytest.fixture
def announcements(faults: Faults) -> Faults:
    """The calls of SNS."""
    faults.watch(aws.sns())
    return faults


@settings(ODD, max_examples=100)
@given(data=st.data())
def test_no_record_of_the_stream_keeps_the_others_from_being_announced(
    announcements: Faults, lines: Lines, data: st.DataObject
) -> None:
    odd = a_record(a_link(code="odd"), a_link(code="odd", version=2))
    for image in ("OldImage", "NewImage"):
        if data.draw(st.booleans()):
            name = data.draw(st.sampled_from([*odd["dynamodb"][image]]))
            odd["dynamodb"][image][name] = data.draw(attributes)
            if data.draw(st.booleans()):
                del odd["dynamodb"][image][name]
    before, after = (a_record(a_link(code=code), a_link(code=code, version=2)) for code in ("before", "after"))

    publish_link_events({"Records": [before, odd, after]})

    announced = [decode(call.params["Message"]).code for call in announcements.calls]
    announcements.calls.clear()
    assert [code for code in announced if code != "odd"] == ["before", "after"]
    assert len(announced) == next(line["LinkEventsPublished"] for line in lines() if "LinkEventsPublished" in line)
