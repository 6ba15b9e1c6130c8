"""`python -m ops redirects`, as typed: the cache is made what the links are, one of them or all."""

import pytest
from msgspec.structs import replace

from chalicelib.clicks.counters import clicks_by_day
from chalicelib.clicks.purge import purge_clicks
from chalicelib.clicks.recorder import record_clicks
from chalicelib.links.blocklist import put_domain
from chalicelib.links.events import decode, event_of
from chalicelib.links.link import Link
from chalicelib.links.status import Status
from chalicelib.links.store import insert_link, read_link, replace_link
from chalicelib.redirects import follow
from chalicelib.redirects.cache import Redirect, put_redirect
from ops.repairing import redirects
from tests import infrastructure
from tests.builders import LambdaContext, a_link, a_message, an_sqs_event, clicks
from tests.faults import Fault, Faults, lost, throttled, timed_out
from tests.functional.terminal import Type, terminal
from tests.functional.test_publish_link_events import a_record
from tests.functional.visitor import Visitor

REDIRECTS = infrastructure.environment()["REDIRECTS_TABLE"]

BEFORE = a_link(url="https://example.com/before")
CHANGED = a_link(url="https://example.com/now", version=2)
GONE = replace(BEFORE, status=Status.DELETED, version=2)


@pytest.fixture
def type_(monkeypatch: pytest.MonkeyPatch) -> Type:
    """Type a command about the redirect cache."""
    return terminal(redirects, monkeypatch)


def given_unannounced(link: Link) -> None:
    """A link that has changed to this, of which the cache knows the first version only."""
    first = a_link(code=link.code, url=BEFORE.url)
    insert_link(first)
    put_redirect(Redirect.of(first))
    replace_link(link, 1)


def purges() -> list[str]:
    """The messages that have clicks purged."""
    return [message["body"] for message in infrastructure.receive("DeletedLinksQueue")]


def cached() -> dict[str, tuple[str, int]]:
    """The status and version of each entry, by its code."""
    return {item["code"]: (item["status"], int(item["version"])) for item in infrastructure.items("REDIRECTS_TABLE")}


def test_a_deleted_link_whose_event_was_lost_redirects_no_longer(type_: Type, anyone: Visitor) -> None:
    given_unannounced(GONE)
    before = anyone.get("/my-link")
    follow.forget()

    done = type_("rebuild", "my-link")

    assert (0, "1 corrected to deleted, with their clicks purged once more\n") == (done.exit_code, done.stdout)
    assert "my-link: active, version 1 -> deleted, version 2" in done.stderr.splitlines()
    assert [302, 410] == [before.status, anyone.get("/my-link").status]


def test_its_clicks_are_purged_and_once_is_enough(type_: Type) -> None:
    insert_link(BEFORE)
    put_redirect(Redirect.of(BEFORE))
    record_clicks(an_sqs_event(*map(a_message, clicks(3))), LambdaContext())
    replace_link(GONE, 1)

    done = [type_("rebuild", "my-link") for _ in range(2)]

    [message] = purges()
    purge_clicks(an_sqs_event(a_message(message)), LambdaContext())
    assert {} == clicks_by_day("my-link")
    assert "1 right already\n" == done[1].stdout
    announced = event_of(a_record(BEFORE, read_link("my-link")))
    assert announced == decode(message)


def test_a_change_whose_event_was_lost_is_followed_and_nothing_is_purged(type_: Type, anyone: Visitor) -> None:
    given_unannounced(CHANGED)

    done = type_("rebuild", "my-link")

    assert (0, "1 corrected\n") == (done.exit_code, done.stdout)
    assert "my-link: active, version 1 -> active, version 2" in done.stderr.splitlines()
    assert CHANGED.url == anyone.get("/my-link").headers["Location"]
    assert [] == purges()


def test_a_link_into_a_blocked_domain_is_blocked(type_: Type) -> None:
    insert_link(BEFORE)
    put_domain("example.com", None)

    done = type_("rebuild", "my-link")

    assert (0, "1 corrected\n") == (done.exit_code, done.stdout)
    assert "my-link: not cached -> blocked, version 1" in done.stderr.splitlines()
    assert {"my-link": ("blocked", 1)} == cached()


@pytest.mark.usefixtures("one_item_a_page")
def test_all_links_are_rebuilt_to_the_last_page(type_: Type, faults: Faults) -> None:
    for number in range(3):
        given_unannounced(replace(GONE, code=f"gone-{number}"))
        given_unannounced(replace(CHANGED, code=f"changed-{number}"))
    right = a_link(code="right")
    insert_link(right)
    put_redirect(Redirect.of(right))

    done = type_("rebuild", "--all")

    assert 0 == done.exit_code
    assert "1 right already, 3 corrected, 3 corrected to deleted, with their clicks purged once more\n" == done.stdout
    assert {
        "right": ("active", 1),
        **{f"gone-{number}": ("deleted", 2) for number in range(3)},
        **{f"changed-{number}": ("active", 2) for number in range(3)},
    } == cached()
    assert 3 == len(purges())
    assert {True} == {call.params["ConsistentRead"] for call in faults.of("Scan")}


def test_of_many_links_the_first_ones_are_shown(type_: Type) -> None:
    for number in range(redirects.MOST_SHOWN + 5):
        given_unannounced(replace(CHANGED, code=f"changed-{number}"))

    done = type_("rebuild", "--all")

    assert f"{redirects.MOST_SHOWN + 5} corrected\n" == done.stdout
    assert redirects.MOST_SHOWN == done.stderr.count(" -> ")


def test_a_code_that_is_unknown_is_said_and_the_others_are_rebuilt(type_: Type) -> None:
    given_unannounced(CHANGED)

    done = type_("rebuild", "nowhere", "my-link", "no code")

    assert (1, "1 corrected, 2 unknown\n") == (done.exit_code, done.stdout)
    assert "There is no link 'nowhere'. Check the spelling: codes are case-sensitive." in done.stderr
    assert {"my-link": ("active", 2)} == cached()


def test_an_item_that_is_no_link_is_said_and_the_others_are_rebuilt(type_: Type) -> None:
    given_unannounced(CHANGED)
    infrastructure.dynamodb().put_item(
        TableName=infrastructure.environment()["LINKS_TABLE"], Item={"code": {"S": "odd"}}
    )

    done = type_("rebuild", "--all")

    assert (1, "1 corrected, 1 failed: run it again\n") == (done.exit_code, done.stdout)
    assert "odd: this is no link: ValidationError: Object missing required field `url`" in done.stderr.splitlines()


@pytest.mark.parametrize("arguments", [(), ("my-link", "--all")], ids=str)
def test_either_codes_or_all_are_asked_for(type_: Type, faults: Faults, arguments: tuple[str, ...]) -> None:
    done = type_("rebuild", *arguments)

    assert (2, True) == (done.exit_code, "say which links: their codes, or --all" in done.stderr)
    assert [] == faults.calls


def test_without_links_there_is_nothing_to_do(type_: Type) -> None:
    done = type_("rebuild", "--all")

    assert (0, "there are no links\n") == (done.exit_code, done.stdout)


FAULTS = [throttled(), lost(timed_out())]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_whichever_call_breaks_again_does_the_rest(
    type_: Type, faults: Faults, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    monkeypatch.setattr(redirects, "_AT_ONCE", 1)  # so that calls have an order
    for link in (replace(GONE, code="gone"), replace(CHANGED, code="changed")):
        given_unannounced(link)
    stale = infrastructure.dynamodb().scan(TableName=REDIRECTS)["Items"]
    for _ in faults.each_call(fault):
        for item in stale:
            infrastructure.dynamodb().put_item(TableName=REDIRECTS, Item=item)

        type_("rebuild", "--all")
        faults.repair()
        again = type_("rebuild", "--all")

        assert 0 == again.exit_code
        assert {"gone": ("deleted", 2), "changed": ("active", 2)} == cached()
        assert {"gone"} == {decode(message).code for message in purges()}

    assert {"DescribeTable", "Scan", "GetItem", "SendMessage", "BatchGetItem", "PutItem"} == {
        call.operation for call in faults.broken
    }
