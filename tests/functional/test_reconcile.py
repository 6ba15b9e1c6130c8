"""Reconciling: whatever becomes of a click, it is found; and a click that is lost or doubled is, too."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from chalicelib import aws, config
from chalicelib.clicks import purge, recorder
from chalicelib.clicks.click import encode
from chalicelib.clicks.counters import SORT_KEY
from chalicelib.links.status import Status
from chalicelib.links.store import insert_link
from ops.repairing import clicks, reconcile
from ops.repairing.reconcile import Balance, Day, Key
from ops.shared.aws import client
from ops.shared.log_lines import writer
from tests import infrastructure
from tests.builders import LambdaContext, StoppedClock, a_click, a_link, a_message, an_sqs_event
from tests.faults import Faults, lost, throttled, timed_out
from tests.functional.terminal import Type, terminal
from tests.functional.visitor import Visitor

Take = Callable[[], Balance]


@pytest.fixture
def now(clock: StoppedClock) -> datetime:
    """The time that it is: CloudWatch keeps no line of another year."""
    clock.time = datetime.now(UTC)
    return clock.time


@pytest.fixture
def today(now: datetime) -> str:
    return now.date().isoformat()


@pytest.fixture
def balance(now: datetime, logs: Callable[[], list[dict[str, Any]]]) -> Take:
    """Call it for the balance of yesterday and today, with what the app has logged so far in CloudWatch."""
    for function in ("follow_link", "record_clicks"):
        client("logs").create_log_group(logGroupName=f"/aws/lambda/linkly-test-{function}")
    written = 0
    streams = count()

    def take() -> Balance:
        nonlocal written
        lines, stream = logs(), f"stream {next(streams)}"
        write, write_of_recorder = (writer("test", function, stream) for function in ("follow_link", "record_clicks"))
        for line in lines[written:]:
            (write_of_recorder if "uncounted_clicks" in line else write)(json.dumps(line))
        written = len(lines)
        return reconcile.balance("test", [now.date() - timedelta(days=1), now.date()])

    insert_link(a_link(code="my-link", url="https://example.com/"))
    return take


def record() -> None:
    recorder.record_clicks(an_sqs_event(*infrastructure.receive()), LambdaContext())
    empty_queue()


def empty_queue() -> None:
    infrastructure.sqs().purge_queue(QueueUrl=config.click_queue_url())


def a_day(day: str, accepted: int, **else_: int) -> Day:
    return Day(day, (accepted, accepted), **{"counted": 0, "dead": 0, "replayable": 0, "untellable": 0, **else_})


def test_a_click_is_accounted_for_while_it_waits_and_when_it_is_counted(
    anyone: Visitor, balance: Take, today: str
) -> None:
    for _ in range(3):
        anyone.get("/my-link")
    anyone.head("/my-link")
    waiting = balance()
    record()
    counted = balance()

    assert (a_day(today, 3), 3, True) == (waiting.days[-1], waiting.waiting, waiting.holds)
    assert (a_day(today, 3, counted=3), 0, True) == (counted.days[-1], counted.waiting, counted.holds)


def test_a_click_that_could_not_be_queued_is_to_be_replayed_until_it_is_counted(
    anyone: Visitor, faults: Faults, balance: Take, today: str
) -> None:
    faults.plan(throttled(), operation="SendMessage", nth=1)
    faults.plan(lost(timed_out()), operation="SendMessage", nth=2)
    anyone.get("/my-link")
    anyone.get("/my-link")
    record()

    found = balance()

    assert (a_day(today, 2, counted=1, replayable=1), True) == (found.days[-1], found.holds)


def test_a_dead_letter_is_accounted_for_unless_it_was_counted_before(
    anyone: Visitor, balance: Take, today: str
) -> None:
    anyone.get("/my-link")
    anyone.get("/my-link")
    dead, counted = infrastructure.receive()
    recorder.record_clicks(an_sqs_event(counted), LambdaContext())
    for body in (dead["body"], counted["body"], "no click"):
        infrastructure.sqs().send_message(QueueUrl=f"{config.click_queue_url()}-dlq", MessageBody=body)

    found = balance()

    assert a_day(today, 2, counted=1, dead=1) == found.days[-1]


def test_a_click_counts_for_its_own_day(anyone: Visitor, clock: StoppedClock, balance: Take, now: datetime) -> None:
    clock.time = datetime.combine(now.date(), datetime.min.time(), UTC) - timedelta(milliseconds=1)
    anyone.get("/my-link")
    clock.time = now
    anyone.get("/my-link")
    record()

    found = balance()

    days = [(now.date() - timedelta(days=back)).isoformat() for back in (1, 0)]
    assert [a_day(day, 1, counted=1) for day in days] == found.days


def test_clicks_of_a_deleted_link_stay_in_a_day(ada: Visitor, anyone: Visitor, balance: Take, today: str) -> None:
    ada.post("/links", {"url": "https://example.com/", "code": "short-lived"})
    anyone.get("/short-lived")
    record()
    ada.send("DELETE", "/links/short-lived")
    event = (
        '{"v":1,"id":"0f8ab9b0-6c1c-4f0e-9d62-4a2f5b9f9c55","type":"link.deleted","code":"short-lived",'
        '"url":"https://example.com/","version":2,"occurred_at":"2026-05-27T10:15:30.123Z"}'
    )
    purge.purge_clicks(an_sqs_event(a_message(event)), LambdaContext())

    found = balance()

    assert (a_day(today, 1, counted=1), True) == (found.days[-1], found.holds)


def test_whether_an_unqueued_click_of_a_purged_link_was_counted_cannot_be_told(
    ada: Visitor, anyone: Visitor, faults: Faults, balance: Take, today: str
) -> None:
    ada.post("/links", {"url": "https://example.com/", "code": "short-lived"})
    faults.plan(throttled(), operation="SendMessage")
    anyone.get("/short-lived")
    ada.send("DELETE", "/links/short-lived")

    found = balance()

    assert (a_day(today, 1, untellable=1), True) == (found.days[-1], found.holds)


def test_clicks_of_a_deleted_link_that_were_not_counted_are_not_missed(
    ada: Visitor, anyone: Visitor, balance: Take, today: str
) -> None:
    ada.post("/links", {"url": "https://example.com/", "code": "short-lived"})
    for _ in range(3):
        anyone.get("/short-lived")
    anyone.get("/my-link")
    early, *late = infrastructure.receive()
    recorder.record_clicks(an_sqs_event(early), LambdaContext())
    ada.send("DELETE", "/links/short-lived")
    recorder.record_clicks(an_sqs_event(*late, early), LambdaContext())
    empty_queue()

    found = balance()

    # The early one has its row still.
    assert (a_day(today, 4, counted=2, untellable=2), True) == (found.days[-1], found.holds)


def test_a_click_is_missed_beside_one_that_nobody_accepted_and_that_was_not_counted(
    anyone: Visitor, balance: Take, now: datetime
) -> None:
    insert_link(a_link(code="gone", status=Status.DELETED))
    anyone.get("/my-link")
    empty_queue()
    forged = a_click(code="gone", occurred_at=now)
    recorder.record_clicks(an_sqs_event(a_message(forged)), LambdaContext())

    found = balance()

    assert (1, 0, False) == (found.missing, found.surplus, found.holds)


def test_a_click_that_is_lost_is_missed_by_name(anyone: Visitor, balance: Take, now: datetime) -> None:
    anyone.get("/my-link")
    anyone.get("/my-link")
    lost_one, counted = infrastructure.receive()
    recorder.record_clicks(an_sqs_event(counted), LambdaContext())
    empty_queue()

    found = balance()

    assert (1, 0, False) == (found.missing, found.surplus, found.holds)
    lost_id = json.loads(lost_one["body"])["id"]
    assert {Key("my-link", lost_id)} == reconcile.uncounted("test", [now.date()])


def test_a_click_that_nobody_made_is_a_surplus(anyone: Visitor, balance: Take, now: datetime) -> None:
    anyone.get("/my-link")
    record()
    forged = encode(a_click(code="my-link", occurred_at=now))
    recorder.record_clicks(an_sqs_event(a_message(forged)), LambdaContext())

    found = balance()

    assert (0, 1, False) == (found.missing, found.surplus, found.holds)


@pytest.fixture
def type_(monkeypatch: pytest.MonkeyPatch) -> Type:
    """Type a command about clicks."""
    return terminal(clicks, monkeypatch)


@pytest.mark.parametrize(
    ("days_ago", "reason"),
    [
        (-1, "has not begun; today is {today} in UTC"),
        (30, "of {day} the log is not whole any more: it is kept for 30 days"),
        (31, "The first day that can be reconciled is {first}"),
    ],
)
def test_a_day_that_the_log_does_not_have_is_refused(type_: Type, now: datetime, days_ago: int, reason: str) -> None:
    day, first = (now.date() - timedelta(days=ago) for ago in (days_ago, 29))

    refused = type_("reconcile", "--day", str(day))

    said = " ".join(re.sub("[│╭╮╰╯─]", "", refused.stderr).split())
    assert (2, True) == (refused.exit_code, reason.format(day=day, today=now.date(), first=first) in said), said


def test_the_first_day_that_the_log_has_whole_is_reconciled(type_: Type, balance: Take, now: datetime) -> None:
    balance()
    first = now.date() - timedelta(days=29)

    done = type_("reconcile", "--day", str(first), "--patience", "0")

    assert (0, True) == (done.exit_code, "every accepted click is accounted for" in done.stdout), done.output


def test_a_program_is_told_what_people_are(anyone: Visitor, type_: Type, balance: Take, today: str) -> None:
    anyone.get("/my-link")
    anyone.get("/my-link")
    lost_one, counted = infrastructure.receive()
    recorder.record_clicks(an_sqs_event(counted), LambdaContext())
    empty_queue()
    balance()

    done = type_("reconcile", "--day", today, "--patience", "0", "--json")

    lost_id = json.loads(lost_one["body"])["id"]
    assert (1, "") == (done.exit_code, done.stderr.strip())
    assert {
        "days": [{"day": today, "accepted": 2, "counted": 1, "dead": 0, "to_replay": 0}],
        "waiting": 0,
        "of_deleted_links": 0,
        "surplus": 0,
        "missing": 1,
        "wrong": [],
        "without_rows": [{"code": "my-link", "click_id": lost_id}],
    } == json.loads(done.stdout)


def test_a_counter_that_does_not_add_up_is_named_and_why(
    anyone: Visitor, type_: Type, balance: Take, today: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "own_shard", lambda: 7)
    anyone.get("/my-link")
    record()
    balance()
    aws.dynamodb().update_item(
        TableName=config.daily_clicks_table(),
        Key={"code": {"S": "my-link"}, SORT_KEY: {"S": f"{today}#07"}},
        UpdateExpression="ADD cDE :one",
        ExpressionAttributeValues={":one": {"N": "1"}},
    )

    said, told = (type_("reconcile", "--day", today, "--patience", "0", *options) for options in ((), ("--json",)))

    why = "1 people, and 2 by country"
    assert f"the counter of my-link, {today}, shard 07, does not add up: {why}" in said.stdout
    assert [{"code": "my-link", "day": today, "shard": "07", "why": why}] == json.loads(told.stdout)["wrong"]
    assert (1, 1) == (said.exit_code, told.exit_code)


def test_clicks_that_are_made_while_it_reads_disturb_nothing() -> None:
    made_meanwhile = Day("2026-05-27", (10, 13), counted=12, dead=0, replayable=0, untellable=0)
    none_made = Day("2026-05-27", (10, 10), counted=12, dead=0, replayable=0, untellable=0)

    assert Balance([made_meanwhile], waiting=1).holds
    assert 2 == Balance([none_made], waiting=1).surplus
