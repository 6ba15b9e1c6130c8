"""A past day's clicks are broken down again by their rows: exactly, whoever counts meanwhile, or not at all."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from typer.testing import Result

from chalicelib import aws, config
from chalicelib.clicks import breakdowns, dimensions, recorder
from chalicelib.clicks.admission import MOST_BYTES, known_from, size_of
from chalicelib.clicks.breakdowns import LETTERS, Numbers, numbers
from chalicelib.clicks.click import Click
from chalicelib.clicks.counters import SORT_KEY, counters_of, sort_key
from chalicelib.clicks.purge import purge_clicks
from chalicelib.links.events import deletion_of, encode
from chalicelib.links.status import Status
from chalicelib.links.store import insert_link, replace_link
from ops.repairing import clicks as clicks_commands
from ops.repairing import days, recount
from ops.repairing.recount import MOST_TRIES, CannotRecount, Recounted, recount_days
from tests.builders import FIREFOX, GOOGLEBOT, NOW, TODAY, LambdaContext, a_click, a_link, a_message, an_sqs_event
from tests.faults import Faults, cancelled, lost, timed_out
from tests.functional.terminal import Type, terminal

YESTERDAY = "2026-05-26"


@pytest.fixture(autouse=True)
def link() -> None:
    insert_link(a_link())


@pytest.fixture
def shard(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Call it to have the recorder add to a shard."""
    return lambda number: monkeypatch.setattr(recorder, "own_shard", lambda: number)


@pytest.fixture
def type_(monkeypatch: pytest.MonkeyPatch) -> Type:
    monkeypatch.setattr(recount, "connect", lambda stage: stage)
    return terminal(clicks_commands, monkeypatch)


def past(**given: Any) -> Click:
    return a_click(**{"occurred_at": NOW - timedelta(days=1), **given})


def from_host(host: str) -> Click:
    return past(referrer=f"https://{host}/")


def record(*made: Click) -> None:
    response = recorder.record_clicks(an_sqs_event(*map(a_message, made)), LambdaContext())
    assert {"batchItemFailures": []} == response


def mixed() -> list[Click]:
    """A few clicks of each kind."""
    return [
        past(user_agent=FIREFOX, country="DE", referrer="https://news.example.com/a", utm_source="newsletter"),
        past(user_agent=FIREFOX, country="FR", referrer="https://www.google.com/", utm_medium="mail"),
        past(user_agent=GOOGLEBOT, country="US", occurred_at=NOW - timedelta(hours=20)),
        past(country="ZZ", referrer="no address"),
        past(),
    ]


def counters(day: str = YESTERDAY) -> list[Any]:
    return [item for item in counters_of("my-link") if item[SORT_KEY]["S"].startswith(day)]


def told(day: str = YESTERDAY) -> Numbers:
    return numbers(counters(day))


def done(*days: str, **given: Any) -> list[Recounted]:
    return [*recount_days("my-link", days or [YESTERDAY], **given)]


def test_a_day_says_the_same_as_before_if_nothing_else_is_thought_of_its_visitors(shard: Callable[[int], None]) -> None:
    for number, click in enumerate(mixed()):
        shard(number % 3)
        record(click, a_click())
    before, today, shards = told(), told(TODAY), len(counters())

    [found] = done()

    [item] = counters()
    assert ((YESTERDAY, before, before), before) == (found, told())
    assert (3, today) == (shards, told(TODAY))
    assert size_of(known_from(item).names) == int(item["v"]["N"])


def test_robots_that_are_known_now_are_no_people_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    record(*mixed())
    monkeypatch.setattr(dimensions, "is_robot", lambda user_agent: user_agent in (FIREFOX, GOOGLEBOT))

    [found] = done()

    assert ((4, 1, 0), (2, 3, 0)) == tuple((each.people, each.bots, each.unrecorded) for each in found[1:])
    assert (5, found.after, None) == (told().clicks, told(), told().why_wrong())


def test_a_day_of_before_there_were_breakdowns_gets_them(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(breakdowns, "dimensions_of", lambda _: 1 / 0)
        record(*mixed())
    plain = told()
    old_shard = counters()[0] | {SORT_KEY: {"S": sort_key(YESTERDAY, 15)}}
    aws.dynamodb().delete_item(
        TableName=config.daily_clicks_table(), Key={name: counters()[0][name] for name in ("code", SORT_KEY)}
    )
    aws.dynamodb().put_item(TableName=config.daily_clicks_table(), Item=old_shard)

    done()

    assert (5, 5) == (plain.clicks, plain.unrecorded)
    assert (5, 4, 1, 0) == (told().clicks, told().people, told().bots, told().unrecorded)
    assert 1 == len(counters())


def test_the_commonest_hosts_of_a_day_are_named_in_place_of_those_that_came_first(
    shard: Callable[[int], None],
) -> None:
    for number in range(40):
        shard(number % 2)
        record(from_host(f"{number:05}.{'junk' * 10}.example.com"))
    record(*(from_host("news.example.com") for _ in range(5)))
    before = told().values("referrer")

    done()

    [item] = counters()
    after = told().values("referrer")
    assert (0, 5) == (before["news.example.com"], after["news.example.com"])
    assert (45, 45) == (before.total(), after.total())
    assert size_of(known_from(item).names) == int(item["v"]["N"]) <= MOST_BYTES


@pytest.mark.usefixtures("one_item_a_page")
def test_several_days_are_recounted_by_reading_rows_once(faults: Faults) -> None:
    record(*mixed(), past(occurred_at=NOW - timedelta(days=3)), past(occurred_at=NOW - timedelta(days=2)), a_click())
    before = [told(day) for day in (YESTERDAY, "2026-05-24")]
    faults.calls.clear()

    found = done("2026-05-24", YESTERDAY)

    rows = [call for call in faults.of("Query") if call.params["TableName"] == config.clicks_table()]
    assert ["2026-05-24", YESTERDAY] == [each.day for each in found]
    assert before == [told(day) for day in (YESTERDAY, "2026-05-24")]
    assert 8 <= len(rows) <= 9  # one a row here, and maybe one to see that there are no more


def test_clicks_that_come_afterwards_are_added_and_a_recount_takes_them_in(shard: Callable[[int], None]) -> None:
    shard(3)
    record(*mixed())
    done()
    record(past(country="DE"), from_host("late.example.com"))
    late, shards = told(), len(counters())

    done()

    assert (2, 1) == (shards, len(counters()))
    assert (7, None, late) == (late.clicks, late.why_wrong(), told())


def test_a_day_without_clicks_stays_without() -> None:
    assert [Recounted(YESTERDAY, numbers([]), numbers([]))] == done()
    assert [] == counters()


def test_a_day_that_is_as_it_would_be_is_not_written_again(faults: Faults) -> None:
    record(*mixed())
    done()
    faults.calls.clear()

    done()

    assert [] == faults.of("TransactWriteItems")


# Others at work


def test_a_click_that_is_counted_before_the_write_has_the_day_read_again(
    monkeypatch: pytest.MonkeyPatch, shard: Callable[[int], None]
) -> None:
    shard(1)
    record(*mixed())
    late = [past(country="DE"), past(country="DE")]

    def replace_day(*given: Any) -> str | None:
        shard(len(late))  # first where there is no counter yet, then where there is one
        if late:
            record(late.pop())
        return right(*given)

    right = days.replace_day
    monkeypatch.setattr(recount, "replace_day", replace_day)
    done()

    assert (7, 3, None) == (told().clicks, told().values("country")["DE"], told().why_wrong())
    assert 1 == len(counters())


def test_a_click_that_is_counted_while_rows_are_read_has_them_read_again() -> None:
    record(*mixed())
    late = [past(country="DE"), past(country="DE")]

    def watch(_: int) -> None:
        if late:
            record(late.pop())

    done(watch=watch)

    assert (7, 3, None) == (told().clicks, told().values("country")["DE"], told().why_wrong())


def test_a_day_that_never_rests_is_refused_and_stays_exact() -> None:
    record(*mixed())

    with pytest.raises(
        CannotRecount, match=f"each time that rows were read: {4 + MOST_TRIES} rows, {5 + MOST_TRIES} clicks"
    ):
        done(watch=lambda _: record(past()))

    assert (5 + MOST_TRIES, None) == (told().clicks, told().why_wrong())


def test_a_cancelled_write_is_tried_again_and_in_the_end_refused(faults: Faults) -> None:
    record(*mixed())
    faults.plan(cancelled(*["None"] * 16, "TransactionConflict"), operation="TransactWriteItems")
    before = told()

    with pytest.raises(CannotRecount, match=f"The counters of {YESTERDAY} could not be replaced: TransactionConflict"):
        done()

    assert (MOST_TRIES, before) == (len(faults.broken), told())


def test_a_write_whose_answer_is_lost_is_done_or_not_and_can_be_run_again(faults: Faults) -> None:
    record(*mixed())
    before = told()
    faults.calls.clear()
    faults.plan(lost(timed_out()), operation="TransactWriteItems", nth=1)

    with pytest.raises(ReadTimeoutError):
        done()
    [found] = done()

    assert (before, before, before) == (told(), found.before, found.after)


def test_a_link_that_is_deleted_and_restored_meanwhile_is_read_again() -> None:
    record(*mixed())

    def watch(_: int) -> None:
        if not purged:
            deleted = a_link(status=Status.DELETED, version=2)
            replace_link(deleted, 1)
            purge_clicks(an_sqs_event(a_message(encode(deletion_of(deleted)))), LambdaContext())
            replace_link(a_link(version=3), 2)
            record(past(country="DE"))
            purged.append(deleted)

    purged: list[Any] = []
    done(watch=watch)

    assert (1, {"DE": 1}) == (told().clicks, told().values("country"))


# What is refused


def said(refused: Result) -> str:
    return " ".join(re.sub("[│╭╮╰╯─]", "", f"{refused.stderr} {refused.exception}").split())


@pytest.mark.parametrize(
    ("day", "reason"),
    [
        (TODAY, "2026-05-27 is not over; today is 2026-05-27 in UTC"),
        ("2026-05-28", "2026-05-28 is not over; today is 2026-05-27 in UTC"),
        ("yesterday", "'yesterday' does not match the formats '%Y-%m-%d'"),
        ("2026-02-30", "'2026-02-30' does not match the formats '%Y-%m-%d'"),
    ],
)
def test_a_day_that_is_not_past_is_refused(type_: Type, day: str, reason: str) -> None:
    refused = type_("recount", "my-link", "--day", day)

    assert (2, True) == (refused.exit_code, reason in said(refused)), said(refused)


@pytest.mark.parametrize("code", ["nobodys", "gone", "#deleted", ""])
def test_a_link_that_is_unknown_or_deleted_is_refused(type_: Type, code: str) -> None:
    insert_link(a_link(code="gone", status=Status.DELETED))
    record(past(code="gone"))

    refused = type_("recount", code, "--day", YESTERDAY)

    assert (1, True) == (refused.exit_code, f"There is no link {code}, or it is deleted" in said(refused))


def test_a_day_of_which_rows_are_gone_is_refused_and_the_others_are_done(type_: Type) -> None:
    [gone, *_] = older = [past(occurred_at=NOW - timedelta(days=2)) for _ in range(3)]
    record(*mixed(), *older)
    before = [counters("2026-05-25"), told()]
    aws.dynamodb().delete_item(
        TableName=config.clicks_table(), Key={"code": {"S": gone.code}, "click_id": {"S": str(gone.id)}}
    )

    refused = type_("recount", "my-link", "--day", "2026-05-25", "--day", YESTERDAY)

    assert "Of 2026-05-25 there are 2 rows and 3 clicks: rows have expired, as they do after 90 days" in said(refused)
    assert (1, True) == (refused.exit_code, "2026-05-26: 5 clicks, broken down again" in refused.stdout)
    assert before == [counters("2026-05-25"), told()]


def test_a_day_that_has_lost_counters_is_refused(type_: Type) -> None:
    record(*mixed())
    aws.dynamodb().delete_item(
        TableName=config.daily_clicks_table(), Key={name: counters()[0][name] for name in ("code", SORT_KEY)}
    )

    refused = type_("recount", "my-link", "--day", YESTERDAY)

    assert "Of 2026-05-26 there are 5 rows and 0 clicks: counters are missing" in said(refused)
    assert (1, []) == (refused.exit_code, counters())


# What is said


def test_a_dry_run_says_what_would_change_and_changes_nothing(type_: Type, monkeypatch: pytest.MonkeyPatch) -> None:
    record(*mixed())
    before = counters()
    monkeypatch.setattr(dimensions, "is_robot", lambda user_agent: user_agent in (FIREFOX, GOOGLEBOT))

    dry = type_("recount", "my-link", "--day", YESTERDAY, "--dry-run")
    unchanged = counters()
    wet = type_("recount", "my-link", "--day", YESTERDAY)

    table = [[cell.strip() for cell in line.split("│")[1:-1]] for line in dry.stdout.splitlines() if "│" in line]
    assert dry.stdout.startswith("2026-05-26: 5 clicks, would be broken down again\n")
    assert [
        ["people", "4", "2"],
        ["bots", "1", "3"],
        ["unrecorded", "0", "0"],
        ["country DE", "1", "0"],
        ["country FR", "1", "0"],
        ["browser Firefox", "2", "0"],
        ["os Linux", "2", "0"],
        ["device desktop", "2", "0"],
        ["referrer google.com", "1", "0"],
        ["referrer news.example.com", "1", "0"],
        ["utm_source (unknown)", "3", "2"],
        ["utm_source newsletter", "1", "0"],
    ] == table
    assert (before, dry.stdout.replace("would be ", "")) == (unchanged, wet.stdout)
    assert 2 == told().people == sum(told().values("country").values())


def test_every_dimension_is_shown() -> None:
    record(*mixed())
    [found] = done()

    shown = {line["number"].split()[0] for line in recount._lines(found)}  # noqa: SLF001 (all of them, changed or not)

    assert {*LETTERS} == shown
