"""What a link may point at."""

import pytest
from hypothesis import given

from chalicelib.links.hosts import is_host, is_public, with_parents
from chalicelib.links.targets import host_of, normalise_url
from chalicelib.problems import InvalidUrl
from tests.odd_urls import odd_urls

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
        ("8.8.8.8:8080/", "https://8.8.8.8:8080/"),
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
        "http://localhost:8001/",
        "https://go.example.com:8443/",
        "http://go.example.com.:80/",
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
    with pytest.raises(InvalidUrl, match=r"Written out, the url has 2420 characters\."):
        normalise_url("https://example.com/" + "é" * 400, OWN_ADDRESSES)


def test_a_url_is_measured_as_it_came_too() -> None:
    with pytest.raises(InvalidUrl, match=r"The url has 2120 characters\."):
        normalise_url("https://example.com/" + "../" * 700, OWN_ADDRESSES)


PRIVATE = [
    # IPv4: this network, private, shared, loopback, link-local, protocol assignments, documentation, 6to4 relays,
    # benchmarks, multicast, reserved, broadcast
    "0.0.0.0", "0.1.2.3",  # noqa: S104 (nobody listens there)
    "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "127.0.0.1",
    "127.255.255.255", "169.254.0.1", "192.0.0.8", "192.0.2.1", "198.51.100.1", "203.0.113.1", "192.88.99.1",
    "198.18.0.1", "198.19.255.255", "224.0.0.1", "239.255.255.255", "224.0.1.1", "240.0.0.1", "255.255.255.255",
    # of clouds: AWS and most others, Alibaba, Oracle, Azure, AWS over IPv6
    "169.254.169.254", "169.254.170.2", "100.100.100.200", "192.0.0.192", "168.63.129.16", "[fd00:ec2::254]",
    # other spellings of IPv4
    "2130706433", "0x7f000001", "0x7F.0.0.1", "017700000001", "0177.0.0.1", "127.1", "127.0.1", "0", "0x", "00.0",
    "127.0.0.1.", "0xa9fea9fe", "2852039166", "0251.0376.0251.0376", "%31%32%37.0.0.1", "127%2E0%2E0%2E1",
    "\uff11\uff12\uff17.0.0.1", "127\u30020\uff0e0\uff611", "\u2460\u2461\u2466.0.0.1", "1\u00ad27.0.0.1",
    # IPv6: unspecified, loopback, mapped, compatible, NAT64, 6to4, Teredo, unique local, link-local, site-local,
    # multicast, documentation, discard, segment routing, what is not given out
    "[::]", "[::1]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:a9fe:a9fe]", "[::ffff:8.8.8.8]",
    "[::FFFF:7F00:1]", "[::127.0.0.1]", "[::7f00:1]", "[64:ff9b::7f00:1]", "[64:ff9b::169.254.169.254]",
    "[64:ff9b:1::a00:1]", "[2002:7f00:1::]", "[2002:a9fe:a9fe::1]", "[2001:0:a00:1::1]", "[fc00::1]", "[fdff::1]",
    "[fe80::1]", "[fec0::1]", "[ff02::1]", "[ff0e::1]", "[2001:db8::1]", "[3fff::1]", "[100::1]", "[5f00::1]",
    "[4000::1]",
    # names
    "printer", "intranet", "localhost", "LOCALHOST", "localhost.", "loc%61lhost", "\u24c1ocalhost", "foo.localhost",
    "a.b.localhost.", "localhost.localdomain", "ip6-localhost", "printer.local", "nas.local.", "router.lan",
    "router.home", "nas.home.arpa", "wiki.corp", "wiki.intranet", "db.private", "app.test", "metadata.google.internal",
    "instance-data.ec2.internal", "METADATA.GOOGLE.INTERNAL.", "kubernetes.default.svc.cluster.local",
]  # fmt: skip


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", PRIVATE)
def test_what_only_a_private_network_knows_is_refused_however_it_is_spelled(host: str, scheme: str) -> None:
    for url in (f"{scheme}://{host}", f"{scheme}://{host}:8080/path?q#part"):
        with pytest.raises(InvalidUrl, match=r"only known on a private network\. Give one that everybody can reach\."):
            normalise_url(url, frozenset())


@pytest.mark.parametrize("host", PRIVATE)
def test_it_is_accepted_if_the_operator_allows_it(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("PRIVATE_TARGETS_ALLOWED", "true")

    assert normalise_url(f"http://{host}", frozenset()).startswith("http://")


@pytest.mark.parametrize(
    "host",
    [
        "8.8.8.8", "172.15.255.255", "172.32.0.1", "100.63.255.255", "100.128.0.1", "126.255.255.255", "128.0.0.1",
        "169.253.255.255", "192.167.255.255", "198.17.255.255", "198.20.0.1", "223.255.255.255",
        "[2606:4700::1111]", "[2001:4860:4860::8888]", "[2a00:1450:4001::1]",
        "localhost.example.com", "local.example.com", "internal.com", "mylocal", "home.arpa.example.com", "test.com",
    ],
)  # fmt: skip
def test_what_everybody_can_reach_is_not_taken_for_private(host: str) -> None:
    assert is_public(host) is ("." in host or ":" in host)


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("localhost..", "localhost."),
        ("a..example.com", "a..example.com"),
        (".example.com", ".example.com"),
        (".", ""),
        ("*.example.com", "*.example.com"),
        ("exa$mple.com", "exa$mple.com"),
        ('exa"mple.com', 'exa"mple.com'),
        ("a" * 64 + ".com", "a" * 64 + ".com"),
        ("a." * 100 + "com", "a." * 100 + "com"),
        (("a" * 62 + ".") * 4 + "de", ("a" * 62 + ".") * 4 + "de"),
    ],
)
def test_a_host_that_no_dns_could_have_is_refused(host: str, shown: str) -> None:
    with pytest.raises(InvalidUrl) as raised:
        normalise_url(f"https://{host}/", OWN_ADDRESSES)

    assert f"The url's host {shown!r} is neither a domain nor an address. Check its spelling." == str(raised.value)


@pytest.mark.parametrize("host", ["a." * 99 + "com", ("a" * 62 + ".") * 4 + "d", "a_b.example.com", "-a-.example.com"])
def test_a_host_that_a_dns_could_have_is_accepted(host: str) -> None:
    assert f"https://{host}/" == normalise_url(host, OWN_ADDRESSES)


@given(odd_urls())
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
    assert is_host(host_of(url))
    assert is_public(host_of(url))
    assert len(with_parents(host_of(url))) <= 100
