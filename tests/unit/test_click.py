"""The click message: what goes in, what is refused, and what a visitor's headers become."""

import json
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.clicks.click import Click, UndecodableClick, decode, encode, new_click
from tests.builders import NOW, a_click

MESSAGE = {
    "v": 1,
    "id": "6f0b1c52-8a35-4dd3-9a0e-3d1f0a6f9a11",
    "code": "my-link",
    "occurred_at": "2026-05-27T10:15:30.123000Z",
    "referrer": "https://news.example/",
    "user_agent": "Browser/1.0",
    "country": "DE",
}


def a_text(**changes: Any) -> str:
    """The message with some members changed."""
    return json.dumps({**MESSAGE, **changes})


def a_text_without(member: str) -> str:
    return json.dumps({name: value for name, value in MESSAGE.items() if name != member})


def test_a_click_is_this_message() -> None:
    click = Click(
        v=1,
        id=uuid.UUID("6f0b1c52-8a35-4dd3-9a0e-3d1f0a6f9a11"),
        code="my-link",
        occurred_at=NOW,
        referrer="https://news.example/",
        user_agent="Browser/1.0",
        country="DE",
    )

    assert MESSAGE == json.loads(encode(click))
    assert click == decode(json.dumps(MESSAGE))


def test_what_is_not_known_is_null() -> None:
    click = a_click(referrer=None, user_agent=None, country=None)

    assert {
        "v": 1,
        "id": str(click.id),
        "code": "my-link",
        "occurred_at": "2026-05-27T10:15:30.123000Z",
        "referrer": None,
        "user_agent": None,
        "country": None,
    } == json.loads(encode(click))


def test_members_that_a_later_version_may_add_are_ignored() -> None:
    assert decode(a_text()) == decode(a_text(campaign="spring"))


@pytest.mark.parametrize("spelling", [MESSAGE["id"].upper(), MESSAGE["id"].replace("-", "")])  # type: ignore[attr-defined]
def test_an_id_has_one_key_however_it_is_spelled(spelling: str) -> None:
    assert ("my-link", MESSAGE["id"]) == decode(a_text(id=spelling)).key


@pytest.mark.parametrize(
    ("occurred_at", "day"),
    [
        ("2026-05-27T00:00:00Z", "2026-05-27"),
        ("2026-05-27T23:59:59.999999Z", "2026-05-27"),
        ("2026-05-27T01:30:00+02:00", "2026-05-26"),
        ("2026-05-26T23:30:00-02:00", "2026-05-27"),
    ],
)
def test_a_click_counts_for_its_day_in_utc(occurred_at: str, day: str) -> None:
    assert day == decode(a_text(occurred_at=occurred_at)).day


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("no click", id="no JSON"),
        pytest.param(a_text()[:-1], id="cut off"),
        pytest.param(f"\ufeff{a_text()}", id="byte order mark"),
        pytest.param("null", id="null"),
        pytest.param(f"[{a_text()}]", id="an array"),
        pytest.param("[" * 100_000, id="deep"),
        pytest.param(a_text()[:-1] + ', "x": ' + "[" * 100_000 + "]" * 100_000 + "}", id="deep in an unknown member"),
        pytest.param(a_text()[:-1] + ', "x": ' + '{"x":' * 100_000 + "1" + "}" * 100_001, id="deep in unknown objects"),
        pytest.param("\ud800", id="lone surrogate"),
        pytest.param(a_text().replace("Browser", "\udfff"), id="lone surrogate in a member"),
        pytest.param(a_text(user_agent="\ud800"), id="escaped lone surrogate"),
        pytest.param(a_text_without("v"), id="no version"),
        pytest.param(a_text(v=0), id="version 0"),
        pytest.param(a_text(v=2), id="version 2"),
        pytest.param(a_text(v="1"), id="version in quotes"),
        pytest.param(a_text(v=True), id="version true"),
        pytest.param(a_text_without("id"), id="no id"),
        pytest.param(a_text(id=""), id="empty id"),
        pytest.param(a_text(id="6f0b1c52"), id="short id"),
        pytest.param(a_text(id=None), id="id is null"),
        pytest.param(a_text_without("code"), id="no code"),
        pytest.param(a_text(code="no"), id="short code"),
        pytest.param(a_text(code="a" * 65), id="long code"),
        pytest.param(a_text(code="ümlaut"), id="foreign code"),
        pytest.param(a_text(code="my link"), id="code with a space"),
        pytest.param(a_text(code="my-link\n"), id="code with a line break"),
        pytest.param(a_text_without("occurred_at"), id="no time"),
        pytest.param(a_text(occurred_at=1779876930), id="time is a number"),
        pytest.param(a_text(occurred_at="yesterday"), id="time in words"),
        pytest.param(a_text(occurred_at="2026-05-27T10:15:30"), id="time without zone"),
        pytest.param(a_text(occurred_at="2026-02-30T10:15:30Z"), id="no such day"),
        pytest.param(a_text(occurred_at="10000-01-01T00:00:00Z"), id="year 10000"),
        pytest.param(a_text(occurred_at="9999-12-31T23:59:59-01:00"), id="year 10000 in UTC"),
        pytest.param(a_text(occurred_at="0001-01-01T00:00:00+14:00"), id="before the year 1 in UTC"),
        pytest.param(a_text(referrer="x" * 1025), id="long referrer"),
        pytest.param(a_text(referrer=1), id="referrer is a number"),
        pytest.param(a_text_without("referrer"), id="no referrer"),
        pytest.param(a_text(user_agent="x" * 513), id="long user agent"),
        pytest.param(a_text(country="DEU"), id="long country"),
        pytest.param(a_text(country="de"), id="small country"),
        pytest.param(a_text(country="DE\n"), id="country with a line break"),
    ],
)
def test_what_is_not_a_click_of_version_1_is_undecodable(text: str) -> None:
    with pytest.raises(UndecodableClick):
        decode(text)


@pytest.mark.parametrize("occurred_at", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"])
def test_any_year_that_has_a_name_can_be_decoded_and_is_somebody_elses_to_refuse(occurred_at: str) -> None:
    assert datetime.fromisoformat(occurred_at) == decode(a_text(occurred_at=occurred_at)).occurred_at


# What HTTP lets through, and what it should not.
header_text = st.text(st.characters(), max_size=40) | st.text(
    st.sampled_from("\x00\n\x7f\ud800\udfff\ufffe\U0001f4a9é "), max_size=2000
)


@given(
    referrer=header_text, user_agent=header_text, country=header_text, occurred_at=st.datetimes(timezones=st.just(UTC))
)
@example(referrer="x" * 5000, user_agent="\U0001f4a9" * 5000, country="DE\n", occurred_at=NOW)
@example(referrer="", user_agent="", country="", occurred_at=NOW)
def test_no_header_can_make_a_click_that_is_not_decoded_again(
    referrer: str, user_agent: str, country: str, occurred_at: datetime
) -> None:
    headers = {"referer": f"https://{referrer}", "user-agent": user_agent, "cloudfront-viewer-country": country}

    click = new_click("my-link", headers, occurred_at)

    assert click == decode(encode(click))
    assert all(text is None or text.isprintable() for text in (click.referrer, click.user_agent, click.country))
    assert len(encode(click).encode()) < 10_000


def test_a_click_tells_what_its_visitor_told() -> None:
    headers = {
        "referer": "https://news.example/straße",
        "user-agent": "Browser/1.0",
        "cloudfront-viewer-country": "DE",
        "cookie": "secret",
        "x-forwarded-for": "192.0.2.1",
    }

    click = new_click("my-link", headers, NOW)

    assert (
        Click(
            v=1,
            id=click.id,
            code="my-link",
            occurred_at=NOW,
            referrer="https://news.example/straße",
            user_agent="Browser/1.0",
            country="DE",
        )
        == click
    )


def test_each_click_has_a_random_id_of_its_own() -> None:
    ids = [new_click("my-link", {}, NOW).id for _ in range(100)]

    assert 100 == len(set(ids))
    assert {4} == {id_.version for id_ in ids}


def test_a_visitor_who_says_nothing_says_null() -> None:
    click = new_click("my-link", {"referer": "", "user-agent": ""}, NOW)

    assert (None, None, None) == (click.referrer, click.user_agent, click.country)


def test_long_headers_are_cut_off() -> None:
    click = new_click("my-link", {"referer": f"a://{'r' * 1021}", "user-agent": "ü" * 513}, NOW)

    assert (f"a://{'r' * 1020}", "ü" * 512) == (click.referrer, click.user_agent)


@pytest.mark.parametrize(
    ("referrer", "kept"),
    [
        ("https://news.example/today", "https://news.example/today"),
        ("HTTPS://news.example", "HTTPS://news.example"),
        ("android-app://com.example.mail/", "android-app://com.example.mail/"),
        ("https://news.example/a@b", "https://news.example/a@b"),
        ("https://news.example/?q=ada%20lovelace", "https://news.example/"),
        ("https://news.example?q=ada", "https://news.example"),
        ("https://news.example/page#ada", "https://news.example/page"),
        ("https://news.example#ada?b", "https://news.example"),
        ("https://ada:secret@news.example/", "https://news.example/"),
        ("https://ada:se@cret@news.example/", "https://news.example/"),
        ("https://ada@news.example", "https://news.example"),
        ("https://news.example?to=ada@mail.example", "https://news.example"),
        ("ada:secret@news.example/", None),
        ("/page?q=ada", None),
        ("mailto:ada@mail.example", None),
        ("about:blank", None),
        ("javascript:alert(1)", None),
    ],
)
def test_a_referrer_is_kept_without_what_may_name_a_person(referrer: str, kept: str | None) -> None:
    assert kept == new_click("my-link", {"referer": referrer}, NOW).referrer


@given(
    user=st.text(st.sampled_from("ab:@\\%é"), min_size=1, max_size=9),
    tail=st.text(st.sampled_from("ab/?#@:"), max_size=9),
)
def test_no_referrer_keeps_a_user_a_query_or_a_fragment(user: str, tail: str) -> None:
    referrer = new_click("my-link", {"referer": f"https://SECRET{user}@news.example/?SECRET#{tail}"}, NOW).referrer

    assert referrer is not None
    assert "SECRET" not in referrer


SAYS_MUCH = {"referer": "https://news.example/", "user-agent": "Browser/1.0", "cloudfront-viewer-country": "DE"}


@pytest.mark.parametrize("asks", [{"sec-gpc": "1"}, {"dnt": "1"}, {"sec-gpc": "1", "dnt": "0"}])
def test_a_visitor_who_asks_not_to_be_followed_is_a_click_and_nothing_more(asks: dict[str, str]) -> None:
    click = new_click("my-link", {**SAYS_MUCH, **asks}, NOW)

    assert a_click(id=click.id, code="my-link", occurred_at=NOW, referrer=None, user_agent=None, country=None) == click


@pytest.mark.parametrize("asks", [{}, {"dnt": "0"}, {"dnt": ""}, {"sec-gpc": "0"}, {"sec-gpc": "?1"}])
def test_a_visitor_who_does_not_ask_is_told_apart(asks: dict[str, str]) -> None:
    click = new_click("my-link", {**SAYS_MUCH, **asks}, NOW)

    assert ("https://news.example/", "Browser/1.0", "DE") == (click.referrer, click.user_agent, click.country)


@pytest.mark.parametrize("character", ["\x00", "\n", "\r", "\t", "\x1b", "\x7f", "\x85", "\u2028", "\ud800", "\ufffe"])
def test_a_character_that_cannot_be_printed_becomes_a_replacement_character(character: str) -> None:
    click = new_click("my-link", {"user-agent": f"a{character}b"}, NOW)

    assert "a\ufffdb" == click.user_agent


@pytest.mark.parametrize("text", ["a b", "ü", "日本", "\U0001f600"])
def test_a_character_that_can_be_printed_stays(text: str) -> None:
    assert text == new_click("my-link", {"user-agent": text}, NOW).user_agent


@pytest.mark.parametrize(
    ("header", "country"),
    [("DE", "DE"), ("T1", "T1"), ("de", None), ("12", None), ("DEU", None), ("D", None), ("ÄÖ", None), ("D ", None)],
)
def test_a_country_is_two_capital_letters_or_unknown(header: str, country: str | None) -> None:
    assert country == new_click("my-link", {"cloudfront-viewer-country": header}, NOW).country
