"""A link with a password: what a visitor meets, and POST /unlock/{code}."""

import json
from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import pytest

from chalicelib.calls import by_sdk
from chalicelib.links.allowances import used
from chalicelib.links.blocklist import put_domain
from chalicelib.links.passwords import hashed
from chalicelib.links.status import Status
from chalicelib.links.store import insert_link
from chalicelib.problems import PasswordRequired
from chalicelib.redirects import tries
from chalicelib.redirects.cache import Redirect
from chalicelib.redirects.life import admit
from tests import infrastructure
from tests.builders import FIREFOX, GOOGLEBOT, NOW, StoppedClock, a_link
from tests.faults import Faults, lost_once, refused, timed_out
from tests.functional.visitor import BROWSER, Answer, Visitor, a_problem

URL, OVER = "https://example.com/", "https://example.org/over"
PASSWORD = "open sesame"
HASH = hashed(PASSWORD)
FORM = {"Content-Type": "application/x-www-form-urlencoded"}

ASKED = a_problem(
    HTTPStatus.FORBIDDEN,
    "password-required",
    "The link 'my-link' asks for a password. Open it in a browser, or send the form field 'password' to "
    "POST /unlock/my-link.",
)
WRONG = a_problem(
    HTTPStatus.FORBIDDEN,
    "wrong-password",
    "That is not the password of the link 'my-link'. Try again, or ask whoever gave you the link.",
)
TOO_MANY = a_problem(
    HTTPStatus.TOO_MANY_REQUESTS,
    "too-many-tries",
    "Too many wrong passwords were given for the link 'my-link', by whomever. Try again in 15 minutes.",
    Retry_After="900",
)


def unlock(anyone: Visitor, password: str = PASSWORD, query: str = "", **fields: str) -> Answer:
    form = urlencode({"password": password, **fields}).encode()
    return anyone.send("POST", f"/unlock/my-link{query}", form, FORM)


def to(url: str) -> Answer:
    return Answer(303, {"Location": url, "Cache-Control": "private, no-store"}, "")


def messages() -> list[dict[str, Any]]:
    return [json.loads(record["body"]) for record in infrastructure.receive()]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords are compared at once: a hundred hashes would take half a minute."""
    monkeypatch.setattr("chalicelib.redirects.unlock.matches", lambda password, _: password == PASSWORD)


def test_a_visitor_is_asked_for_the_password_at_both_doors_and_not_counted(visitor: Visitor) -> None:
    insert_link(a_link(password=HASH))

    answers = [visitor.get("/my-link") for _ in ("link", "memory")]

    assert [ASKED, ASKED] == answers
    assert [] == messages()


def test_who_knows_it_is_led_to_the_target_and_counted(anyone: Visitor) -> None:
    insert_link(a_link(password=HASH))

    answer = unlock(anyone.sending(User_Agent=FIREFOX))

    [message] = messages()
    assert to(URL) == answer
    assert ("my-link", FIREFOX) == (message["code"], message["user_agent"])


def test_who_does_not_is_asked_again_and_not_counted(anyone: Visitor) -> None:
    insert_link(a_link(password=HASH))

    assert [WRONG] * 3 == [unlock(anyone, password) for password in ("Open sesame", "", "x" * 129)]
    assert [] == messages()


def test_the_first_requests_referrer_and_query_go_through_the_form(anyone: Visitor) -> None:
    insert_link(a_link(password=HASH, forward_query=True))
    browser = anyone.sending(Referer="https://go.example.com/my-link", Host="go.example.com")

    answer = unlock(browser, query="?utm_source=mail&x=%26", referrer="https://user:pw@news.example/today?q=1")

    [message] = messages()
    assert to("https://example.com/?utm_source=mail&x=%26") == answer
    assert ("https://news.example/today", "mail") == (message["referrer"], message["utm_source"])


@pytest.mark.parametrize("asked", ["go.example.com", "abc.execute-api.eu-central-1.amazonaws.com"])
def test_our_own_host_is_no_referrer_behind_cloudfront_either(anyone: Visitor, asked: str) -> None:
    insert_link(a_link(password=HASH))

    unlock(anyone.sending(Referer="https://go.example.com/my-link", Host=asked))

    assert [None] == [message["referrer"] for message in messages()]


def test_a_password_is_the_same_whichever_way_a_keyboard_writes_its_letters(anyone: Visitor) -> None:
    insert_link(a_link(password=hashed("caf\u00e9")))

    assert to(URL) == unlock(anyone, "cafe\u0301")


def test_the_form_is_shown_whatever_is_in_the_query() -> None:
    """What a gateway could not decode is a lone surrogate, which cannot be encoded."""
    guarded = Redirect.of(a_link(password=HASH))

    with pytest.raises(PasswordRequired) as asked:
        admit(guarded, "GET", {}, {"q\ud800": ["\udcff", "x"]}, by_sdk)

    assert "q%3F=%3F&q%3F=x" == asked.value.query


# What only who knows may learn


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_robots_and_head_never_learn_the_target(visitor: Visitor, method: str) -> None:
    insert_link(a_link(password=HASH))

    answer = visitor.sending(User_Agent=GOOGLEBOT if method == "GET" else FIREFOX).send(method, "/my-link")

    assert (200, []) == (answer.status, messages())
    assert "Location" not in answer.headers
    assert "example.com" not in json.dumps(answer)


def test_the_hash_is_in_no_cache_and_no_log(
    visitor: Visitor, anyone: Visitor, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    insert_link(a_link(password=HASH))
    visitor.get("/my-link")
    unlock(anyone)
    unlock(anyone, "wrong horse")

    told = json.dumps([infrastructure.items("REDIRECTS_TABLE"), lines(), messages()], default=str)

    assert not [secret for secret in (HASH, PASSWORD, "wrong horse") if secret in told]


# The states of a link, in their order


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({"status": Status.DELETED, "enabled": False}, (410, "link-deleted")),
        ({"enabled": False}, (404, "link-disabled")),
        ({"starts_at": NOW + timedelta(1)}, (404, "link-not-started")),
        ({"expires_at": NOW}, (410, "link-expired")),
        ({"expires_at": NOW, "expired_url": OVER}, (303, OVER)),
        ({"password": None}, (303, "../my-link?a=b")),
    ],
)
def test_what_comes_before_the_password_holds_without_it(
    anyone: Visitor, state: dict[str, Any], expected: tuple[int, str]
) -> None:
    insert_link(a_link(**{"password": HASH, **state}))

    answer = unlock(anyone, "wrong", query="?a=b")

    told = answer.headers.get("Location") or answer.body["type"].rpartition(":")[2]
    assert (expected, []) == ((answer.status, told), messages())


def test_a_blocked_link_cannot_be_unlocked(anyone: Visitor) -> None:
    insert_link(a_link(password=HASH))
    put_domain("example.com", None)

    assert "urn:linkly:problem:link-blocked" == unlock(anyone).body["type"]


def test_a_right_password_uses_up_a_click_and_a_wrong_one_none(anyone: Visitor) -> None:
    insert_link(a_link(password=HASH, max_clicks=1))

    answers = [unlock(anyone, password) for password in ("wrong", PASSWORD, "wrong", PASSWORD)]

    assert [403, 303, 403, 410] == [answer.status for answer in answers]
    assert (1, 1) == (used("my-link"), len(messages()))


def test_a_changed_password_holds_for_the_next_visitor(ada: Visitor, anyone: Visitor) -> None:
    insert_link(a_link(owner="ada", password=HASH))
    unlock(anyone)

    patch = {"Content-Type": "application/merge-patch+json"}
    changed = ada.send("PATCH", "/links/my-link", b'{"password": "another"}', patch)

    assert (200, True) == (changed.status, changed.body["has_password"])
    assert [403, 303] == [unlock(anyone, password).status for password in (PASSWORD, "another")]


def test_put_leaves_the_password_as_it_is_unless_it_is_given_or_null(ada: Visitor, anyone: Visitor) -> None:
    insert_link(a_link(owner="ada", password=HASH))

    def put(**fields: Any) -> bool:
        body = json.dumps({"url": URL, **fields}).encode()
        has: bool = ada.send("PUT", "/links/my-link", body, {"Content-Type": "application/json"}).body["has_password"]
        return has

    assert [True, True] == [put(), put(has_password=False)]
    assert 303 == unlock(anyone).status
    assert [True, False] == [put(password="another"), put(password=None)]


# Bounded tries


@pytest.mark.usefixtures("quick")
def test_a_hundred_wrong_ones_in_any_fifteen_minutes_and_no_more(anyone: Visitor, clock: StoppedClock) -> None:
    insert_link(a_link(password=HASH))

    for number in range(tries.MOST_WRONG):
        assert WRONG == unlock(anyone, str(number))
        clock.time += timedelta(seconds=1)
    refused_ones = [unlock(anyone, "wrong"), unlock(anyone)]
    clock.time = NOW + timedelta(seconds=tries.SECONDS + 1)
    later = [unlock(anyone, "wrong"), unlock(anyone, "wrong")]

    assert [TOO_MANY, TOO_MANY] == refused_ones
    assert [WRONG, TOO_MANY] == later


@pytest.mark.usefixtures("quick")
def test_right_ones_are_not_bounded(anyone: Visitor) -> None:
    insert_link(a_link(password=HASH))

    assert {303} == {unlock(anyone).status for _ in range(tries.MOST_WRONG + 1)}
    assert tries.MOST_WRONG + 1 == len(messages())
    assert [{"code": "my-link"}] == infrastructure.items("ALLOWANCES_TABLE")


@pytest.mark.usefixtures("quick")
def test_a_try_whose_answer_is_lost_is_not_made_for_nothing(anyone: Visitor, faults: Faults) -> None:
    insert_link(a_link(password=HASH))
    faults.plan(lost_once(), operation="UpdateItem", nth=1)

    assert to(URL) == unlock(anyone)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("fault", [timed_out(), refused("ThrottlingException")], ids=str)
def test_a_right_password_is_good_even_if_its_place_cannot_be_given_back(
    anyone: Visitor, faults: Faults, fault: Any
) -> None:
    insert_link(a_link(password=HASH))
    faults.plan(fault, operation="UpdateItem", nth=2)

    assert (to(URL), 1) == (unlock(anyone), len(messages()))


@pytest.mark.parametrize("fault", [timed_out(), refused("AccessDeniedException")], ids=str)
def test_without_the_table_of_tries_no_password_is_looked_at(
    anyone: Visitor, faults: Faults, monkeypatch: pytest.MonkeyPatch, fault: Any
) -> None:
    insert_link(a_link(password=HASH))
    monkeypatch.setattr("chalicelib.redirects.unlock.matches", lambda *_: pytest.fail("it was looked at"))
    faults.plan(fault, operation="UpdateItem")

    assert 503 == unlock(anyone).status


def test_of_who_tried_nothing_is_kept(anyone: Visitor) -> None:
    insert_link(a_link(password=HASH))

    unlock(anyone.sending(User_Agent="Robber/1.0", X_Forwarded_For="198.51.100.7"), "wrong")

    [item] = infrastructure.items("ALLOWANCES_TABLE")
    [place] = item.keys() - {"code"}
    assert {"code": "my-link", place: int(NOW.timestamp())} == item


# The form


@pytest.mark.parametrize(
    ("body", "headers", "status", "detail"),
    [
        (b"{}", {"Content-Type": "application/json"}, 415,
         "Send the password as a form, with the header 'Content-Type: application/x-www-form-urlencoded'."),
        (b"word=x", FORM, 400, "The form has no field 'password'."),
        (b"", FORM, 400, "The form has no field 'password'."),
        (b"password=%ff", FORM, 400, "The form cannot be read: "),
        (b"\xff", FORM, 400, "The form cannot be read: "),
        (b"&".join([b"password=x"] * 11), FORM, 400, "The form cannot be read: Max number of fields exceeded."),
        (b"password=" + b"x" * 16_384, FORM, 413, "The form has 16393 bytes. At most 16384 are read."),
    ],
)  # fmt: skip
def test_what_is_no_form_with_a_password_is_refused_with_a_sentence(
    anyone: Visitor, body: bytes, headers: dict[str, str], status: int, detail: str
) -> None:
    insert_link(a_link(password=HASH))

    answer = anyone.send("POST", "/unlock/my-link", body, headers)

    assert status == answer.status
    assert answer.body["detail"].startswith(detail)


def test_an_unknown_code_is_no_link(anyone: Visitor) -> None:
    assert [404, 404] == [
        anyone.send("POST", f"/unlock/{code}", b"password=x", FORM).status for code in ("nope", "%2e")
    ]


@pytest.mark.parametrize("query", ["", "?utm_source=mail&x=1&x=2"])
def test_get_leads_back_to_the_link(anyone: Visitor, query: str) -> None:
    assert to(f"../my-link{query}") == anyone.get(f"/unlock/my-link{query}")
    assert 404 == anyone.get("/unlock/a%20b").status


# What an owner may give


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        ("", "The body does not fit: Expected `str` of length >= 1 - at `$.password`."),
        ("x" * 129, "The body does not fit: Expected `str` of length <= 128 - at `$.password`."),
        ("a\nb", "The password has control characters in it. Leave them out."),
        (1234, "The body does not fit: Expected `str | null`, got `int` - at `$.password`."),
    ],
)
def test_a_password_has_limits(ada: Visitor, value: Any, detail: str) -> None:
    answer = ada.post("/links", {"url": URL, "password": value})

    assert (400, detail) == (answer.status, answer.body["detail"])


def test_one_of_many_links_cannot_be_given_a_password(ada: Visitor) -> None:
    answer = ada.post("/links", [{"url": URL, "password": "x"}, {"url": URL}])

    refused_one, created = answer.body["items"]
    assert (400, 201) == (refused_one["status"], created["status"])
    detail = "One of many links cannot be given a password. Create it without, and add it with PATCH."
    assert detail == refused_one["problem"]["detail"]


def test_a_browser_gets_the_form_at_both_doors_with_what_it_came_with(visitor: Visitor) -> None:
    insert_link(a_link(password=HASH))
    browser = visitor.sending(Accept=BROWSER, Referer="https://news.example/?a=1&b=2")

    answer = browser.get("/my-link?utm_source=mail&x=%26")

    assert (403, "no-store", "Accept") == (answer.status, answer.headers["Cache-Control"], answer.headers["Vary"])
    assert 'action="unlock/my-link?utm_source=mail&amp;x=%26"' in answer.body
    assert 'name="referrer" value="https://news.example/?a=1&amp;b=2"' in answer.body
    assert "form-action" not in answer.headers["Content-Security-Policy"]


def test_a_browser_with_a_wrong_password_gets_the_form_again(anyone: Visitor) -> None:
    insert_link(a_link(password=HASH))

    answer = unlock(anyone.sending(Accept=BROWSER), "wrong", referrer="https://news.example/")

    assert (403, "text/html; charset=utf-8") == (answer.status, answer.headers["Content-Type"])
    assert "That is not the password." in answer.body
    assert 'value="https://news.example/"' in answer.body


def test_a_browser_is_told_that_a_link_is_used_up(visitor: Visitor) -> None:
    insert_link(a_link(max_clicks=1))
    browser = visitor.sending(Accept=BROWSER)

    assert [302, 410] == [browser.get("/my-link").status for _ in range(2)]
    assert "<h1>This link has been used up</h1>" in browser.get("/my-link").body
