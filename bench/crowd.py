"""Visitors and their clicks: 1,000 user agents, countries, referrers and sources, some much commoner than others.

What real visitors send differs from link to link; these are as many as fill caches and counters.
"""

import random
import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import accumulate, product
from typing import Generic, TypeVar

from chalicelib.clicks.click import Click
from chalicelib.clicks.dimensions import COUNTRIES, KNOWN_HOSTS

Value = TypeVar("Value")

USER_AGENTS = 1000
ROBOTS = 0.1
"""The part of all clicks that are a robot's."""
NO_REFERRER, KNOWN_REFERRER = 0.4, 0.3
"""The parts of all clicks; the rest comes from sites of which each is little known."""
SITES = 2000
SOURCE = 0.2
"""The part of all clicks of which the short link says where it was put."""
SOURCES = ("newsletter", "qr", "x", "linkedin", "facebook", "instagram", "podcast", "flyer", "partner", "spring-2026")

_ANDROIDS = ("10; K", "13; SM-A536B", "14; SM-S918B", "14; Pixel 8", "15; Pixel 9 Pro", "12; M2101K6G", "13; 22101316G",
             "11; CPH2195", "12; RMX3363", "14; SM-A546E")  # fmt: skip
_DESKTOPS = ("Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X 10_15_7", "X11; Linux x86_64",
             "X11; CrOS x86_64 14541.0.0")  # fmt: skip
_IOS = ("15_8", "16_3_1", "16_7_10", "17_2", "17_4_1", "17_6_1", "18_1_1", "18_3_2", "18_5", "18_6")
_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
_APPLE = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
_CHROMES = [f"{major}.0.0.0" for major in range(112, 142)]
_BUILDS = [f"{major}.0.{6000 + 9 * major}.{patch}" for major in range(120, 142) for patch in (54, 108)]

_FAMILIES = [
    (f"Mozilla/5.0 (Linux; Android {android}) {_WEBKIT} Chrome/{chrome} Mobile Safari/537.36"
     for chrome, android in product(_CHROMES, _ANDROIDS)),
    (f"Mozilla/5.0 (iPhone; CPU iPhone OS {ios} like Mac OS X) {_APPLE} Version/{ios.replace('_', '.')} "
     f"Mobile/15E{build} Safari/604.1" for build, ios in product(range(148, 158), _IOS)),
    (f"Mozilla/5.0 ({desktop}) {_WEBKIT} Chrome/{chrome} Safari/537.36"
     for chrome, desktop in product(_CHROMES, _DESKTOPS)),
    (f"Mozilla/5.0 ({desktop}) {_WEBKIT} Chrome/{chrome} Safari/537.36 Edg/{chrome}"
     for chrome, desktop in product(_CHROMES, _DESKTOPS[:2])),
    (f"Mozilla/5.0 ({desktop}; rv:{version}.0) Gecko/20100101 Firefox/{version}.0"
     for version, desktop in product(range(115, 146), _DESKTOPS[:3])),
    (f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {_APPLE} Version/{major}.{minor} Safari/605.1.15"
     for major, minor in product((16, 17, 18), range(7))),
    (f"Mozilla/5.0 (Linux; Android {android}) {_WEBKIT} SamsungBrowser/{version}.0 Chrome/{chrome} Mobile Safari/537.36"
     for (version, chrome), android in product(zip(range(18, 29), _CHROMES, strict=False), _ANDROIDS[:4])),
    (f"Mozilla/5.0 (iPhone; CPU iPhone OS {ios} like Mac OS X) {_APPLE} Mobile/15E148 "
     f"[FBAN/FBIOS;FBAV/{500 + build}.0.0.33.106;FBBV/7{build}15;FBDV/iPhone14,5;FBMD/iPhone;FBSN/iOS;FBLC/de_DE]"
     for build, ios in product(range(9), _IOS)),
    (f"Mozilla/5.0 (Linux; Android {android}; wv) {_WEBKIT} Version/4.0 Chrome/{build} Mobile Safari/537.36 "
     f"Instagram 3{number}.0.0.34.111 Android (34/14; 450dpi; 1080x2340)"
     for number, (build, android) in enumerate(product(_BUILDS, _ANDROIDS[1:]))),
    (f"Mozilla/5.0 (Linux; Android {android}; wv) {_WEBKIT} Version/4.0 Chrome/{build} Mobile Safari/537.36"
     for build, android in product(_BUILDS, _ANDROIDS[1:])),
    (f"Mozilla/5.0 ({desktop}) {_WEBKIT} Chrome/{chrome} Safari/537.36 OPR/{version}.0.0.0"
     for (version, chrome), desktop in product(zip(range(98, 122), _CHROMES, strict=False), _DESKTOPS[:2])),
    (f"Mozilla/5.0 (iPad; CPU OS {ios} like Mac OS X) {_APPLE} CriOS/{build} Mobile/15E148 Safari/604.1"
     for build, ios in product(_BUILDS[:8], _IOS)),
]  # fmt: skip
CRAWLERS = [
    *(f"Mozilla/5.0 (compatible; {name}; +https://example.com/bot)" for name in
      ("Googlebot/2.1", "bingbot/2.0", "AhrefsBot/7.0", "SemrushBot/7~bl", "YandexBot/3.0", "Applebot/0.1",
       "GPTBot/1.2", "DotBot/1.2", "PetalBot", "MJ12bot/v1.4.8")),
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", "TelegramBot (like TwitterBot)", "Twitterbot/1.0",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", "WhatsApp/2.23.20.0",
    "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)", "curl/8.7.1",
    "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)", "python-requests/2.32.3", "Go-http-client/2.0",
]  # fmt: skip


def _in_turns(families: Iterable[Iterable[str]], most: int) -> Iterator[str]:
    """The first of each, then the second of each, as far as there are any."""
    left = [iter(family) for family in families]
    while left and most > 0:
        for family in [*left]:
            if (user_agent := next(family, None)) is None:
                left.remove(family)
            elif most > 0:
                most -= 1
                yield user_agent


BROWSERS = [*_in_turns(_FAMILIES, USER_AGENTS - len(CRAWLERS))]


class Crowd:
    """Whoever clicks; the same numbers make the same visitors."""

    def __init__(self, random_numbers: random.Random) -> None:
        self._random = random_numbers
        self._browsers = Zipf(BROWSERS)
        self._robots = Zipf(CRAWLERS)
        self._countries = Zipf(["US", "DE", "FR", "GB", "IN", "BR", "JP", "ES", "IT", "NL", *sorted(COUNTRIES)])
        self._known = Zipf(sorted(KNOWN_HOSTS))
        self._sites = Zipf([f"www.site-{number:04}.example.com" for number in range(SITES)])
        self._sources = Zipf(SOURCES)

    def click(self, code: str, occurred_at: datetime) -> Click:
        """A click on a link."""
        random_numbers = self._random
        agents = self._robots if random_numbers.random() < ROBOTS else self._browsers
        return Click(
            v=1,
            id=uuid.UUID(int=random_numbers.getrandbits(128), version=4),
            code=code,
            occurred_at=occurred_at,
            referrer=self._referrer(),
            user_agent=agents.draw(random_numbers),
            country=self._countries.draw(random_numbers),
            utm_source=self._sources.draw(random_numbers) if random_numbers.random() < SOURCE else None,
        )

    def _referrer(self) -> str | None:
        number = self._random.random()
        if number < NO_REFERRER:
            return None
        hosts = self._known if number < NO_REFERRER + KNOWN_REFERRER else self._sites
        return f"https://{hosts.draw(self._random)}/a/page/{self._random.randrange(1000)}"


class Zipf(Generic[Value]):
    """Values of which the n-th is drawn 1/n times as often as the first."""

    def __init__(self, values: Iterable[Value]) -> None:
        self._values = [*values]
        self._weights = [*accumulate(1 / rank for rank in range(1, len(self._values) + 1))]

    def draw(self, random_numbers: random.Random) -> Value:
        """One of them."""
        return random_numbers.choices(self._values, cum_weights=self._weights)[0]
