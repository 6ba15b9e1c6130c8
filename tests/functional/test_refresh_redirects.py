"""refresh_redirects: whatever order link events come in, however often, the cache ends at the newest version."""

import itertools
import uuid
from typing import Any

import pytest

from chalicelib import deliveries
from chalicelib.deliveries import BatchFailed
from chalicelib.links.events import EventType, LinkEvent, encode
from chalicelib.links.link import Status
from chalicelib.redirects.cache import Redirect, find_redirect
from chalicelib.redirects.refresher import refresh_redirects
from tests.builders import NOW, LambdaContext, a_message, an_sqs_event
from tests.faults import Fault, Faults, lost, refused, throttled, timed_out

CODE = "my-link"


def an_event(kind: EventType, version: int) -> LinkEvent:
    url = f"https://example.com/{version}"
    return LinkEvent(v=1, id=uuid.uuid4(), type=kind, code=CODE, url=url, version=version, occurred_at=NOW)


CREATED, UPDATED, UPDATED_AGAIN, DELETED = LIFE = [
    an_event("link.created", 1),
    an_event("link.updated", 2),
    an_event("link.updated", 3),
    an_event("link.deleted", 4),
]


def deliver(*events: LinkEvent) -> dict[str, Any]:
    return refresh_redirects(an_sqs_event(*(a_message(encode(event)) for event in events)), LambdaContext())


def the_redirect_of(event: LinkEvent) -> Redirect:
    status = Status.DELETED if event.type == "link.deleted" else Status.ACTIVE
    return Redirect(event.code, event.url, status, event.version)


def test_all_orders_of_up_to_four_events_each_once_or_twice_end_at_the_newest_version() -> None:
    # 4 + 12 + 24 + 24 orders of different events; in each, every subset of them may be delivered a second time, after
    # all others and, of up to three, also at once. Links have codes of their own, so that one table serves all rounds.
    rounds = 0
    for length in range(1, 5):
        for order in itertools.permutations(LIFE, length):
            for again in itertools.product([False, True], repeat=length):
                for late in (True,) if length == len(LIFE) else (True, False):
                    rounds += 1
                    repeats = [event for event, twice in zip(order, again, strict=True) if twice]
                    sequence = (
                        [*order, *repeats]
                        if late
                        else [copy for event, twice in zip(order, again, strict=True) for copy in [event] * (1 + twice)]
                    )
                    code = f"round-{rounds}"
                    renamed = [LinkEvent(**{**as_dict(event), "code": code}) for event in sequence]

                    deliver(*renamed)

                    newest = max(renamed, key=lambda event: event.version)
                    assert the_redirect_of(newest) == find_redirect(code), [event.version for event in renamed]

    assert 2 * (4 * 2 + 12 * 4 + 24 * 8) + 24 * 16 == rounds


def as_dict(event: LinkEvent) -> dict[str, Any]:
    return {name: getattr(event, name) for name in LinkEvent.__struct_fields__}


def test_a_deleted_link_never_comes_back() -> None:
    deliver(DELETED)

    deliver(CREATED, UPDATED, UPDATED_AGAIN)

    assert the_redirect_of(DELETED) == find_redirect(CODE)


FAULTS = [throttled(), refused("AccessDeniedException"), timed_out(), lost(timed_out())]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_whichever_call_breaks_its_message_comes_again_and_heals_the_cache(faults: Faults, fault: Fault) -> None:
    for number in faults.each_call(fault):
        code = f"round-{number}"
        events = [LinkEvent(**{**as_dict(event), "code": code}) for event in (UPDATED, DELETED)]
        records = [*(a_message(encode(event)) for event in events), a_message("no event, to be put off")]

        response = refresh_redirects(an_sqs_event(*records), LambdaContext())
        failed = {failure["itemIdentifier"] for failure in response["batchItemFailures"]}
        faults.repair()
        refresh_redirects(an_sqs_event(*(each for each in records if each["messageId"] in failed)), LambdaContext())

        assert the_redirect_of(events[-1]) == find_redirect(code)

    assert {"PutItem", "ChangeMessageVisibilityBatch"} == {call.operation for call in faults.broken}


def test_if_the_cache_cannot_be_written_at_all_the_function_fails_after_putting_the_messages_off(
    faults: Faults,
) -> None:
    faults.plan(throttled(), operation="PutItem")

    with pytest.raises(BatchFailed):
        deliver(UPDATED, DELETED)

    [put_off] = faults.of("ChangeMessageVisibilityBatch")
    assert [15, 15] == [entry["VisibilityTimeout"] for entry in put_off.params["Entries"]]


def test_a_message_that_is_no_event_fails_alone() -> None:
    poison = a_message('{"v": 2}')

    response = refresh_redirects(an_sqs_event(poison, a_message(encode(UPDATED))), LambdaContext())

    assert {"batchItemFailures": [{"itemIdentifier": poison["messageId"]}]} == response
    assert the_redirect_of(UPDATED) == find_redirect(CODE)


def test_what_time_does_not_suffice_for_comes_again() -> None:
    records = [a_message(encode(UPDATED)), a_message(encode(DELETED))]
    context = LambdaContext(60, deliveries.SECONDS_IN_RESERVE)

    response = refresh_redirects(an_sqs_event(*records), context)

    assert {"batchItemFailures": [{"itemIdentifier": records[1]["messageId"]}]} == response
    assert the_redirect_of(UPDATED) == find_redirect(CODE)
