"""What a visitor's headers become in the message of their click."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.clicks.click import Click, decode, encode
from chalicelib.clicks.message import new_message
from tests.builders import NOW, a_click


def click_of(
    code: str, headers: Mapping[str, str], occurred_at: datetime, query: Mapping[str, Sequence[str]] | None = None
) -> Click:
    """The click that is read from the message."""
    return decode(new_message(code, headers, occurred_at, query).text)


TAGS = ("utm_source", "utm_medium", "utm_campaign")

# What HTTP lets through, and what it should not.
header_text = st.text(st.characters(), max_size=40) | st.text(
    st.sampled_from("\x00\n\x7f\ud800\udfff\ufffe\U0001f4a9é "), max_size=2000
)


@given(
    referrer=header_text,
    user_agent=header_text,
    country=header_text,
    occurred_at=st.datetimes(timezones=st.just(UTC)),
    query=st.none()
    | st.dictionaries(st.sampled_from(TAGS) | header_text, st.lists(header_text, min_size=1, max_size=2)),
)
@example(referrer="x" * 5000, user_agent="\U0001f4a9" * 5000, country="DE\n", occurred_at=NOW, query=None)
@example(referrer="", user_agent="", country="", occurred_at=NOW, query={tag: ["\U0001f4a9" * 5000] for tag in TAGS})
def test_no_header_and_no_tag_can_make_a_click_that_is_not_decoded_again(
    referrer: str, user_agent: str, country: str, occurred_at: datetime, query: dict[str, list[str]] | None
) -> None:
    headers = {"referer": f"https://{referrer}", "user-agent": user_agent, "cloudfront-viewer-country": country}

    text = new_message("my-link", headers, occurred_at, query).text

    click = decode(text)
    tags = (click.utm_source, click.utm_medium, click.utm_campaign)
    assert text == encode(click)  # byte for byte, as msgspec would write it
    assert all(text is None or text.isprintable() for text in (click.referrer, click.user_agent, click.country, *tags))
    assert all(tag is None or 0 < len(tag.encode()) <= 64 for tag in tags)
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


@pytest.mark.parametrize(
    ("referrer", "kept"),
    [
        ("https://go.example.com/", None),
        ("http://GO.example.com/page", None),
        ("https://go.example.com:8443/page", None),
        ("https://go.example.com", None),
        ("https://ada@go.example.com/", None),
        ("https://www.go.example.com/", "https://www.go.example.com/"),
        ("https://go.example.community/", "https://go.example.community/"),
        ("https://example.com/go.example.com", "https://example.com/go.example.com"),
        ("https://go/", "https://go/"),
        ("https://[2001:db8::1]/", "https://[2001:db8::1]/"),
    ],
)
@pytest.mark.parametrize("host", ["go.example.com", "go.example.com:443", "Go.Example.com"])
def test_the_short_links_own_host_is_no_referrer(referrer: str, kept: str | None, host: str) -> None:
    assert kept == click_of("my-link", {"referer": referrer, "host": host}, NOW).referrer


@pytest.mark.parametrize(("host", "kept"), [("[::1]:8000", None), ("[::2]:8000", "http://[::1]:8000/page")])
def test_an_address_may_be_ones_own_host(host: str, kept: str | None) -> None:
    assert kept == click_of("my-link", {"referer": "http://[::1]:8000/page", "host": host}, NOW).referrer


def test_a_click_has_what_its_link_was_tagged_with() -> None:
    query = {
        "utm_source": ["first", " News\x00letter\ud800 "],
        "utm_medium": [""],
        "utm_campaign": ["é" * 31 + "x\U0001f4a9"],
        "utm_term": ["nobody asks"],
        "fbclid": "secret",
    }

    click = click_of("my-link", {}, NOW, query)

    tags = {"utm_source": "Newsletter", "utm_campaign": "é" * 31 + "x"}
    nothing: Any = {"referrer": None, "user_agent": None, "country": None}
    assert Click(v=1, id=click.id, code="my-link", occurred_at=NOW, **nothing, **tags) == click


@pytest.mark.parametrize("query", [None, {}, {"q": ["ada"]}, {"utm_source": [" \n"]}])
def test_a_link_without_tags_says_nothing_of_them(query: dict[str, list[str]] | None) -> None:
    assert "utm" not in new_message("my-link", {}, NOW, query).text


SAYS_MUCH = {"referer": "https://news.example/", "user-agent": "Browser/1.0", "cloudfront-viewer-country": "DE"}


@pytest.mark.parametrize("asks", [{"sec-gpc": "1"}, {"dnt": "1"}, {"sec-gpc": "1", "dnt": "0"}])
def test_a_visitor_who_asks_not_to_be_followed_is_a_click_and_nothing_more(asks: dict[str, str]) -> None:
    click = click_of("my-link", {**SAYS_MUCH, **asks}, NOW, dict.fromkeys(TAGS, "newsletter"))

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
