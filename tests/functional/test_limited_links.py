"""A link with `max_clicks`: so many redirects and not one more, each counted; at both doors."""

import json
from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import pytest

from chalicelib.access.callers import Caller
from chalicelib.access.keys import Role
from chalicelib.links.allowances import used
from chalicelib.links.change import change_link, delete_link
from chalicelib.links.store import insert_link
from chalicelib.redirects import follow
from chalicelib.redirects.refresher import refresh
from ops.repairing.restore import put_back
from tests import infrastructure
from tests.builders import FIREFOX, GOOGLEBOT, NOW, a_link
from tests.faults import Fault, Faults, lost, lost_once, refused, reset, throttled, timed_out, unavailable
from tests.functional.visitor import Answer, Visitor, a_problem

ALLOWANCES = infrastructure.environment()["ALLOWANCES_TABLE"]
URL, OVER = "https://example.com/", "https://example.org/over"
ADA = Caller("ada", Role.USER)
USED_UP = a_problem(HTTPStatus.GONE, "link-used-up", "The link 'my-link' was followed as often as its owner allows.")


def clicks() -> int:
    return len(infrastructure.receive())


def statuses(visitor: Visitor, times: int) -> list[int]:
    return [visitor.get("/my-link").status for _ in range(times)]


def change(**changes: Any) -> None:
    """Change the link, and have every process know of it."""
    change_link("my-link", changes, ADA, None, frozenset())
    refresh("my-link")
    follow.forget()


def test_a_link_is_followed_as_often_as_it_may_and_each_time_is_counted(visitor: Visitor) -> None:
    insert_link(a_link(max_clicks=2))

    assert [302, 302, 410, 410] == statuses(visitor, 4)
    assert USED_UP == visitor.get("/my-link")
    assert 2 == clicks()
    assert 2 == used("my-link")


def test_whoever_comes_later_goes_to_the_expired_url_uncounted(visitor: Visitor) -> None:
    insert_link(a_link(max_clicks=1, expired_url=OVER))

    answers = [visitor.get("/my-link?a=b") for _ in range(2)]

    assert [(302, URL), (302, OVER)] == [(each.status, each.headers["Location"]) for each in answers]
    assert 1 == clicks()


def test_that_nothing_is_left_is_remembered_for_the_version(visitor: Visitor, faults: Faults) -> None:
    insert_link(a_link(max_clicks=1))
    statuses(visitor, 2)
    faults.calls.clear()

    assert [410] == statuses(visitor, 1)
    assert [] == faults.operations


def test_a_higher_limit_gives_more_and_a_lower_one_none(visitor: Visitor) -> None:
    insert_link(a_link(owner="ada", max_clicks=2))
    before = statuses(visitor, 3)

    change(max_clicks=3)
    more = statuses(visitor, 2)
    change(max_clicks=1)
    less = statuses(visitor, 1)
    change(max_clicks=None)
    unlimited = statuses(visitor, 1)

    assert ([302, 302, 410], [302, 410], [410], [302]) == (before, more, less, unlimited)


def test_a_redirect_costs_one_write_more(visitor: Visitor, faults: Faults) -> None:
    insert_link(a_link(max_clicks=9))
    statuses(visitor, 1)
    faults.calls.clear()

    statuses(visitor, 1)

    assert ["UpdateItem", "SendMessage"] == faults.operations


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_robots_that_say_so_and_head_use_nothing_up_and_never_learn_the_target(visitor: Visitor, method: str) -> None:
    insert_link(a_link(max_clicks=1))
    agent = GOOGLEBOT if method == "GET" else FIREFOX

    answer = visitor.sending(User_Agent=agent).send(method, "/my-link")

    assert (200, 0, 0) == (answer.status, clicks(), used("my-link"))
    assert "Location" not in answer.headers
    assert "no-store" == answer.headers["Cache-Control"]
    assert "example.com" not in json.dumps(answer)


@pytest.mark.parametrize(
    "state",
    [{"enabled": False}, {"starts_at": NOW + timedelta(1)}, {"expires_at": NOW}],
    ids=lambda each: next(iter(each)),
)
def test_refusals_use_nothing_up(visitor: Visitor, state: dict[str, Any]) -> None:
    insert_link(a_link(max_clicks=1, **state))

    visitor.get("/my-link")

    assert 0 == used("my-link")


NOT_ASKED = [throttled(), unavailable(), refused("AccessDeniedException"), timed_out(), reset()]


@pytest.mark.parametrize("fault", [*NOT_ASKED, lost(timed_out()), lost(unavailable())], ids=str)
def test_if_the_table_does_not_answer_nobody_is_redirected_and_nothing_counted(
    visitor: Visitor, faults: Faults, fault: Fault
) -> None:
    insert_link(a_link(max_clicks=1))
    faults.plan(fault, table=ALLOWANCES)

    answer = visitor.get("/my-link")
    faults.repair()

    detail = "The database cannot be reached just now. Try again in a moment."
    expected = a_problem(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", detail, Retry_After="1")
    assert (expected, 0) == (answer, clicks())
    assert [302 if fault in NOT_ASKED else 410] == statuses(visitor, 1)


def test_a_lost_answer_costs_a_click_and_never_gives_one_too_many(visitor: Visitor, faults: Faults) -> None:
    insert_link(a_link(max_clicks=3))
    faults.plan(lost_once(), table=ALLOWANCES, nth=1)

    assert [302, 302, 410] == statuses(visitor, 3)
    assert 3 == used("my-link")


def test_a_restored_link_does_not_begin_again(visitor: Visitor) -> None:
    link = a_link(owner="ada", max_clicks=2)
    insert_link(link)
    statuses(visitor, 2)
    delete_link("my-link", ADA, None)
    put_back(link)
    refresh("my-link")
    follow.forget()

    assert [410] == statuses(visitor, 1)


def test_a_click_that_the_queue_does_not_take_is_redirected_all_the_same_and_logged(
    visitor: Visitor, faults: Faults, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    insert_link(a_link(max_clicks=1))
    faults.plan(timed_out(), operation="SendMessage")

    assert [302, 410] == statuses(visitor, 2)
    assert ["click not queued"] == [line["message"] for line in lines() if "unqueued_click" in line]


def test_an_entry_from_before_there_were_limits_opens_no_door(visitor: Visitor) -> None:
    insert_link(a_link(max_clicks=1))
    statuses(visitor, 1)
    entry = infrastructure.items("REDIRECTS_TABLE")[0]
    infrastructure.dynamodb().put_item(
        TableName=infrastructure.environment()["REDIRECTS_TABLE"],
        Item={
            "code": {"S": "my-link"}, "url": {"S": URL}, "status": {"S": "active"}, "version": {"N": "1"},
            "layout": {"N": "2"},
        },
    )  # fmt: skip
    follow.forget()

    assert [410] == statuses(visitor, 1)
    assert [entry] == infrastructure.items("REDIRECTS_TABLE")
    assert "url" not in entry


def test_the_owner_is_told_how_many_are_used(ada: Visitor, visitor: Visitor) -> None:
    insert_link(a_link(owner="ada", max_clicks=5))
    insert_link(a_link(owner="ada", code="free"))
    statuses(visitor, 2)

    limited, free = (ada.get(f"/stats/{code}?from=2026-05-27").body for code in ("my-link", "free"))

    assert 2 == limited["used"]
    assert "used" not in free


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        (0, "Expected `int` >= 1"), (1_000_000_001, "Expected `int` <= 1000000000"),
        (1.5, "Expected `int | null`, got `float`"), ("5", "Expected `int | null`, got `str`"),
    ],
)  # fmt: skip
def test_a_limit_is_a_whole_number_of_clicks(ada: Visitor, value: Any, detail: str) -> None:
    answer = ada.post("/links", {"url": URL, "max_clicks": value})

    assert (400, f"The body does not fit: {detail} - at `$.max_clicks`.") == (answer.status, answer.body["detail"])


def test_both_doors_share_an_allowance(ada: Visitor, visitor: Visitor) -> None:
    created: Answer = ada.post("/links", {"url": URL, "code": "my-link", "max_clicks": 1})

    assert (201, 1) == (created.status, created.body["max_clicks"])
    assert [302, 410] == statuses(visitor, 2)
