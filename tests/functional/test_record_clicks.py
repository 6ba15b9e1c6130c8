"""record_clicks, when all goes well: rows, counters, duplicates, and messages that are no clicks."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

import app
from chalicelib import config
from chalicelib.batches import Item, read_all
from chalicelib.clicks import counters, recorder
from chalicelib.clicks.click import Click, encode
from chalicelib.clicks.counters import DELETED_LINKS
from chalicelib.clicks.purge import purge_clicks
from chalicelib.links.events import deletion_of
from chalicelib.links.events import encode as encode_event
from chalicelib.links.status import Status
from chalicelib.links.store import insert_link, read_link
from tests import infrastructure
from tests.builders import FIREFOX, NOW, TODAY, LambdaContext, a_click, a_link, a_message, an_sqs_event, clicks
from tests.faults import Faults, cancelled
from tests.functional.visitor import Visitor

ALL_COUNTED: dict[str, Any] = {"batchItemFailures": []}


@pytest.fixture(autouse=True)
def shard_seven(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "own_shard", lambda: 7)


def record(*bodies: Click | str) -> dict[str, Any]:
    """Deliver each body in a message of its own, all in one batch."""
    return recorder.record_clicks(an_sqs_event(*map(a_message, bodies)), LambdaContext())


def counted() -> dict[tuple[str, str], int]:
    """The counters: how many clicks by code and day#shard."""
    return {(item["code"], item["day#shard"]): item["clicks"] for item in infrastructure.items("DAILY_CLICKS_TABLE")}


def ids() -> set[str]:
    """The ids of the clicks that have a row."""
    return {item["click_id"] for item in infrastructure.items("CLICKS_TABLE")}


def test_a_click_becomes_a_row_and_a_counter() -> None:
    click = a_click(code="my-link", referrer="https://news.example.com/", user_agent=FIREFOX, country="DE")

    response = record(click)

    assert ALL_COUNTED == response
    assert [
        {
            "code": "my-link",
            "click_id": str(click.id),
            "occurred_at": "2026-05-27T10:15:30.123Z",
            "expires_at": int((NOW + timedelta(days=90)).timestamp()),
            "referrer": "https://news.example.com/",
            "user_agent": FIREFOX,
            "country": "DE",
        }
    ] == infrastructure.items("CLICKS_TABLE")
    [counter] = infrastructure.items("DAILY_CLICKS_TABLE")
    seen = dict.fromkeys(("h10", "cDE", "bFirefox", "oLinux", "ddesktop", "rnews.example.com", "u"), 1)
    assert {"code": "my-link", "day#shard": "2026-05-27#07", "clicks": 1, "v": counter["v"], **seen} == counter


def test_clicks_count_for_their_link_and_their_day_in_utc() -> None:
    before_midnight = NOW.replace(hour=23, minute=59, second=59) - timedelta(days=1)

    record(
        *clicks(3, code="busy"),
        *clicks(2, code="quiet"),
        *clicks(1, code="busy", occurred_at=before_midnight),
    )

    assert {("busy", "2026-05-27#07"): 3, ("busy", "2026-05-26#07"): 1, ("quiet", "2026-05-27#07"): 2} == counted()


def test_batches_add_up() -> None:
    record(*clicks(3))
    record(*clicks(4))

    assert {("my-link", f"{TODAY}#07"): 7} == counted()


def test_a_click_delivered_twice_counts_once() -> None:
    click = a_click()
    record(click)

    response = record(click)

    assert ALL_COUNTED == response
    assert {("my-link", f"{TODAY}#07"): 1} == counted()


def test_five_copies_in_one_batch_count_once() -> None:
    click = a_click()

    response = record(*[click] * 5)

    assert ALL_COUNTED == response
    assert {str(click.id)} == ids()
    assert {("my-link", f"{TODAY}#07"): 1} == counted()


def test_an_id_is_the_same_however_it_is_spelled() -> None:
    click = a_click()
    text = encode(click)

    record(text, text.replace(str(click.id), str(click.id).upper()), text.replace(str(click.id), click.id.hex))

    assert {str(click.id)} == ids()
    assert {("my-link", f"{TODAY}#07"): 1} == counted()


def test_a_batch_of_old_and_new_clicks_counts_the_new_ones() -> None:
    old, new = clicks(4), clicks(3)
    record(*old)

    response = record(old[0], new[0], old[1], new[1], old[2], new[2], old[3])

    assert ALL_COUNTED == response
    assert {str(click.id) for click in old + new} == ids()
    assert {("my-link", f"{TODAY}#07"): 7} == counted()


def test_clicks_that_are_regrouped_into_other_batches_count_once() -> None:
    made = [a_click(code=code) for code in ("one", "two") for _ in range(6)]

    for batch in (made[:4], made[2:9], made[8:], made[::2]):
        record(*batch)

    assert {("one", f"{TODAY}#07"): 6, ("two", f"{TODAY}#07"): 6} == counted()


def test_one_undecodable_message_among_ten_fails_alone() -> None:
    messages = [a_message() for _ in range(10)]
    messages[4]["body"] = "no click"

    response = recorder.record_clicks(an_sqs_event(*messages), LambdaContext())

    assert {"batchItemFailures": [{"itemIdentifier": messages[4]["messageId"]}]} == response
    assert {("my-link", f"{TODAY}#07"): 9} == counted()


@pytest.mark.parametrize(
    ("age", "counts"),
    [
        (timedelta(days=90) - timedelta(hours=1), False),
        (timedelta(days=90) - timedelta(hours=1, microseconds=-1000), False),
        (timedelta(days=90) - timedelta(hours=1, microseconds=1000), True),
        (timedelta(days=3650), False),
        (-timedelta(days=1), False),
        (-timedelta(hours=23), True),
    ],
)
def test_a_click_is_refused_when_its_row_could_have_expired_or_it_is_yet_to_come(
    age: timedelta, *, counts: bool
) -> None:
    message = a_message(a_click(occurred_at=NOW - age))

    response = recorder.record_clicks(an_sqs_event(message), LambdaContext())

    failures = [] if counts else [{"itemIdentifier": message["messageId"]}]
    assert {"batchItemFailures": failures} == response
    assert counts == len(ids())


def test_the_retention_is_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLICK_RETENTION_DAYS", "30")
    young, old = (a_message(a_click(occurred_at=NOW - timedelta(days=days))) for days in (29, 30))

    response = recorder.record_clicks(an_sqs_event(young, old), LambdaContext())

    (row,) = infrastructure.items("CLICKS_TABLE")
    assert {"batchItemFailures": [{"itemIdentifier": old["messageId"]}]} == response
    assert int((NOW + timedelta(days=1)).timestamp()) == row["expires_at"]


def test_without_its_settings_nothing_is_counted_or_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLICK_RETENTION_DAYS")

    with pytest.raises(config.SettingMissing):
        record(a_click())

    assert set() == ids()


def test_five_hundred_clicks_on_one_link_take_six_transactions(faults: Faults) -> None:
    response = record(*clicks(500))

    assert ALL_COUNTED == response
    assert ["BatchGetItem", *["TransactWriteItems"] * 6] == faults.operations
    assert {("my-link", f"{TODAY}#07"): 500} == counted()


def test_fifty_links_with_a_click_each_share_a_transaction(faults: Faults) -> None:
    record(*(a_click(code=f"link-{number}") for number in range(50)))

    assert ["BatchGetItem", "TransactWriteItems"] == faults.operations
    assert 50 == len(counted())


# Deleted links


def given_deleted(code: str) -> None:
    insert_link(a_link(code=code, status=Status.DELETED, version=2))


def test_clicks_of_a_deleted_link_are_not_counted_and_do_not_come_again(
    logs: Callable[[], list[dict[str, Any]]],
) -> None:
    given_deleted("gone")
    insert_link(a_link(code="alive"))
    late, twice, fine, unknown = (a_click(code=code) for code in ("gone", "gone", "alive", "nobodys"))

    response = record(late, twice, twice, fine, unknown)

    assert ALL_COUNTED == response
    assert {("alive", f"{TODAY}#07"): 1, ("nobodys", f"{TODAY}#07"): 1} == counted()
    assert {str(fine.id), str(unknown.id)} == ids()
    told = {line["message"]: line for line in logs()}
    assert [
        {"click_id": str(click.id), "code": "gone", "occurred_at": "2026-05-27T10:15:30.123Z"}
        for click in (late, twice)
    ] == told["clicks of deleted links not counted"]["uncounted_clicks"]
    assert (5, 2, 0, 0) == tuple(
        told["clicks recorded"][name] for name in ("messages", "ClicksRecorded", "ClicksDuplicate", "ClicksFailed")
    )


def test_clicks_that_come_after_the_purge_of_their_link_leave_nothing_behind(ada: Visitor, anyone: Visitor) -> None:
    ada.post("/links", {"url": "https://example.com/", "code": "my-link"})
    record(a_click())
    anyone.get("/my-link")
    infrastructure.receive()
    ada.send("DELETE", "/links/my-link")
    deletion = encode_event(deletion_of(read_link("my-link")))
    purge_clicks(an_sqs_event(a_message(deletion)), LambdaContext())
    purged = (ids(), {code for code, _ in counted()})

    # The cache was never told, and redirects still.
    late = anyone.get("/my-link")
    recorder.record_clicks(an_sqs_event(*infrastructure.receive()), LambdaContext())

    assert (set(), {DELETED_LINKS}) == purged
    assert 302 == late.status
    assert (set(), {DELETED_LINKS}) == (ids(), {code for code, _ in counted()})


def test_a_link_that_was_restored_is_counted_though_a_read_may_lag_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    insert_link(a_link(version=3))
    monkeypatch.setattr("chalicelib.links.deleted.read_all", lagging("my-link"))

    record(a_click())

    assert {("my-link", f"{TODAY}#07"): 1} == counted()


def lagging(code: str) -> Callable[..., list[Item]]:
    """What reads a link as deleted, unless it is read consistently."""

    def read(*arguments: Any, consistent: bool, **more: Any) -> list[Item]:
        if consistent:
            return read_all(*arguments, consistent=True, **more)
        return [{"code": {"S": code}, "status": {"S": "deleted"}}]

    return read


def test_an_item_that_is_no_link_keeps_nobody_from_being_counted() -> None:
    infrastructure.dynamodb().put_item(TableName=config.links_table(), Item={"code": {"S": "odd"}})

    record(a_click(code="odd"), a_click(code="my-link"))

    assert {("odd", f"{TODAY}#07"): 1, ("my-link", f"{TODAY}#07"): 1} == counted()


def test_whether_links_are_deleted_is_asked_once_for_each_and_a_hundred_at_a_time(faults: Faults) -> None:
    record(*(a_click(code=f"link-{number % 120}") for number in range(240)))

    reads = [call.params["RequestItems"][config.links_table()] for call in faults.of("BatchGetItem")]
    assert [(100, False), (20, False)] == [(len(read["Keys"]), read["ConsistentRead"]) for read in reads]


def test_an_environment_keeps_to_its_shard_until_it_meets_somebody_there(
    monkeypatch: pytest.MonkeyPatch, faults: Faults
) -> None:
    monkeypatch.setattr(recorder, "own_shard", counters.own_shard)
    first = counters.own_shard()

    record(a_click())
    record(a_click())
    faults.plan(cancelled("None", "TransactionConflict"), operation="TransactWriteItems", nth=3)
    record(a_click())
    then = counters.own_shard()

    assert then != first
    assert {first, then} <= {*range(8)}
    assert {("my-link", f"{TODAY}#{first:02d}"): 2, ("my-link", f"{TODAY}#{then:02d}"): 1} == counted()


def test_what_was_recorded_is_logged_in_numbers(logs: Callable[[], list[dict[str, Any]]]) -> None:
    known, twice = a_click(), a_click()
    record(known)

    record(known, twice, twice, *clicks(2), "no click")

    line = [line for line in logs() if line["message"] == "clicks recorded"][-1]
    assert ("clicks recorded", 6, 3, 2, 1) == (
        line["message"],
        line["messages"],
        line["ClicksRecorded"],
        line["ClicksDuplicate"],
        line["ClicksFailed"],
    )


def test_the_trigger_hands_the_batch_over() -> None:
    click, poison = a_message(a_click()), a_message("no click")

    response = app.record_clicks(an_sqs_event(click, poison), LambdaContext())

    assert {"batchItemFailures": [{"itemIdentifier": poison["messageId"]}]} == response
    assert {("my-link", f"{TODAY}#07"): 1} == counted()


def test_a_visit_is_counted_by_what_waits_in_the_queue(ada: Visitor, anyone: Visitor) -> None:
    ada.post("/links", {"url": "https://example.com/", "code": "my-link"})
    for _ in range(3):
        anyone.get("/my-link")

    recorder.record_clicks(an_sqs_event(*infrastructure.receive()), LambdaContext())

    assert {"code": "my-link", "total": 3, "by_day": [{"day": TODAY, "clicks": 3}]} == ada.get("/stats/my-link").body
