"""publish_link_events: a change that was committed is announced, to whoever listens."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib import aws, clock
from chalicelib.links.events import UndecodableEvent, decode, event_of
from chalicelib.links.link import Link
from chalicelib.links.publisher import publish_link_events
from chalicelib.links.status import Status
from tests import infrastructure
from tests.builders import NOW, a_link
from tests.faults import Fault, Faults, lost, refused, throttled, timed_out


def image(link: Link, **more: str) -> dict[str, Any]:
    """A link as the stream shows it."""
    return {
        "code": {"S": link.code},
        "url": {"S": link.url},
        "owner": {"S": link.owner},
        "version": {"N": str(link.version)},
        "status": {"S": link.status.value},
        "created_at": {"S": clock.rfc3339(link.created_at)},
        "updated_at": {"S": clock.rfc3339(link.updated_at)},
        "write_id": {"S": str(uuid.uuid4())},
        **{name: {"S": value} for name, value in more.items()},
    }


def a_record(old: Link | None, new: Link | None) -> dict[str, Any]:
    images = {"OldImage": image(old) if old else None, "NewImage": image(new) if new else None}
    return {
        "eventID": str(uuid.uuid4()),
        "dynamodb": {
            "Keys": {"code": {"S": (new or old or LINK).code}},
            **{name: each for name, each in images.items() if each},
        },
    }


LINK = a_link(version=1)
CHANGED = a_link(version=2, url="https://example.org/new")
GONE = a_link(version=3, url="https://example.org/new", status=Status.DELETED)
LIFE = [a_record(None, LINK), a_record(LINK, CHANGED), a_record(CHANGED, GONE)]


def heard(queue: str) -> list[tuple[str, int]]:
    """The types and versions of the events in a listener's queue."""
    return [(event.type, event.version) for event in (decode(each["body"]) for each in infrastructure.receive(queue))]


def test_an_event_has_the_shape_that_listeners_rely_on(faults: Faults) -> None:
    faults.watch(aws.sns())

    publish_link_events({"Records": [a_record(LINK, CHANGED)]})

    [call] = faults.calls
    message = json.loads(call.params.pop("Message"))
    assert {
        "v": 1,
        "id": message["id"],
        "type": "link.updated",
        "code": "my-link",
        "url": "https://example.org/new",
        "version": 2,
        "occurred_at": "2026-05-27T10:15:30.123000Z",
    } == message
    assert {
        "TopicArn": infrastructure.environment()["LINK_EVENTS_TOPIC_ARN"],
        "Subject": "link.updated",
        "MessageAttributes": {"type": {"DataType": "String", "StringValue": "link.updated"}},
    } == call.params


def test_each_listener_hears_what_it_asked_for() -> None:
    publish_link_events({"Records": LIFE})

    assert [("link.updated", 2), ("link.deleted", 3)] == heard("LinkChangesQueue")
    assert [("link.deleted", 3)] == heard("DeletedLinksQueue")


def test_a_change_that_no_listener_could_see_is_not_announced() -> None:
    same = {"OldImage": image(LINK), "NewImage": image(LINK, note="of the operator's")}

    assert event_of({"dynamodb": same}) is None
    assert event_of(a_record(LINK, None)) is None


def test_an_event_keeps_its_id_however_often_the_stream_is_read() -> None:
    first, second = (event_of(a_record(LINK, CHANGED)) for _ in range(2))
    other = event_of(a_record(CHANGED, GONE))

    assert first == second
    assert first is not None
    assert other is not None
    assert first.id != other.id


@pytest.mark.parametrize("fault", [throttled(), refused("AuthorizationError"), timed_out(), lost(timed_out())], ids=str)
def test_whichever_event_cannot_be_published_the_batch_is_read_again_and_nothing_is_missed(
    faults: Faults, fault: Fault
) -> None:
    faults.watch(aws.sns())

    for _ in faults.each_call(fault):
        try:
            publish_link_events({"Records": LIFE})
        except (BotoCoreError, ClientError):
            faults.repair()
            publish_link_events({"Records": LIFE})

        assert {("link.updated", 2), ("link.deleted", 3)} == set(heard("LinkChangesQueue"))


@pytest.mark.parametrize(
    "broken",
    [
        {"url": None},
        {"url": {"N": "7"}},
        {"url": {"S": "x" * 2049}},
        {"version": {"N": "1.5"}},
        {"version": {"N": "1000000000000000000"}},
        {"status": {"S": "lost"}},
        {"updated_at": {"S": "yesterday"}},
        {"updated_at": {"S": "2026-05-27T10:15:30"}},
        {"updated_at": {"S": "0001-01-01T00:00:00+23:59"}},
        {"code": {"S": "no link"}},
    ],
    ids=str,
)
def test_an_item_that_is_no_link_is_logged_and_does_not_hold_up_the_links_behind_it(
    logs: Callable[[], list[dict[str, Any]]], broken: dict[str, Any]
) -> None:
    record = a_record(None, LINK)
    item = {name: value for name, value in (record["dynamodb"]["NewImage"] | broken).items() if value}
    record["dynamodb"]["NewImage"] = item

    publish_link_events({"Records": [record, *LIFE]})

    assert [("link.updated", 2), ("link.deleted", 3)] == heard("LinkChangesQueue")
    assert [("ERROR", "not a link", {"code": {"S": "my-link"}})] == [
        (line["level"], line["message"], line["keys"]) for line in logs() if line["level"] == "ERROR"
    ]


def test_a_link_that_was_put_right_is_announced() -> None:
    record = a_record(LINK, CHANGED)
    del record["dynamodb"]["OldImage"]["url"]

    publish_link_events({"Records": [record]})

    assert [("link.updated", 2)] == heard("LinkChangesQueue")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"v": 2}', "[" * 10_000, '{"v": 1, "type": "link.moved"}'])
def test_what_is_not_an_event_of_version_1_is_undecodable(text: str) -> None:
    with pytest.raises(UndecodableEvent):
        decode(text)


def test_the_day_of_an_event_is_the_changes_own_in_utc() -> None:
    event = event_of(a_record(None, LINK))

    assert event is not None
    assert (NOW, "2026-05-27") == (event.occurred_at, event.day)
