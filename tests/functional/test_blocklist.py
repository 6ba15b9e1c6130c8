"""Domains that no link may point at: what is refused, what a visitor of an older link gets, and the command."""

import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import pytest
from msgspec.structs import replace

from chalicelib import aws
from chalicelib.links.blocklist import blocked_domains_over, put_domain, remove_domain
from chalicelib.links.link import Link
from chalicelib.links.status import Status
from chalicelib.links.store import insert_link, read_link, update_link
from chalicelib.redirects import follow
from chalicelib.redirects.cache import Redirect, find_redirect, put_redirect
from chalicelib.redirects.corrections import block_redirect, unblock_redirect
from ops.data import blocklist
from tests import infrastructure
from tests.builders import StoppedClock, a_link
from tests.faults import Fault, Faults, lost, lost_once, refused, reset, throttled, timed_out
from tests.functional.terminal import Type, terminal
from tests.functional.visitor import Answer, Visitor, a_problem

LINKS, REDIRECTS = (infrastructure.environment()[name] for name in ("LINKS_TABLE", "REDIRECTS_TABLE"))
GONE = a_problem(
    HTTPStatus.GONE, "link-blocked", "The link 'my-link' has been blocked by the operator of this shortener."
)
THERE = Answer(302, {"Location": "https://www.evil.example/page", "Cache-Control": "private, no-store"}, "")


@pytest.fixture
def type_(monkeypatch: pytest.MonkeyPatch) -> Type:
    """Type a command about the block-list."""
    return terminal(blocklist, monkeypatch)


@pytest.fixture
def evil() -> Link:
    """A link into evil.example, from before that was blocked."""
    link = a_link(code="my-link", url="https://www.evil.example/page")
    insert_link(link)
    return link


def put(visitor: Visitor, url: str) -> Answer:
    body = json.dumps({"url": url}).encode()
    return visitor.send("PUT", "/links/my-link", body, {"Content-Type": "application/json"})


def refusal(domain: str) -> Answer:
    detail = f"The operator of this shortener allows no links to {domain!r}. Give another address."
    return a_problem(HTTPStatus.BAD_REQUEST, "blocked-target", detail)


@pytest.mark.parametrize(
    ("listed", "url"),
    [
        ("evil.example", "https://evil.example/"),
        ("evil.example", "http://EVIL.example:8080/page"),
        ("evil.example", "https://evil.example./"),
        ("evil.example", "a.b.evil.example"),
        ("evil.example", "https://%65vil.example"),
        ("www.evil.example", "https://www.evil.example/"),
        ("example", "https://evil.example/"),
        ("xn--bse-sna.example", "https://böse.example/"),
        ("203.0.114.7", "http://203.0.114.7/"),
        ("203.0.114.7", "http://0xcb007207/"),
        ("[2606:4700::1111]", "http://[2606:4700:0:0::1111]:80/"),
        ("deep.example", "https://" + "a." * 98 + "deep.example"),
    ],
)
def test_a_link_into_a_blocked_domain_is_neither_created_nor_made(ada: Visitor, listed: str, url: str) -> None:
    link = a_link(code="my-link", owner="ada")
    insert_link(link)
    put_domain(listed, "phishing")

    created, changed = ada.post("/links", {"url": url}), put(ada, url)

    assert [refusal(listed)] * 2 == [created, changed]
    assert link == read_link("my-link")
    assert 1 == len(infrastructure.items("LINKS_TABLE"))


@pytest.mark.parametrize(
    "url",
    ["https://notevil.example/", "https://evil.example.org/", "https://example/evil.example", "https://1.203.0.114/"],
)
def test_what_only_resembles_a_blocked_domain_is_fine(ada: Visitor, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRIVATE_TARGETS_ALLOWED", "true")
    for domain in ("evil.example", "www.evil.example", "203.0.114.7", "114", "0.114"):
        put_domain(domain, None)

    assert 201 == ada.post("/links", {"url": url}).status


def test_the_narrowest_domain_is_named(ada: Visitor) -> None:
    put_domain("example", None)
    put_domain("www.evil.example", None)

    assert refusal("www.evil.example") == ada.post("/links", {"url": "https://www.evil.example/"})


def test_the_list_is_asked_once_and_consistently(ada: Visitor, faults: Faults) -> None:
    ada.post("/links", {"url": "https://www.evil.example/"})

    [call] = faults.of("BatchGetItem")
    keys = [{"domain": {"S": domain}} for domain in ("www.evil.example", "evil.example", "example")]
    table = infrastructure.environment()["BLOCKED_DOMAINS_TABLE"]
    assert {"RequestItems": {table: {"Keys": keys, "ConsistentRead": True}}} == call.params


def test_what_dynamodb_leaves_out_is_asked_for_again(faults: Faults) -> None:
    put_domain("example", None)
    left_out: list[Any] = []

    def leave_out_the_last_key(parsed: dict[str, Any], **_: Any) -> None:
        [[table, request]] = faults.calls[-1].params["RequestItems"].items()
        if len(request["Keys"]) > 1:
            left_out.append(request["Keys"][-1:])
            parsed["Responses"][table] = []
            parsed["UnprocessedKeys"] = {table: {"Keys": left_out[-1], "ConsistentRead": True}}

    faults.handle(aws.dynamodb(), "after-call.dynamodb.BatchGetItem", leave_out_the_last_key)

    assert ["example"] == blocked_domains_over("evil.example")
    assert [[{"domain": {"S": "example"}}]] == left_out


NO_ANSWER = [throttled(), refused("AccessDeniedException"), timed_out(), reset(), lost(timed_out())]


@pytest.mark.parametrize("fault", NO_ANSWER, ids=str)
def test_while_the_list_cannot_be_read_no_link_is_made_or_changed(ada: Visitor, faults: Faults, fault: Fault) -> None:
    insert_link(a_link(code="my-link", owner="ada"))
    faults.plan(fault, operation="BatchGetItem")

    created, changed = ada.post("/links", {"url": "https://example.org/"}), put(ada, "https://example.org/")

    assert [503, 503] == [created.status, changed.status]
    assert [a_link(code="my-link", owner="ada")] == [
        read_link(item["code"]) for item in infrastructure.items("LINKS_TABLE")
    ]


# Links from before


@pytest.mark.parametrize("followed", [True, False], ids=["followed before", "never followed"])
def test_a_link_into_a_domain_that_is_blocked_answers_410_and_is_not_counted(
    anyone: Visitor, type_: Type, evil: Link, *, followed: bool
) -> None:
    if followed:
        assert THERE == anyone.get(f"/{evil.code}")
        infrastructure.receive()
        follow.forget()

    done = type_("add", "evil.example", "--reason", "phishing")

    assert (0, "evil.example is blocked: 1 links answer 410\n") == (done.exit_code, done.stdout)
    assert [GONE, Answer(410, GONE.headers, "")] == [anyone.get("/my-link"), anyone.head("/my-link")]
    assert [] == infrastructure.receive()


def test_only_active_links_into_that_domain_are_blocked(anyone: Visitor, type_: Type, evil: Link) -> None:
    insert_link(replace(evil, code="deleted", status=Status.DELETED))
    put_domain("notevil.example", "for another command to settle")
    for code, url in {
        "the-same": "https://evil.example./",
        "another": "https://notevil.example/",
        "mentioned": "https://example.org/?evil.example",
    }.items():
        insert_link(a_link(code=code, url=url))

    done = type_("add", "evil.example")

    codes = ("my-link", "the-same", "deleted", "another", "mentioned")
    assert [410, 410, 410, 302, 302] == [anyone.get(f"/{code}").status for code in codes]
    assert "link-deleted" in anyone.get("/deleted").body["type"]
    assert "2 links" in done.stdout


@pytest.mark.usefixtures("one_item_a_page")
def test_links_are_looked_for_to_the_last_page(anyone: Visitor, type_: Type, evil: Link) -> None:
    for number in range(4):
        insert_link(replace(evil, code=f"another-{number}"))

    done = type_("add", "evil.example")

    assert "5 links" in done.stdout
    assert {410} == {anyone.get(f"/another-{number}").status for number in range(4)}


def test_the_links_are_read_consistently(type_: Type, faults: Faults) -> None:
    type_("add", "evil.example")

    assert [True, True] == [call.params["ConsistentRead"] for call in faults.of("Scan")]


@pytest.mark.usefixtures("evil")
def test_a_visitor_is_let_through_no_longer_than_a_process_remembers(anyone: Visitor, type_: Type) -> None:
    before = anyone.get("/my-link")
    type_("add", "evil.example")
    remembered = anyone.get("/my-link")

    follow.forget()

    assert [THERE, THERE, GONE] == [before, remembered, anyone.get("/my-link")]


@pytest.mark.usefixtures("evil")
def test_nobody_waits_for_late_requests_before_links_are_blocked(type_: Type, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Mapping[str, str]] = []
    monkeypatch.setattr("chalicelib.clock.sleep", lambda _: seen.append(cached()))

    type_("add", "evil.example")

    assert {"my-link": "blocked"} == seen[0]


def test_a_link_that_is_written_by_a_request_that_had_asked_before_is_blocked_too(
    anyone: Visitor, type_: Type, clock: StoppedClock, monkeypatch: pytest.MonkeyPatch, evil: Link
) -> None:
    late = replace(evil, code="too-late")

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        if sum(clock.sleeps) == 10:
            insert_link(late)
            update_link("my-link", {"url": "https://evil.example/elsewhere"}, owner=None, version=None)

    monkeypatch.setattr("chalicelib.clock.sleep", sleep)

    done = type_("add", "evil.example")

    assert 12 == sum(clock.sleeps)
    assert "2 links" in done.stdout
    assert [410, 410] == [anyone.get("/too-late").status, anyone.get("/my-link").status]
    assert 2 == (find_redirect("my-link") or pytest.fail("not cached")).version


def test_a_late_event_of_the_same_version_unblocks_nothing_and_a_newer_one_does(
    anyone: Visitor, type_: Type, evil: Link
) -> None:
    type_("add", "evil.example")

    put_redirect(Redirect.of(evil))
    late = anyone.get("/my-link")
    put_redirect(Redirect.of(evil)._replace(url="https://example.org/", version=2))
    follow.forget()

    assert [410, 302] == [late.status, anyone.get("/my-link").status]


def test_a_visitor_who_read_the_link_just_before_does_not_unblock_it(
    anyone: Visitor, faults: Faults, type_: Type, evil: Link
) -> None:
    type_("add", "evil.example")
    faults.plan(timed_out(), operation="GetItem", table=REDIRECTS)
    anyone.get(f"/{evil.code}")  # the cache cannot be read, the link can

    faults.repair()
    follow.forget()

    assert GONE == anyone.get("/my-link")


def test_the_owner_may_point_a_blocked_link_elsewhere_or_delete_it(
    ada: Visitor, anyone: Visitor, type_: Type, evil: Link
) -> None:
    insert_link(replace(evil, code="to-delete"))
    type_("add", "evil.example")

    changed = put(ada, "https://example.org/")
    deleted = ada.send("DELETE", "/links/to-delete")
    announce_all()
    follow.forget()

    assert [200, 204] == [changed.status, deleted.status]
    assert "https://example.org/" == anyone.get("/my-link").headers["Location"]
    assert "urn:linkly:problem:link-deleted" == anyone.get("/to-delete").body["type"]


def announce_all() -> None:
    """Every link's newest version reaches the cache, as by its events."""
    for item in infrastructure.items("LINKS_TABLE"):
        put_redirect(Redirect.of(read_link(item["code"])))


@pytest.mark.parametrize(
    ("cached", "blocked"),
    [
        (None, True),
        ((1, Status.ACTIVE), True),
        ((2, Status.ACTIVE), True),
        ((2, Status.BLOCKED), True),
        ((2, Status.DELETED), False),
        ((3, Status.ACTIVE), False),
        ((3, Status.DELETED), False),
    ],
    ids=str,
)
def test_a_link_is_blocked_in_the_cache_unless_that_knows_better(
    cached: tuple[int, Status] | None, *, blocked: bool
) -> None:
    link = a_link(code="my-link", version=2)
    entry = cached and Redirect("my-link", "https://example.com/", cached[1], cached[0])
    if entry:
        put_redirect(entry)

    done = block_redirect(link)

    assert blocked is done
    assert (Redirect.of(link)._replace(status=Status.BLOCKED) if blocked else entry) == find_redirect("my-link")


@pytest.mark.parametrize(
    ("cached", "unblocked"),
    [
        (None, False),
        ((1, Status.BLOCKED), False),
        ((2, Status.ACTIVE), False),
        ((2, Status.BLOCKED), True),
        ((2, Status.DELETED), False),
        ((3, Status.BLOCKED), False),
    ],
    ids=str,
)
def test_a_link_is_unblocked_only_if_it_is_blocked_at_its_version(
    cached: tuple[int, Status] | None, *, unblocked: bool
) -> None:
    link = a_link(code="my-link", version=2)
    entry = cached and Redirect("my-link", "https://example.com/", cached[1], cached[0])
    if entry:
        put_redirect(entry)

    done = unblock_redirect(link)

    assert unblocked is done
    assert (Redirect.of(link) if unblocked else entry) == find_redirect("my-link")


# What a redirect costs


@pytest.mark.usefixtures("evil")
def test_a_redirect_makes_no_call_more_for_the_list(anyone: Visitor, type_: Type, faults: Faults) -> None:
    calls: dict[str, list[tuple[str, Any]]] = {}

    def visit(name: str) -> int:
        faults.calls.clear()
        status = anyone.get("/my-link").status
        calls[name] = [(call.operation, call.table) for call in faults.calls]
        return status

    statuses = [visit("first"), visit("in memory")]
    follow.forget()
    statuses.append(visit("cached"))
    type_("add", "evil.example")
    follow.forget()
    statuses += [visit("blocked"), visit("blocked, in memory")]

    assert [302, 302, 302, 410, 410] == statuses
    assert {
        "first": [("GetItem", REDIRECTS), ("GetItem", LINKS), ("PutItem", REDIRECTS), ("SendMessage", None)],
        "in memory": [("SendMessage", None)],
        "cached": [("GetItem", REDIRECTS), ("SendMessage", None)],
        "blocked": [("GetItem", REDIRECTS)],
        "blocked, in memory": [],
    } == calls


# Taking a domain off the list


@pytest.mark.usefixtures("evil")
def test_a_domain_that_is_taken_off_the_list_is_redirected_to_again(anyone: Visitor, ada: Visitor, type_: Type) -> None:
    type_("add", "evil.example")
    blocked = anyone.get("/my-link")

    done = type_("remove", "evil.example")
    follow.forget()

    assert (0, "evil.example is not blocked: 1 links redirect again\n") == (done.exit_code, done.stdout)
    assert [GONE, THERE] == [blocked, anyone.get("/my-link")]
    assert 201 == ada.post("/links", {"url": "https://evil.example/"}).status


@pytest.mark.usefixtures("evil")
def test_what_another_listed_domain_covers_stays_blocked(anyone: Visitor, type_: Type) -> None:
    insert_link(a_link(code="another", url="https://evil.example/"))
    type_("add", "www.evil.example")
    type_("add", "evil.example")

    done = type_("remove", "evil.example")
    follow.forget()

    assert "1 links" in done.stdout
    assert [410, 302] == [anyone.get("/my-link").status, anyone.get("/another").status]


@pytest.mark.usefixtures("evil")
def test_a_removal_while_the_domain_is_being_added_wins(
    anyone: Visitor, type_: Type, clock: StoppedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        if len(clock.sleeps) == 5:
            type_("remove", "evil.example")

    monkeypatch.setattr("chalicelib.clock.sleep", sleep)

    type_("add", "evil.example")

    assert THERE == anyone.get("/my-link")


EVERY_FAULT = [throttled(), lost(timed_out()), lost_once()]


@pytest.mark.parametrize("fault", EVERY_FAULT, ids=str)
def test_whichever_call_breaks_adding_again_does_the_rest(
    type_: Type, faults: Faults, evil: Link, fault: Fault
) -> None:
    insert_link(replace(evil, code="another"))
    for _ in faults.each_call(fault):
        forget_cache_and_list()

        type_("add", "evil.example")
        faults.repair()
        again = type_("add", "evil.example")

        assert "2 links" in again.stdout
        assert {"my-link": "blocked", "another": "blocked"} == cached()

    assert {"UpdateItem", "DescribeTable", "Scan", "BatchGetItem", "PutItem"} == {
        call.operation for call in faults.broken
    }


@pytest.mark.parametrize("fault", EVERY_FAULT, ids=str)
def test_whichever_call_breaks_removing_again_does_the_rest(
    type_: Type, faults: Faults, evil: Link, fault: Fault
) -> None:
    another = replace(evil, code="another")
    insert_link(another)
    for _ in faults.each_call(fault):
        block_by_hand("evil.example", evil, another)

        type_("remove", "evil.example")
        faults.repair()
        again = type_("remove", "evil.example")

        assert 0 == again.exit_code
        assert {"my-link": "active", "another": "active"} == cached()
        assert [] == infrastructure.items("BLOCKED_DOMAINS_TABLE")

    assert {"DeleteItem", "DescribeTable", "Scan", "BatchGetItem", "UpdateItem"} == {
        call.operation for call in faults.broken
    }


def block_by_hand(domain: str, *links: Link) -> None:
    """Write what `add` would, with the tests' own client, which is not broken."""
    dynamodb, environment = infrastructure.dynamodb(), infrastructure.environment()
    dynamodb.put_item(
        TableName=environment["BLOCKED_DOMAINS_TABLE"],
        Item={"domain": {"S": domain}, "since": {"S": "2026-05-27T10:15:30.123Z"}, "reason": {"S": ""}},
    )
    for link in links:
        dynamodb.put_item(
            TableName=REDIRECTS,
            Item={
                "code": {"S": link.code},
                "url": {"S": link.url},
                "status": {"S": "blocked"},
                "version": {"N": str(link.version)},
            },
        )


def forget_cache_and_list() -> None:
    for table, key in (("REDIRECTS_TABLE", "code"), ("BLOCKED_DOMAINS_TABLE", "domain")):
        for item in infrastructure.items(table):
            infrastructure.dynamodb().delete_item(
                TableName=infrastructure.environment()[table], Key={key: {"S": item[key]}}
            )


def cached() -> Mapping[str, str]:
    return {item["code"]: item["status"] for item in infrastructure.items("REDIRECTS_TABLE")}


# The list itself


def test_the_list_says_what_is_blocked_since_when_and_why(type_: Type, clock: StoppedClock) -> None:
    type_("add", "evil.example", "--reason", "phishing")
    clock.sleep(3600)
    type_("add", "another.example")
    type_("add", "evil.example")

    listed = type_("list").stdout

    rows = [[cell.strip() for cell in re.split("[│┃]", line)[1:-1]] for line in listed.splitlines()]
    assert [
        ["another.example", "2026-05-27 11:15", ""],
        ["evil.example", "2026-05-27 10:15", "phishing"],
    ] == [row for row in rows if row and "example" in row[0]]


def test_a_list_for_programs_has_the_same(type_: Type) -> None:
    put_domain("evil.example", "[/x]")

    listed = type_("list", "--json")

    assert [{"domain": "evil.example", "since": "2026-05-27T10:15:30.123Z", "reason": "[/x]"}] == json.loads(
        listed.stdout
    )


def test_where_no_domain_is_blocked_the_list_says_so(type_: Type) -> None:
    listed = type_("list")

    assert (0, "", "No domain is blocked.\n") == (listed.exit_code, listed.stdout, listed.stderr)


def test_a_new_reason_replaces_the_old_one(type_: Type) -> None:
    type_("add", "evil.example", "--reason", "spam")
    type_("add", "evil.example", "--reason", "phishing")

    assert [
        {"domain": "evil.example", "since": "2026-05-27T10:15:30.123Z", "reason": "phishing"}
    ] == infrastructure.items("BLOCKED_DOMAINS_TABLE")


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("Evil.EXAMPLE", "evil.example"),
        ("evil.example.", "evil.example"),
        ("böse.example", "xn--bse-sna.example"),
        ("ｅｖｉｌ.example", "evil.example"),  # noqa: RUF001 (full-width letters)
        ("zip", "zip"),
        ("0xcb007207", "203.0.114.7"),
        ("[2606:4700:0::1111]", "[2606:4700::1111]"),
    ],
)
def test_a_domain_is_listed_as_browsers_write_it(type_: Type, text: str, domain: str) -> None:
    put_domain(domain, None)

    type_("remove", text)
    nothing = infrastructure.items("BLOCKED_DOMAINS_TABLE")
    type_("add", text)

    assert [] == nothing
    assert [domain] == [item["domain"] for item in infrastructure.items("BLOCKED_DOMAINS_TABLE")]


@pytest.mark.parametrize(
    "text",
    [
        "", " ", ".", "evil..example", ".evil.example", "https://evil.example", "evil.example/", "evil.example/page",
        "evil.example:443", "ada@evil.example", "evil.example?q", "evil.example#part", "*.evil.example", "evil example",
        "evil\\example", "evil\nexample", "256.256.256.256", "[::1", "[::1]:80", "::1", "[zip]", "a" * 64,
    ],
)  # fmt: skip
@pytest.mark.parametrize("command", ["add", "remove"])
def test_what_is_no_domain_is_refused(type_: Type, faults: Faults, command: str, text: str) -> None:
    done = type_(command, text)

    assert (2, True) == (done.exit_code, "is not a domain. Give one like evil.example" in " ".join(done.stderr.split()))
    assert [] == faults.calls


def test_removing_what_is_not_listed_changes_nothing(type_: Type, evil: Link) -> None:
    put_redirect(Redirect.of(evil))

    done = type_("remove", "evil.example")
    remove_domain("evil.example")

    assert (0, "evil.example is not blocked: 0 links redirect again\n") == (done.exit_code, done.stdout)
    assert {"my-link": "active"} == cached()


@pytest.mark.parametrize(
    ("command", "state"),
    [
        ("add", "evil.example may be on the list by now, and some links into it may still redirect."),
        ("remove", "evil.example may be off the list by now, and some links into it may still answer 410."),
    ],
)
def test_whoever_interrupts_it_is_told_how_things_stand(
    command: str, state: str, type_: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(blocklist, "links_with", interrupt)

    done = type_(command, "evil.example")

    assert isinstance(done.exception, blocklist.Interrupted)
    assert f"Interrupted. {state} Run it again." == str(done.exception)
