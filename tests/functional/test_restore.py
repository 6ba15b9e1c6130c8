"""What was restored is put back: links as new versions, clicks through the queue."""

import uuid
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from chalicelib import clock, config
from chalicelib.clicks.breakdowns import numbers
from chalicelib.clicks.counters import SORT_KEY, clicks_by_day, counters_of, sort_key
from chalicelib.clicks.purge import purge_clicks
from chalicelib.clicks.recorder import record_clicks
from chalicelib.links.allowances import take
from chalicelib.links.blocklist import put_domain
from chalicelib.links.events import LinkEvent, encode
from chalicelib.links.link import Link
from chalicelib.links.status import Status
from chalicelib.links.store import every_link, insert_link, read_link, replace_link
from chalicelib.redirects.cache import Redirect, find_redirect, put_redirect
from ops.repairing import restore
from ops.repairing.restore import (
    Outcome,
    copy_missing,
    count_again,
    put_back,
    raise_counters,
    restored_name,
    use_up_again,
)
from tests.builders import NOW, TODAY, LambdaContext, a_click, a_link, a_message, an_sqs_event, clicks
from tests.functional.terminal import terminal
from tests.infrastructure import dynamodb, items, receive, sqs


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    restore.is_deleted.cache_clear()
    restore.days_counted_without_rows.cache_clear()


def restored(table: str, target: str = "") -> str:
    """A table as it is now, restored under another name."""
    target = target or f"{table}-restored"
    dynamodb().restore_table_to_point_in_time(
        SourceTableName=table, TargetTableName=target, UseLatestRestorableTime=True
    )
    return target


def empty(table: str, *keys: str) -> None:
    for page in dynamodb().get_paginator("scan").paginate(TableName=table):
        for item in page["Items"]:
            dynamodb().delete_item(TableName=table, Key={key: item[key] for key in keys})


def work() -> None:
    """Record what is in the queue of clicks."""
    assert {"batchItemFailures": []} == record_clicks(an_sqs_event(*receive()), LambdaContext())


def test_a_deleted_link_comes_back_as_its_next_version() -> None:
    insert_link(a_link())
    replace_link(a_link(status=Status.DELETED), 1)

    outcomes = [put_back(a_link(), dry_run=True), put_back(a_link()), put_back(a_link())]

    assert [Outcome.WOULD_BE, Outcome.PUT_BACK, Outcome.UNCHANGED] == outcomes
    assert a_link(version=3) == read_link("my-link")


def test_a_link_that_is_gone_comes_back_beyond_the_version_that_is_cached() -> None:
    lost = a_link(version=4)
    put_redirect(Redirect("my-link", "https://example.com/later", Status.ACTIVE, 6))

    outcome = put_back(lost)

    assert Outcome.PUT_BACK == outcome
    assert replace(lost, version=7) == read_link("my-link")
    assert Redirect.of(replace(lost, version=7)) == find_redirect("my-link")


def test_a_link_that_nobody_has_cached_comes_back_at_its_own_version() -> None:
    put_back(a_link(version=4))

    assert a_link(version=4) == read_link("my-link")


@pytest.mark.parametrize(
    "link", [a_link(), a_link(url="https://example.org/then", expired_url="https://example.com/over")]
)
def test_a_link_into_a_domain_that_is_blocked_since_is_not_put_back(link: Link) -> None:
    insert_link(a_link(url="https://example.org/now", version=2))
    put_domain("example.com", "fraud")

    assert [Outcome.BLOCKED] * 2 == [put_back(link, dry_run=True), put_back(link)]
    assert a_link(url="https://example.org/now", version=2) == read_link("my-link")


def test_a_link_that_changes_at_the_same_time_is_told_of_and_not_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    insert_link(a_link(url="https://example.com/now", version=2))
    monkeypatch.setattr(restore, "read_link", lambda _: a_link(url="https://example.com/before"))

    assert Outcome.CHANGED == put_back(a_link())
    assert a_link(url="https://example.com/now", version=2) == read_link("my-link")


@pytest.mark.usefixtures("one_item_a_page")
def test_links_are_read_from_the_table_that_was_restored() -> None:
    insert_link(a_link())
    table = restored(config.links_table())
    replace_link(a_link(url="https://example.com/now"), 1)

    assert [a_link()] == list(every_link(table=table)) == list(every_link("ada", table=table))


def test_clicks_that_are_gone_count_again_once_and_those_counted_since_stay() -> None:
    insert_link(a_link())
    before = clicks(3, referrer="https://example.org/", utm_source="newsletter", utm_campaign="may")
    since = clicks(2)
    record_clicks(an_sqs_event(*map(a_message, before)), LambdaContext())
    rows = items("CLICKS_TABLE")
    table = restored(config.clicks_table())
    empty(config.clicks_table(), "code", "click_id")
    empty(config.daily_clicks_table(), "code", "day#shard")
    record_clicks(an_sqs_event(*map(a_message, since)), LambdaContext())

    would = count_again(table, dry_run=True)
    first = count_again(table)
    work()
    found = numbers(counters_of("my-link"))
    again = count_again(table)

    assert (Counter({"would be sent": 3}), Counter({"sent": 3}), Counter({"there": 3})) == (+would, +first, +again)
    assert (5, 5, None) == (found.clicks, found.people, found.why_wrong())
    assert ({"newsletter": 3, "": 2}, {"example.org": 3, "": 2}) == tuple(map(found.values, ("utm_source", "referrer")))
    assert rows == [row for row in items("CLICKS_TABLE") if row in rows]


def test_clicks_come_back_while_other_links_are_being_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    insert_link(a_link())
    record_clicks(an_sqs_event(*map(a_message, clicks(3))), LambdaContext())
    for table in (config.clicks_table(), config.daily_clicks_table()):
        restored(table, restored_name("test", table.rpartition("-")[2], NOW))
    empty(config.clicks_table(), "code", "click_id")
    empty(config.daily_clicks_table(), "code", "day#shard")
    sqs().send_message(QueueUrl=config.deleted_links_queue_url(), MessageBody=a_deletion(a_link(code="another")))

    done = terminal(restore, monkeypatch)("clicks", "--to-time", NOW.isoformat())
    work()

    assert (0, "3 sent\n") == (done.exit_code, done.stdout)
    assert {TODAY: 3} == clicks_by_day("my-link")


def test_clicks_that_came_back_with_their_link_stay_when_its_old_deletion_comes() -> None:
    insert_link(a_link())
    record_clicks(an_sqs_event(*map(a_message, clicks(3))), LambdaContext())
    table = restored(config.clicks_table())
    deleted = a_link(status=Status.DELETED, version=2)
    replace_link(deleted, 1)
    purge_clicks(an_sqs_event(a_message(a_deletion(deleted))), LambdaContext())
    purged = clicks_by_day("my-link")
    put_back(a_link())
    count_again(table)
    work()

    purge_clicks(an_sqs_event(a_message(a_deletion(deleted))), LambdaContext())

    assert ({}, {TODAY: 3}) == (purged, clicks_by_day("my-link"))


def a_deletion(link: Link) -> str:
    """The event that a link was deleted."""
    return encode(
        LinkEvent(
            v=1,
            id=uuid.uuid4(),
            type="link.deleted",
            code=link.code,
            url=link.url,
            version=link.version,
            occurred_at=NOW,
        )
    )


def test_clicks_of_deleted_links_and_those_that_are_too_old_are_not_sent() -> None:
    insert_link(a_link())
    insert_link(a_link(code="alive"))
    old = a_click(code="alive", occurred_at=NOW - timedelta(days=89))
    record_clicks(an_sqs_event(*map(a_message, [a_click(), old, a_click(code="gone")])), LambdaContext())
    replace_link(a_link(status=Status.DELETED), 1)
    table = restored(config.clicks_table())
    empty(config.clicks_table(), "code", "click_id")
    empty(config.daily_clicks_table(), "code", "day#shard")
    clock.sleep(timedelta(days=1).total_seconds())

    done = count_again(table)

    assert Counter({"of links that are deleted": 2, "too old to be counted": 1}) == +done
    assert [] == receive()


def test_clicks_whose_rows_alone_are_gone_are_not_counted_twice() -> None:
    insert_link(a_link())
    yesterday = clicks(2, occurred_at=NOW - timedelta(days=1))
    record_clicks(an_sqs_event(*map(a_message, [*clicks(3), *yesterday])), LambdaContext())
    table = restored(config.clicks_table())
    row = items("CLICKS_TABLE")[0]
    dynamodb().delete_item(
        TableName=config.clicks_table(), Key={"code": {"S": row["code"]}, "click_id": {"S": row["click_id"]}}
    )

    done = count_again(table)

    assert Counter({"there": 4, restore.COUNTED: 1}) == +done
    assert [] == receive()


def test_counters_of_days_that_nobody_can_add_to_are_raised_and_no_others() -> None:
    insert_link(a_link())
    retention = config.click_retention_days()
    for number, age in ((4, retention + 1), (3, retention), (2, 0)):
        day = (NOW - timedelta(days=age)).date().isoformat()
        counter = {"code": {"S": "my-link"}, "day#shard": {"S": f"{day}#07"}, "clicks": {"N": str(number)}}
        dynamodb().put_item(TableName=config.daily_clicks_table(), Item=counter)
    all_days = clicks_by_day("my-link")
    oldest = min(all_days)
    table = restored(config.daily_clicks_table())
    empty(config.daily_clicks_table(), "code", "day#shard")

    done = [raise_counters(table, dry_run=True), raise_counters(table), raise_counters(table)]

    assert [
        Counter({"days of counters would be raised": 1}),
        Counter({"days of counters raised": 1}),
        Counter(),
    ] == done
    assert {oldest: 4} == clicks_by_day("my-link")


def test_a_counter_that_is_larger_by_now_stays() -> None:
    insert_link(a_link())
    counter = {"code": {"S": "my-link"}, "day#shard": {"S": "2020-01-01#07"}, "clicks": {"N": "1"}}
    dynamodb().put_item(TableName=config.daily_clicks_table(), Item=counter)
    table = restored(config.daily_clicks_table())
    dynamodb().put_item(TableName=config.daily_clicks_table(), Item={**counter, "clicks": {"N": "2"}})

    assert Counter() == raise_counters(table)
    assert {"2020-01-01": 2} == clicks_by_day("my-link")


OLD_DAY = "2020-01-01"


def a_counter(shard: int, **amounts: int) -> dict[str, Any]:
    """A counter of a day that nobody can add to, with its breakdowns."""
    numbers = {name: {"N": str(amount)} for name, amount in amounts.items()}
    return {"code": {"S": "my-link"}, SORT_KEY: {"S": sort_key(OLD_DAY, shard)}, **numbers}


def given_counters(*counters: dict[str, Any]) -> None:
    """Have these counters and no others."""
    empty(config.daily_clicks_table(), "code", SORT_KEY)
    for counter in counters:
        dynamodb().put_item(TableName=config.daily_clicks_table(), Item=counter)


ROBOTS = {"h07": 2, "x07": 2}
PEOPLE = {"h07": 3, **dict.fromkeys(("cDE", "b", "o", "d", "r", "u"), 3)}


@pytest.mark.usefixtures("one_item_a_page")
def test_counters_of_a_day_are_raised_together_and_never_mixed_with_others() -> None:
    insert_link(a_link())
    then = [a_counter(1, clicks=3, **PEOPLE), a_counter(9, clicks=2, **ROBOTS)]
    given_counters(*then)
    table = restored(config.daily_clicks_table())
    given_counters(a_counter(1, clicks=2, **ROBOTS), a_counter(4, clicks=2))

    done = raise_counters(table)

    assert Counter({"days of counters raised": 1}) == done
    assert then == [*counters_of("my-link")]


def test_a_day_that_was_recounted_since_is_not_counted_twice() -> None:
    insert_link(a_link())
    given_counters(a_counter(1, clicks=3, **PEOPLE), a_counter(2, clicks=2, **ROBOTS))
    table = restored(config.daily_clicks_table())
    recounted = a_counter(8, clicks=5, **{**PEOPLE, "h07": 5, "x07": 2})
    given_counters(recounted)

    assert Counter() == raise_counters(table)
    assert [recounted] == [*counters_of("my-link")]


def test_counters_that_change_at_the_same_time_are_told_of_and_not_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    insert_link(a_link())
    given_counters(a_counter(1, clicks=3))
    table = restored(config.daily_clicks_table())
    given_counters(a_counter(1, clicks=2))
    monkeypatch.setattr(restore, "version_if_alive", lambda _: "2")  # it has been changed since

    assert Counter({restore.DAY_CHANGED: 1}) == raise_counters(table)
    assert {OLD_DAY: 2} == clicks_by_day("my-link")


def test_items_that_are_gone_are_put_back_and_others_stay() -> None:
    for day in ("2026-05-26", "2026-05-27"):
        dynamodb().put_item(TableName=config.daily_links_table(), Item={"day": {"S": day}, "links": {"N": "1"}})
    table = restored(config.daily_links_table())
    dynamodb().delete_item(TableName=config.daily_links_table(), Key={"day": {"S": "2026-05-26"}})
    dynamodb().put_item(TableName=config.daily_links_table(), Item={"day": {"S": "2026-05-27"}, "links": {"N": "2"}})

    copied = [copy_missing(table, config.daily_links_table(), "day") for _ in range(2)]

    assert [1, 0] == copied
    assert [1, 2] == [item["links"] for item in items("DAILY_LINKS_TABLE")]


def test_clicks_that_were_used_up_are_used_up_again_unless_more_are_by_now() -> None:
    def use_up(**times: int) -> None:
        for code, number in times.items():
            assert all(take(code, 9) for _ in range(number))

    use_up(gone=3, begun=2, later=1)
    table = restored(config.allowances_table())
    empty(config.allowances_table(), "code")
    use_up(begun=1, later=4)

    raised = [use_up_again(table) for _ in range(2)]

    assert [2, 0] == raised
    assert {"gone": 3, "begun": 2, "later": 4} == {each["code"]: each["used"] for each in items("ALLOWANCES_TABLE")}
