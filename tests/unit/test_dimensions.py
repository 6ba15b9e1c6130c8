"""What a click is broken down by."""

import time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bench.hostile import USER_AGENTS as HOSTILE
from chalicelib.clicks import dimensions
from chalicelib.clicks.dimensions import (
    BROWSERS,
    COUNTRIES,
    DEVICES,
    KNOWN_HOSTS,
    OTHER,
    SYSTEMS,
    UNKNOWN,
    Dimensions,
    dimensions_of,
)
from tests.builders import a_click

WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
BLINK = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0"
IPHONE = f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) {WEBKIT}"
ANDROID = f"Mozilla/5.0 (Linux; Android 14; SM-S918B) {BLINK}"
WINDOWS = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {BLINK} Safari/537.36"
MAC = f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT}"

NOTHING = Dimensions(robot=False, country="", browser="", os="", device="", referrer="", utm_source="")


def test_a_click_that_says_nothing_is_unknown() -> None:
    assert NOTHING == dimensions_of(a_click())


def test_a_click_that_says_all() -> None:
    click = a_click(
        referrer="https://www.News.example/today", user_agent=WINDOWS, country="DE", utm_source=" Newsletter "
    )

    assert Dimensions(
        robot=False,
        country="DE",
        browser="Chrome",
        os="Windows",
        device="desktop",
        referrer="news.example",
        utm_source="newsletter",
    ) == dimensions_of(click)


def test_nobody_asks_what_browser_a_robot_is() -> None:
    click = a_click(user_agent=f"{WINDOWS} Googlebot/2.1", country="US", referrer="https://news.example/")

    assert NOTHING._replace(robot=True, country="US", referrer="news.example") == dimensions_of(click)


@pytest.mark.parametrize(
    ("user_agent", "browser", "system", "device"),
    [
        (WINDOWS, "Chrome", "Windows", "desktop"),
        (f"{WINDOWS} Edg/126.0.0.0", "Edge", "Windows", "desktop"),
        (f"{WINDOWS} OPR/112.0.0.0", "Opera", "Windows", "desktop"),
        (f"{WINDOWS} Vivaldi/6.8", OTHER, "Windows", "desktop"),
        ("Mozilla/5.0 (Windows NT 10.0; Trident/7.0; rv:11.0) like Gecko", "Internet Explorer", "Windows", "desktop"),
        (
            "Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Tablet PC 2.0)",
            "Internet Explorer",
            "Windows",
            "desktop",
        ),
        (f"{MAC} Version/17.5 Safari/605.1.15", "Safari", "macOS", "desktop"),
        (f"{MAC} Version/17.5 Safari/605.1.15 Ddg/17.5", "DuckDuckGo", "macOS", "desktop"),
        ("Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:127.0) Gecko Firefox/127.0", "Firefox", "Linux", "desktop"),
        (f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {BLINK} Safari/537.36", "Chrome", "ChromeOS", "desktop"),
        (f"Mozilla/5.0 (X11; FreeBSD amd64) {BLINK} Safari/537.36", "Chrome", OTHER, UNKNOWN),
        (f"{IPHONE} Version/17.5 Mobile/15E148 Safari/604.1", "Safari", "iOS", "mobile"),
        (f"{IPHONE} CriOS/126.0.6478.54 Mobile/15E148 Safari/604.1", "Chrome", "iOS", "mobile"),
        (f"{IPHONE} FxiOS/127.0 Mobile/15E148 Safari/605.1.15", "Firefox", "iOS", "mobile"),
        (f"{IPHONE} Version/17.5 EdgiOS/126.0 Mobile/15E148 Safari/604.1", "Edge", "iOS", "mobile"),
        (f"{IPHONE} GSA/320.0.642087186 Mobile/15E148 Safari/604.1", "Google", "iOS", "mobile"),
        (f"{IPHONE} Mobile/15E148", "iOS WebView", "iOS", "mobile"),
        (f"{IPHONE} Mobile/15E148 [FBAN/FBIOS;FBAV/450.0;FBDV/iPhone14,5;FBSN/iOS]", "Facebook", "iOS", "mobile"),
        (f"{IPHONE} Mobile/15E148 Instagram 334.0.4.32.98 (iPhone14,5; iOS 17_5)", "Instagram", "iOS", "mobile"),
        (f"{IPHONE} Mobile/15E148 MicroMessenger/8.0.49 NetType/WIFI Language/en", "WeChat", "iOS", "mobile"),
        (f"{IPHONE} Mobile/15E148 musical_ly_35.1.0 JsSdk/2.0 ByteLocale/en", "TikTok", "iOS", "mobile"),
        (f"{IPHONE} Mobile/15E148 Twitter for iPhone/10.45", "Twitter", "iOS", "mobile"),
        (f"{IPHONE} Mobile/15E148 [Pinterest/iOS]", "Pinterest", "iOS", "mobile"),
        (f"{IPHONE} Mobile/15E148 Snapchat/12.93.0.31 (like Safari/8618.2)", "Snapchat", "iOS", "mobile"),
        (
            f"Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) {WEBKIT} Version/17.5 Mobile/15E148 Safari/604.1",
            "Safari",
            "iOS",
            "tablet",
        ),
        (f"{ANDROID} Mobile Safari/537.36", "Chrome", "Android", "mobile"),
        (f"{ANDROID} Safari/537.36", "Chrome", "Android", "tablet"),
        (f"Mozilla/5.0 (Linux; Android 14; wv) {BLINK} Mobile Safari/537.36", "Android WebView", "Android", "mobile"),
        (f"{ANDROID} Mobile Safari/537.36 Line/14.9.1/IAB", "LINE", "Android", "mobile"),
        (f"{ANDROID} YaBrowser/24.6.0.0.00 SA/3 Mobile Safari/537.36", "Yandex Browser", "Android", "mobile"),
        (f"{ANDROID} SamsungBrowser/25.0 Mobile Safari/537.36", "Samsung Internet", "Android", "mobile"),
        (f"{ANDROID} UCBrowser/13.4.0.1306 Mobile Safari/537.36", "UC Browser", "Android", "mobile"),
        (f"{ANDROID} MQQBrowser/14.0 Mobile Safari/537.36", "QQ Browser", "Android", "mobile"),
        (f"{ANDROID} Mobile Safari/537.36 XiaoMi/MiuiBrowser/14.4.0-g", "MIUI Browser", "Android", "mobile"),
        (
            "Mozilla/5.0 (Linux; U; Android 4.0.3; GT-I9100) AppleWebKit/534.30 Version/4.0 Mobile Safari/534.30",
            "Android Browser",
            "Android",
            "mobile",
        ),
        ("Mozilla/5.0 (Android 14; Mobile; rv:127.0) Gecko/127.0 Firefox/127.0", "Firefox", "Android", "mobile"),
        ("Mozilla/5.0 (Android 14; Tablet; rv:127.0) Gecko/127.0 Firefox/127.0", "Firefox", "Android", "tablet"),
        (
            "Mozilla/5.0 (Linux; Android 11; KFTRWI) AppleWebKit/537.36 Silk/108.4.6 like Chrome/108.0 Safari/537.36",
            "Amazon Silk",
            "Android",
            "tablet",
        ),
        (
            f"Mozilla/5.0 (Linux; HarmonyOS; NOH-AN00) {BLINK} HuaweiBrowser/14.0.5.302 Mobile Safari/537.36",
            "Huawei Browser",
            "HarmonyOS",
            "mobile",
        ),
        (f"Mozilla/5.0 (PC; OpenHarmony 5.0) {BLINK} Safari/537.36 ArkWeb/4.1", "Chrome", "HarmonyOS", "desktop"),
        ("Mozilla/5.0 (Mobile; Nokia_8110_4G; rv:48.0) Firefox/48.0 KAIOS/2.5", "Firefox", "KaiOS", "mobile"),
        (
            f"Mozilla/5.0 (Windows Phone 10.0; Android 6.0.1; Lumia 950) {BLINK} Mobile Safari/537.36 Edge/15.15063",
            "Edge",
            "Windows Phone",
            "mobile",
        ),
        (f"Mozilla/5.0 (SMART-TV; Linux; Tizen 6.0) {BLINK} TV Safari/537.36", "Chrome", "Tizen", UNKNOWN),
        (f"Mozilla/5.0 (Web0S; Linux/SmartTV) {BLINK} Safari/537.36", "Chrome", "webOS", UNKNOWN),
        ("Dalvik/2.1.0 (Linux; U; Android 6.0.1; 6055K Build/MMB29M)", "Android Browser", "Android", UNKNOWN),
        ("Mozilla/5.0 (what nobody has heard of) Gecko", OTHER, OTHER, UNKNOWN),
    ],
)  # fmt: skip
def test_a_browser_on_a_system_on_a_device(user_agent: str, browser: str, system: str, device: str) -> None:
    expected = NOTHING._replace(browser=browser, os=system, device=device)

    assert expected == dimensions_of(a_click(user_agent=user_agent))


@pytest.mark.parametrize(
    ("country", "value"),
    [("DE", "DE"), ("XK", "XK"), ("T1", OTHER), ("XX", OTHER), ("ZZ", OTHER), ("EU", OTHER), (None, UNKNOWN)],
)
def test_a_country_is_one_of_isos(country: str | None, value: str) -> None:
    assert value == dimensions_of(a_click(country=country)).country


def test_there_are_249_countries_and_kosovo() -> None:
    assert 249 == len(COUNTRIES - {"XK"})


@pytest.mark.parametrize(
    ("referrer", "host"),
    [
        ("https://news.example/today", "news.example"),
        ("https://WWW.News.Example/", "news.example"),
        ("https://www.news.example:8443/", "news.example"),
        ("https://news.example./", "news.example"),
        ("https://www.example.", "example"),
        ("https://wwww.example/", "wwww.example"),
        ("https://straße.example/", "xn--strae-oqa.example"),
        ("http://192.0.2.1/", "192.0.2.1"),
        ("http://0xC0000201/", "192.0.2.1"),
        ("http://[2001:DB8::1]/", "[2001:db8::1]"),
        ("android-app://com.google.android.gm/", "com.google.android.gm"),
        ("ANDROID-APP://COM.Example.App/", "com.example.app"),
        (f"https://{'a' * 60}.news.example/", f"{'a' * 51}.news.example"),
        ("https://*/", UNKNOWN),
        ("https://%2a/", UNKNOWN),
        ("app://*/", UNKNOWN),
        ("app:///", UNKNOWN),
        ("app://a%20b/", UNKNOWN),
        ("https://a b/", UNKNOWN),
        ("https:///", UNKNOWN),
        ("no address", UNKNOWN),
        ("", UNKNOWN),
        (None, UNKNOWN),
    ],
)
def test_a_referrer_is_a_host(referrer: str | None, host: str) -> None:
    assert host == dimensions_of(a_click(referrer=referrer)).referrer


@pytest.mark.parametrize("host", sorted(KNOWN_HOSTS))
def test_a_known_host_is_what_a_referrer_becomes(host: str) -> None:
    assert host == dimensions_of(a_click(referrer=f"https://{host}/")).referrer


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ("newsletter", "newsletter"),
        ("  NewsLetter\t", "newsletter"),
        ("spring sale", "spring sale"),
        ("ÄÖ", "äö"),
        ("a\x00b\nc\u200bd", "abcd"),
        ("é" * 40, "é" * 32),
        ("\u0130" * 32, "i\u0307" * 21 + "i"),  # longer in lower case
        ("x" * 63 + " y", "x" * 63),
        ("*", UNKNOWN),
        (" * ", UNKNOWN),
        ("**", "**"),
        ("\x00", UNKNOWN),
        (" ", UNKNOWN),
        ("", UNKNOWN),
        (None, UNKNOWN),
    ],
)
def test_a_source_is_in_lower_case_and_short(given: str | None, value: str) -> None:
    assert value == dimensions_of(a_click(utm_source=given)).utm_source


anything = (
    st.none() | st.text(st.characters(), max_size=80) | st.text("*.wW:/[]@%\x00\ud800é\U0001f4a9 bot", max_size=80)
)


@given(
    referrer=anything | anything.map("https://{}".format) | anything.map("app://{}".format),
    user_agent=anything | anything.map(f"{ANDROID} {{}}".format),
    country=anything,
    utm_source=anything,
)
@example(referrer="https://*", user_agent="*", country="*", utm_source="*")
def test_whatever_is_in_a_click_a_counter_can_hold_what_it_counts_for(**given: Any) -> None:
    found = dimensions_of(a_click(**given))

    assert found.country in COUNTRIES | {OTHER, UNKNOWN}
    assert found.browser in BROWSERS | {OTHER, UNKNOWN}
    assert found.os in SYSTEMS | {OTHER, UNKNOWN}
    assert found.device in DEVICES | {UNKNOWN}
    for open_value in (found.referrer, found.utm_source):
        assert len(open_value.encode()) <= 64
        assert open_value == open_value.strip().lower() != OTHER
        assert open_value.isprintable()


def test_no_user_agent_takes_long() -> None:
    """A hundred times what was measured, since machines are busy; exponential patterns would take for ever."""
    dimensions_of(a_click(user_agent="Mozilla/5.0 (compiled"))
    for user_agent in HOSTILE:
        began = time.process_time()
        dimensions_of(a_click(user_agent=user_agent))
        assert time.process_time() - began < 0.5, user_agent


def test_a_click_counts_when_ua_parser_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def give_up(*_: Any) -> None:
        raise ValueError

    monkeypatch.setattr(dimensions, "_parser", lambda: give_up)

    found = dimensions_of(a_click(user_agent="Mozilla/5.0 (nobody else asks about this one)"))

    assert NOTHING._replace(browser=OTHER, os=OTHER) == found


def test_no_name_can_be_taken_for_another() -> None:
    assert not {OTHER, UNKNOWN} & (BROWSERS | SYSTEMS | DEVICES | COUNTRIES | KNOWN_HOSTS)
