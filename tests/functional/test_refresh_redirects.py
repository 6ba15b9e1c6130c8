"""refresh_redirects: whatever events come, the cache ends at what the link and the list of blocked domains say."""

import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import combinations_with_replacement
from typing import Any

import pytest
from msgspec.structs import replace

from chalicelib import deliveries
from chalicelib.deliveries import BatchFailed
from chalicelib.links.blocklist import put_domain, remove_domain
from chalicelib.links.events import EventType, LinkEvent, encode
from chalicelib.links.link import Link
from chalicelib.links.status import Status
from chalicelib.links.store import insert_link, replace_link
from chalicelib.redirects import refresher
from chalicelib.redirects.cache import Redirect, find_redirect, put_redirect
from chalicelib.redirects.corrections import Correction, block_redirect, correct_redirect, unblock_redirect
from chalicelib.redirects.refresher import refresh, refresh_redirects
from tests import infrastructure
from tests.builders import NOW, LambdaContext, StoppedClock, a_link, a_message, an_sqs_event
from tests.faults import Fault, Faults, lost, refused, throttled, timed_out

LINKS = infrastructure.environment()["LINKS_TABLE"]

Lines = Callable[[], list[dict[str, Any]]]

FIRST, SECOND, THIRD, LAST = LIFE = [
    a_link(url="https://example.com/1", version=1),
    a_link(url="https://example.com/2", version=2),
    a_link(url="https://example.com/3", version=3),
    a_link(url="https://example.com/3", version=4, status=Status.DELETED),
]


def an_event(link: Link) -> LinkEvent:
    """The event that a link has become this."""
    kind: EventType = "link.deleted" if link.status is Status.DELETED else "link.updated"
    return LinkEvent(
        v=1, id=uuid.uuid4(), type=kind, code=link.code, url=link.url, version=link.version, occurred_at=NOW
    )


def deliver(*events: LinkEvent, context: LambdaContext | None = None) -> dict[str, Any]:
    messages = (a_message(encode(event)) for event in events)
    return refresh_redirects(an_sqs_event(*messages), context or LambdaContext())


def given(link: Link) -> None:
    """Make a link this, whatever it was."""
    if link.version == 1:
        insert_link(link)
    else:
        replace_link(link, link.version - 1)


def given_a_life() -> None:
    """A link that has been all of LIFE."""
    for link in LIFE:
        given(link)


def cached() -> Redirect | None:
    return find_redirect(FIRST.code)


def orders(events: tuple[int, ...], version: int = 1) -> Iterator[list[int | None]]:
    """Each order in which a link can change up to its last version, and these events of its changes come after them.

    None is a change, a number the event of the change to that version.
    """
    if version == LAST.version and not events:
        yield []
    if version < LAST.version:
        yield from ([None, *rest] for rest in orders(events, version + 1))
    for event in sorted({event for event in events if event <= version}):
        left = list(events)
        left.remove(event)
        yield from ([event, *rest] for rest in orders(tuple(left), version))


def test_after_an_event_the_cache_is_what_the_link_is_then_whatever_came_before() -> None:
    # Up to three deliveries of a life's events, among them its last. Links have codes of their own, so that one table
    # serves all rounds.
    rounds = 0
    for number in range(3):
        for others in combinations_with_replacement((2, 3, 4), number):
            for order in orders((*others, 4)):
                rounds += 1
                life = [replace(link, code=f"round-{rounds}") for link in LIFE]
                given(life[0])
                version = 1
                for event in order:
                    if event is None:
                        given(life[version])
                        version += 1
                        continue

                    deliver(an_event(life[event - 1]))

                    assert Redirect.of(life[version - 1]) == find_redirect(life[0].code), order

    assert 50 == rounds


def test_a_deleted_link_never_comes_back() -> None:
    given_a_life()
    deliver(an_event(LAST))

    deliver(*map(an_event, LIFE))

    assert Redirect.of(LAST) == cached()


@pytest.mark.parametrize(
    "forged",
    [
        an_event(replace(THIRD, url="https://evil.example/")),
        an_event(replace(FIRST, version=10**18 - 1, url="https://evil.example/")),
        an_event(replace(LAST, version=10**18 - 1)),
    ],
    ids=lambda event: f"{event.type} {event.version}",
)
def test_what_an_event_says_of_its_link_is_not_believed(forged: LinkEvent) -> None:
    for link in LIFE[:3]:
        given(link)

    deliver(forged)

    assert Redirect.of(THIRD) == cached()


def test_an_event_of_another_type_is_let_go(faults: Faults, lines: Lines) -> None:
    created = LinkEvent(**{**as_dict(an_event(FIRST)), "type": "link.created"})

    response = deliver(created)

    assert {"batchItemFailures": []} == response
    assert [] == faults.calls
    [line] = lines()
    assert ("event of another type", FIRST.code, "link.created") == (line["message"], line["code"], line["type"])


def as_dict(event: LinkEvent) -> dict[str, Any]:
    return {name: getattr(event, name) for name in LinkEvent.__struct_fields__}


def test_of_a_link_that_is_not_there_nothing_is_cached(lines: Lines) -> None:
    response = deliver(an_event(SECOND))

    assert {"batchItemFailures": []} == response
    assert cached() is None
    assert ["no such link"] == [line["message"] for line in lines()]


@pytest.mark.parametrize("item", [{}, {"url": {"S": "no url"}}], ids=["incomplete", "without a host"])
def test_an_item_that_is_no_link_fails_alone(item: dict[str, Any]) -> None:
    whole: dict[str, Any] = {
        "owner": {"S": "ada"},
        "version": {"N": "2"},
        "status": {"S": "active"},
        "created_at": {"S": "2026-05-27T10:15:30.123Z"},
        "updated_at": {"S": "2026-05-27T10:15:30.123Z"},
    }
    odd = {"code": {"S": "odd"}, **(whole | item if item else {})}
    infrastructure.dynamodb().put_item(TableName=LINKS, Item=odd)
    given(FIRST)
    records = [a_message(encode(an_event(link))) for link in (replace(SECOND, code="odd"), FIRST)]

    response = refresh_redirects(an_sqs_event(*records), LambdaContext())

    assert {"batchItemFailures": [{"itemIdentifier": records[0]["messageId"]}]} == response
    assert Redirect.of(FIRST) == cached()


def test_how_long_a_change_took_to_be_cached_is_measured(lines: Lines, clock: StoppedClock) -> None:
    given(FIRST)
    given(SECOND)
    clock.time = NOW + timedelta(seconds=3)

    deliver(an_event(SECOND), an_event(SECOND))

    assert [("redirect refreshed", 3000), ("redirect was right", 3000)] == [
        (line["message"], line["RefreshLag"]) for line in lines()
    ]


# Blocked domains

EVIL = a_link(url="https://www.evil.example/page")


def blocked(link: Link) -> Redirect:
    return Redirect(link.code, link.url, Status.BLOCKED, link.version)


BLOCKED = blocked(EVIL)


@pytest.mark.parametrize("entry", [None, BLOCKED, Redirect.of(EVIL)], ids=["not cached", "blocked", "active"])
def test_a_link_into_a_blocked_domain_is_blocked_whatever_changes(entry: Redirect | None) -> None:
    given(EVIL)
    put_domain("evil.example", None)
    if entry:
        put_redirect(entry)
    changed = replace(EVIL, version=2)
    given(changed)

    deliver(an_event(changed), an_event(EVIL))

    assert blocked(replace(EVIL, version=2)) == cached()


def test_a_stream_that_is_read_again_unblocks_nothing() -> None:
    given(EVIL)
    put_domain("evil.example", None)
    block_redirect(EVIL)

    deliver(an_event(EVIL), an_event(EVIL))

    assert BLOCKED == cached()


def test_a_blocked_link_that_is_pointed_elsewhere_redirects_and_one_that_is_deleted_is_deleted() -> None:
    put_domain("evil.example", None)
    elsewhere = replace(EVIL, version=2, url="https://example.org/")
    deleted = replace(elsewhere, version=3, status=Status.DELETED)
    found = []
    for link in (EVIL, elsewhere, deleted):
        given(link)
        deliver(an_event(link))
        found.append(cached())

    assert [BLOCKED, Redirect.of(elsewhere), Redirect.of(deleted)] == found


@pytest.mark.parametrize(
    ("entry", "written"),
    [
        (None, True),
        (blocked(replace(EVIL, version=1)), True),
        (Redirect.of(replace(EVIL, version=2)), False),
        (blocked(replace(EVIL, version=2)), True),
        (Redirect.of(replace(EVIL, version=2, url="https://example.org/")), True),
        (Redirect.of(replace(EVIL, version=2, status=Status.DELETED)), True),
        (blocked(replace(EVIL, version=3)), False),
        (Redirect.of(replace(EVIL, version=3, status=Status.DELETED)), False),
    ],
)
def test_an_entry_gives_way_unless_it_is_newer_or_the_same(entry: Redirect | None, *, written: bool) -> None:
    right = Redirect.of(replace(EVIL, version=2))
    if entry:
        put_redirect(entry)

    correction = correct_redirect(right)

    assert ((entry, right) if written else None) == correction
    assert (right if written else entry) == cached()


# Who reads first and writes then may be overtaken in between


def before_the_first_write(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], None]) -> None:
    """Have something happen once, when a refresh has read and is about to write."""
    once = iter([happens])

    def overtaken(redirect: Redirect) -> Correction | None:
        next(once, lambda: None)()
        return correct_redirect(redirect)

    monkeypatch.setattr(refresher, "correct_redirect", overtaken)


def test_a_change_that_is_made_and_cached_in_between_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    given(FIRST)

    def change() -> None:
        for link in LIFE[1:]:
            given(link)
        refresh(LAST.code)

    before_the_first_write(monkeypatch, change)

    deliver(an_event(FIRST))

    assert Redirect.of(LAST) == cached()


@pytest.mark.parametrize("entry", [None, Redirect.of(EVIL)], ids=["not cached", "active"])
def test_a_domain_that_is_blocked_in_between_stays_blocked(
    monkeypatch: pytest.MonkeyPatch, entry: Redirect | None
) -> None:
    given(EVIL)
    if entry:
        put_redirect(entry)

    def block() -> None:
        put_domain("evil.example", None)
        block_redirect(EVIL)

    before_the_first_write(monkeypatch, block)

    refresh(EVIL.code)

    assert BLOCKED == cached()


def test_a_domain_that_is_taken_off_the_list_in_between_is_redirected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    given(EVIL)
    put_domain("evil.example", None)

    def unblock() -> None:
        remove_domain("evil.example")
        unblock_redirect(EVIL)

    before_the_first_write(monkeypatch, unblock)

    refresh(EVIL.code)

    assert Redirect.of(EVIL) == cached()


# When AWS fails

FAULTS = [throttled(), refused("AccessDeniedException"), timed_out(), lost(timed_out())]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_whichever_call_breaks_its_message_comes_again_and_heals_the_cache(faults: Faults, fault: Fault) -> None:
    links = [a_link(code=code, url="https://www.evil.example/", version=1) for code in ("one", "two")]
    put_domain("evil.example", None)
    for link in links:
        given(link)
    for _ in faults.each_call(fault):
        forget_cache()
        records = [*(a_message(encode(an_event(link))) for link in links), a_message("no event, to be put off")]

        response = refresh_redirects(an_sqs_event(*records), LambdaContext())
        failed = {failure["itemIdentifier"] for failure in response["batchItemFailures"]}
        faults.repair()
        refresh_redirects(an_sqs_event(*(each for each in records if each["messageId"] in failed)), LambdaContext())

        assert {"one": "blocked", "two": "blocked"} == {
            item["code"]: item["status"] for item in infrastructure.items("REDIRECTS_TABLE")
        }

    assert {"GetItem", "BatchGetItem", "PutItem", "ChangeMessageVisibilityBatch"} == {
        call.operation for call in faults.broken
    }


def forget_cache() -> None:
    for item in infrastructure.items("REDIRECTS_TABLE"):
        infrastructure.dynamodb().delete_item(
            TableName=infrastructure.environment()["REDIRECTS_TABLE"], Key={"code": {"S": item["code"]}}
        )


def test_if_the_cache_cannot_be_written_at_all_the_function_fails_after_putting_the_messages_off(
    faults: Faults,
) -> None:
    given_a_life()
    faults.plan(throttled(), operation="PutItem")

    with pytest.raises(BatchFailed):
        deliver(an_event(SECOND), an_event(LAST))

    [put_off] = faults.of("ChangeMessageVisibilityBatch")
    assert [15, 15] == [entry["VisibilityTimeout"] for entry in put_off.params["Entries"]]


def test_a_message_that_is_no_event_fails_alone() -> None:
    given(FIRST)
    poison = a_message('{"v": 2}')

    response = refresh_redirects(an_sqs_event(poison, a_message(encode(an_event(FIRST)))), LambdaContext())

    assert {"batchItemFailures": [{"itemIdentifier": poison["messageId"]}]} == response
    assert Redirect.of(FIRST) == cached()


def test_what_time_does_not_suffice_for_comes_again() -> None:
    links = [a_link(code=code) for code in ("one", "two")]
    for link in links:
        given(link)
    records = [a_message(encode(an_event(link))) for link in links]
    context = LambdaContext(60, deliveries.SECONDS_IN_RESERVE)

    response = refresh_redirects(an_sqs_event(*records), context)

    assert {"batchItemFailures": [{"itemIdentifier": records[1]["messageId"]}]} == response
    assert (Redirect.of(links[0]), None) == (find_redirect("one"), find_redirect("two"))
