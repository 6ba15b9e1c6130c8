"""count_created_links and GET /analytics/links: new links per day, each counted once."""

from collections.abc import Callable
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.analytics.daily_links import count_created_link
from chalicelib.links.events import encode
from tests import infrastructure
from tests.builders import NOW, StoppedClock, a_created_event
from tests.faults import Fault, Faults, cancelled, lost, lost_once, refused, throttled, timed_out
from tests.functional.visitor import Visitor, a_problem


def by_day(admin: Visitor, query: str = "") -> Any:
    return admin.get(f"/analytics/links{query}").body["by_day"]


def test_links_count_for_the_day_of_the_event_and_not_of_the_clock(admin: Visitor, clock: StoppedClock) -> None:
    yesterday = NOW - timedelta(days=1)
    for occurred_at in (NOW, NOW, yesterday):
        count_created_link(encode(a_created_event(occurred_at=occurred_at)))

    clock.time += timedelta(hours=14)  # past midnight

    assert [{"day": "2026-05-27", "links": 2}, {"day": "2026-05-26", "links": 1}] == by_day(admin)


def test_an_event_from_beyond_the_calendar_is_logged_and_not_counted(
    admin: Visitor, logs: Callable[[], list[dict[str, Any]]]
) -> None:
    count_created_link(encode(a_created_event(occurred_at=datetime.fromisoformat("9999-12-31T23:59:59-23:59"))))

    assert ["link event not counted"] == [line["message"] for line in logs()]
    assert [] == by_day(admin)


def test_an_event_that_comes_twice_counts_once(admin: Visitor) -> None:
    message = encode(a_created_event())

    for _ in range(2):
        count_created_link(message)

    assert [{"day": "2026-05-27", "links": 1}] == by_day(admin)


def test_a_marker_expires_after_sixty_days() -> None:
    event = a_created_event()

    count_created_link(encode(event))

    expires_at = int((NOW + timedelta(days=60)).timestamp())
    assert [
        {"day": "2026-05-27", "links": 1},
        {"day": f"event#{event.id}", "expires_at": expires_at},
    ] == infrastructure.items("DAILY_LINKS_TABLE")


@pytest.mark.parametrize(
    "fault",
    [
        throttled(),
        refused("AccessDeniedException"),
        cancelled("None", "TransactionConflict"),
        timed_out(),
        lost(timed_out()),
        lost_once(),
    ],
    ids=str,
)
def test_whichever_call_breaks_an_event_that_is_tried_again_counts_once(
    admin: Visitor, faults: Faults, fault: Fault
) -> None:
    for number in faults.each_call(fault):
        message = encode(a_created_event())

        try:
            count_created_link(message)
        except (BotoCoreError, ClientError):  # Lambda tries an event again
            faults.repair()
            count_created_link(message)
        faults.repair()

        assert [{"day": "2026-05-27", "links": number}] == by_day(admin)

    assert ["TransactWriteItems"] == [call.operation for call in faults.broken]


def test_a_message_that_is_no_event_is_passed_over(admin: Visitor) -> None:
    count_created_link("{}")

    assert [] == by_day(admin)


@pytest.mark.parametrize("kind", ["link.updated", "link.deleted"])
def test_an_event_that_is_not_of_a_new_link_is_logged_and_not_counted(
    admin: Visitor, logs: Callable[[], list[dict[str, Any]]], kind: str
) -> None:
    event = a_created_event(type=kind)

    count_created_link(encode(event))

    assert [("event of another type", event.code, kind)] == [
        (line["message"], line["code"], line["type"]) for line in logs()
    ]
    assert [] == by_day(admin)


def test_the_last_days_are_shown_newest_first_and_days_without_links_left_out(admin: Visitor) -> None:
    for back in (0, 2, 2, 5):
        count_created_link(encode(a_created_event(occurred_at=NOW - timedelta(days=back))))

    assert [{"day": "2026-05-27", "links": 1}, {"day": "2026-05-25", "links": 2}] == by_day(admin, "?days=5")


def test_only_admins_are_shown_it(ada: Visitor) -> None:
    answer = ada.get("/analytics/links")

    assert a_problem(HTTPStatus.FORBIDDEN, "admins-only", "Only an admin's key may ask for this.") == answer


@pytest.mark.parametrize("days", ["0", "101", "-1", "x", "1.5", ""])
def test_days_must_be_from_1_to_100(admin: Visitor, days: str) -> None:
    answer = admin.get(f"/analytics/links?days={days}")

    detail = "The parameter 'days' must be a whole number from 1 to 100."
    assert a_problem(HTTPStatus.BAD_REQUEST, "bad-request", detail) == answer
