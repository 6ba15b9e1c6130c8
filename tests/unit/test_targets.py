"""What a link may point at."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.links.targets import normalise_url
from chalicelib.problems import InvalidUrl

OWN_ADDRESSES = frozenset({"https://go.example.com", "http://localhost:8000"})

EMPTY = "The url is empty. Give the address to redirect to."
CONTROL = "The url contains a control character, such as a line break. Remove it."
NOT_VALID = "The url is not valid. Give one like https://example.com/page."
CREDENTIALS = "The url contains a user name or password. Remove it: everybody who follows it would see it."
ITSELF = "The url points at this shortener itself. Give the address where the visitor should end."


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://example.com", "https://example.com/"),
        ("http://example.com/", "http://example.com/"),
        ("HTTPS://EXAMPLE.COM/Page?Q=1#Part", "https://example.com/Page?Q=1#Part"),
        ("https://example.com:443/", "https://example.com/"),
        ("http://example.com:80/", "http://example.com/"),
        ("https://example.com:8443/", "https://example.com:8443/"),
        ("https://example.com/a b", "https://example.com/a%20b"),
        ("https://example.com/%41?q=%20", "https://example.com/%41?q=%20"),
        ("https://example.com/a/../b", "https://example.com/b"),
        ("  https://example.com/  ", "https://example.com/"),
        ("https://example.com\\page", "https://example.com/page"),
        ("https:example.com", "https://example.com/"),
        ("https://@example.com/", "https://example.com/"),
        ("https://example.com/user@host", "https://example.com/user@host"),
        ("https://example.com/?to=javascript:alert(1)", "https://example.com/?to=javascript:alert(1)"),
    ],
)
def test_a_url_becomes_what_a_browser_would_go_to(text: str, url: str) -> None:
    assert url == normalise_url(text, OWN_ADDRESSES)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("example.com", "https://example.com/"),
        ("www.example.com/page?q=1", "https://www.example.com/page?q=1"),
        ("//example.com/page", "https://example.com/page"),
        ("example.com:8080", "https://example.com:8080/"),
        ("example.com:8080/page", "https://example.com:8080/page"),
        ("example.com:8080?q", "https://example.com:8080/?q"),
        ("example.com:8080#part", "https://example.com:8080/#part"),
        ("localhost:3000/page", "https://localhost:3000/page"),
        ("192.0.2.1:8080/", "https://192.0.2.1:8080/"),
        ("example.com/?to=http://example.org", "https://example.com/?to=http://example.org"),
    ],
)
def test_without_a_scheme_it_is_https(text: str, url: str) -> None:
    assert url == normalise_url(text, OWN_ADDRESSES)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://bücher.example/straße", "https://xn--bcher-kva.example/stra%C3%9Fe"),
        ("例え.jp", "https://xn--r8jz45g.jp/"),
        ("https://example.com/?q=ü", "https://example.com/?q=%C3%BC"),
        ("https://ＥＸＡＭＰＬＥ.com/", "https://example.com/"),  # noqa: RUF001 (full-width letters)
        ("https://example.com/\u2028", "https://example.com/%E2%80%A8"),
    ],
)
def test_an_international_url_becomes_ascii(text: str, url: str) -> None:
    assert url == normalise_url(text, OWN_ADDRESSES)


@pytest.mark.parametrize(
    ("text", "scheme"),
    [
        ("javascript:alert(1)", "javascript:"),
        ("JavaScript:alert(1)", "javascript:"),
        (" javascript:alert(1)", "javascript:"),
        ("javascript://example.com/%0Aalert(1)", "javascript:"),
        ("javascript:1.2:80", "javascript:"),
        ("data:text/html,<script>alert(1)</script>", "data:"),
        ("file:///etc/passwd", "file:"),
        ("mailto:ada@example.com", "mailto:"),
        ("ftp://example.com/", "ftp:"),
        ("ws://example.com/", "ws:"),
        ("tel:123", "tel:"),
        ("blob:https://example.com/id", "blob:"),
        ("view-source:https://example.com/", "view-source:"),
        ("localhost:8000@example.com", "localhost:"),
        ("user:secret@example.com", "user:"),
    ],
)
def test_only_http_and_https_are_redirected_to(text: str, scheme: str) -> None:
    with pytest.raises(InvalidUrl) as raised:
        normalise_url(text, OWN_ADDRESSES)

    assert f"The url's scheme is '{scheme}'. Only http: and https: are redirected to." == str(raised.value)


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("", EMPTY),
        ("   ", EMPTY),
        ("\n", CONTROL),
        ("\x00", CONTROL),
        ("java\nscript:alert(1)", CONTROL),
        ("https://example.com/\r\nSet-Cookie: a=b", CONTROL),
        ("https://exa\tmple.com/", CONTROL),
        ("https://example.com/\x7f", CONTROL),
        ("https://", NOT_VALID),
        ("https:///", NOT_VALID),
        ("?q", NOT_VALID),
        ("#part", NOT_VALID),
        ("\u00a0", NOT_VALID),
        ("https://exa mple.com/", NOT_VALID),
        ("https://example.com:99999/", NOT_VALID),
        ("https://[::1/", NOT_VALID),
        ("https://256.256.256.256/", NOT_VALID),
        ("https://example.com/\ud800", NOT_VALID),
        ("https://ada:secret@example.com/", CREDENTIALS),
        ("https://ada@example.com/", CREDENTIALS),
        ("https://:secret@example.com/", CREDENTIALS),
        ("ada@example.com", CREDENTIALS),
        ("https://go.example.com@example.org/", CREDENTIALS),
    ],
)
def test_a_url_that_cannot_be_redirected_to_is_refused(text: str, detail: str) -> None:
    with pytest.raises(InvalidUrl) as raised:
        normalise_url(text, OWN_ADDRESSES)

    assert detail == str(raised.value)


@pytest.mark.parametrize(
    "text",
    [
        "https://go.example.com/other",
        "http://go.example.com/",
        "go.example.com",
        "GO.Example.COM/other",
        "https://go.example.com:443/",
        "https://go.example.com?q",
        "https://go%2Eexample.com/",
        "https://ｇｏ.example.com/",  # noqa: RUF001 (full-width letters)
        "http://localhost:8000/other",
        "localhost:8000",
        pytest.param("https://go.example.com./other", id="with the root's dot"),
    ],
)
def test_the_shortener_itself_is_refused(text: str) -> None:
    with pytest.raises(InvalidUrl) as raised:
        normalise_url(text, OWN_ADDRESSES)

    assert ITSELF == str(raised.value)


@pytest.mark.parametrize(
    "text",
    [
        "https://www.go.example.com/",
        "https://example.com/go.example.com",
        "https://go.example.com.example.org/",
        "http://localhost:8001/",
        "https://go.example.com:8443/",
    ],
)
def test_a_host_that_only_resembles_the_shorteners_is_fine(text: str) -> None:
    assert text == normalise_url(text, OWN_ADDRESSES)


def test_a_url_has_at_most_2048_characters() -> None:
    longest = "https://example.com/" + "a" * 2028

    assert longest == normalise_url(longest, OWN_ADDRESSES)
    with pytest.raises(InvalidUrl, match=r"The url has 2049 characters\. At most 2048 are allowed\."):
        normalise_url(f"{longest}a", OWN_ADDRESSES)


def test_a_url_is_measured_as_it_will_be_sent() -> None:
    with pytest.raises(InvalidUrl, match=r"The url has 2420 characters\."):
        normalise_url("https://example.com/" + "é" * 400, OWN_ADDRESSES)


@given(st.text(max_size=60) | st.from_regex(r"(https?:)?[/\\]{0,3}[^/?#]{0,20}[/?#]?.{0,20}"))
def test_whatever_is_accepted_is_safe_in_a_header_and_stays_as_it_is(text: str) -> None:
    try:
        url = normalise_url(text, OWN_ADDRESSES)
    except InvalidUrl:
        return

    assert url.startswith(("http://", "https://"))
    assert url.isascii()
    assert url.isprintable()
    assert " " not in url
    assert url == normalise_url(url, OWN_ADDRESSES)
