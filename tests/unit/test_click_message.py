"""What a visitor's headers become in the message of their click."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.clicks.click import Click, decode, encode
from chalicelib.clicks.message import new_message
from tests.builders import NOW, a_click


def click_of(code: str, headers: Mapping[str, str], occurred_at: datetime) -> Click:
    """The click that is read from the message."""
    return decode(new_message(code, headers, occurred_at).text)


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

    text = new_message("my-link", headers, occurred_at).text

    click = decode(text)
    assert text == encode(click)  # byte for byte, as msgspec would write it
    assert all(text is None or text.isprintable() for text in (click.referrer, click.user_agent, click.country))
    assert len(text.encode()) < 10_000


def test_a_click_tells_what_its_visitor_told() -> None:
    headers = {
        "referer": "https://news.example/straße",
        "user-agent": "Browser/1.0",
        "cloudfront-viewer-country": "DE",
        "cookie": "secret",
        "x-forwarded-for": "192.0.2.1",
    }

    click = click_of("my-link", headers, NOW)

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
    ids = [click_of("my-link", {}, NOW).id for _ in range(100)]

    assert 100 == len(set(ids))
    assert {4} == {id_.version for id_ in ids}


def test_a_visitor_who_says_nothing_says_null() -> None:
    click = click_of("my-link", {"referer": "", "user-agent": ""}, NOW)

    assert (None, None, None) == (click.referrer, click.user_agent, click.country)


def test_long_headers_are_cut_off() -> None:
    click = click_of("my-link", {"referer": f"a://{'r' * 1021}", "user-agent": "ü" * 513}, NOW)

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
    assert kept == click_of("my-link", {"referer": referrer}, NOW).referrer


@given(
    user=st.text(st.sampled_from("ab:@\\%é"), min_size=1, max_size=9),
    tail=st.text(st.sampled_from("ab/?#@:"), max_size=9),
)
def test_no_referrer_keeps_a_user_a_query_or_a_fragment(user: str, tail: str) -> None:
    referrer = click_of("my-link", {"referer": f"https://SECRET{user}@news.example/?SECRET#{tail}"}, NOW).referrer

    assert referrer is not None
    assert "SECRET" not in referrer


SAYS_MUCH = {"referer": "https://news.example/", "user-agent": "Browser/1.0", "cloudfront-viewer-country": "DE"}


@pytest.mark.parametrize("asks", [{"sec-gpc": "1"}, {"dnt": "1"}, {"sec-gpc": "1", "dnt": "0"}])
def test_a_visitor_who_asks_not_to_be_followed_is_a_click_and_nothing_more(asks: dict[str, str]) -> None:
    click = click_of("my-link", {**SAYS_MUCH, **asks}, NOW)

    assert a_click(id=click.id, code="my-link", occurred_at=NOW, referrer=None, user_agent=None, country=None) == click


@pytest.mark.parametrize("asks", [{}, {"dnt": "0"}, {"dnt": ""}, {"sec-gpc": "0"}, {"sec-gpc": "?1"}])
def test_a_visitor_who_does_not_ask_is_told_apart(asks: dict[str, str]) -> None:
    click = click_of("my-link", {**SAYS_MUCH, **asks}, NOW)

    assert ("https://news.example/", "Browser/1.0", "DE") == (click.referrer, click.user_agent, click.country)


@pytest.mark.parametrize("character", ["\x00", "\n", "\r", "\t", "\x1b", "\x7f", "\x85", "\u2028", "\ud800", "\ufffe"])
def test_a_character_that_cannot_be_printed_becomes_a_replacement_character(character: str) -> None:
    click = click_of("my-link", {"user-agent": f"a{character}b"}, NOW)

    assert "a\ufffdb" == click.user_agent


@pytest.mark.parametrize("text", ["a b", "ü", "日本", "\U0001f600"])
def test_a_character_that_can_be_printed_stays(text: str) -> None:
    assert text == click_of("my-link", {"user-agent": text}, NOW).user_agent


@pytest.mark.parametrize(
    ("header", "country"),
    [("DE", "DE"), ("T1", "T1"), ("de", None), ("12", None), ("DEU", None), ("D", None), ("ÄÖ", None), ("D ", None)],
)
def test_a_country_is_two_capital_letters_or_unknown(header: str, country: str | None) -> None:
    assert country == click_of("my-link", {"cloudfront-viewer-country": header}, NOW).country
