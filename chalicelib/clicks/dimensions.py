"""What a click is broken down by: who visited, from where, by what. Nothing here calls AWS.

Values come from what visitors send, so anybody can invent them. Those of closed lists are on them; open ones, which
become names of a counter's attributes, are at most 64 bytes of UTF-8.
"""

import re
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import ada_url

from chalicelib.clicks.click import Click
from chalicelib.clicks.message import LONGEST_VALUE, cut
from chalicelib.links.hosts import is_host
from chalicelib.robots import LONGEST_USER_AGENT, MOST_REMEMBERED, is_robot

if TYPE_CHECKING:
    from ua_parser.basic import Resolver

UNKNOWN = ""
"""The visitor did not say."""
OTHER = "*"
"""The visitor said something that is on none of our lists."""

_BROWSERS = {
    "Amazon Silk": ("Amazon Silk",),
    "Android Browser": ("Android",),
    "Android WebView": ("Chrome Mobile WebView",),  # in an app that does not say which it is
    "Chrome": ("Chrome", "Chrome Mobile", "Chrome Mobile iOS", "Chromium"),
    "DuckDuckGo": ("DuckDuckGo", "DuckDuckGo Mobile"),
    "Edge": ("Edge", "Edge Mobile"),
    "Facebook": ("Facebook", "Facebook Messenger"),
    "Firefox": ("Firefox", "Firefox Mobile", "Firefox iOS", "Firefox Alpha", "Firefox Beta"),
    "Google": ("Google",),
    "Huawei Browser": ("Huawei Browser",),
    "Instagram": ("Instagram",),
    "Internet Explorer": ("IE", "IE Mobile", "IE Large Screen"),
    "iOS WebView": ("Mobile Safari UI/WKWebView",),
    "LINE": ("LINE",),
    "MIUI Browser": ("MiuiBrowser",),
    "Opera": ("Opera", "Opera Coast", "Opera GX", "Opera Mini", "Opera Mobile", "Opera Neon", "Opera Touch"),
    "Pinterest": ("Pinterest",),
    "QQ Browser": ("QQ Browser", "QQ Browser Mini", "QQ Browser Mobile"),
    "Safari": ("Safari", "Mobile Safari"),
    "Samsung Internet": ("Samsung Internet",),
    "Snapchat": ("Snapchat",),
    "TikTok": ("TikTok",),
    "Twitter": ("Twitter",),
    "UC Browser": ("UC Browser",),
    "WeChat": ("WeChat Browser",),
    "Yandex Browser": ("Yandex Browser", "YandexSearch"),
}
_SYSTEMS = {
    "Android": ("Android",),
    "ChromeOS": ("Chrome OS",),
    "HarmonyOS": (),  # which ua-parser takes for Android
    "iOS": ("iOS",),
    "KaiOS": ("KaiOS",),
    "Linux": (
        "Linux", "Arch Linux", "CentOS", "Debian", "Fedora", "Gentoo", "Linux Mint", "Mandriva", "Red Hat", "Slackware",
        "SUSE", "Ubuntu",
    ),
    "macOS": ("Mac OS X", "Mac OS"),
    "Tizen": ("Tizen",),
    "webOS": ("webOS", "Web0S"),
    "Windows": ("Windows",),
    "Windows Phone": ("Windows Phone",),
}  # fmt: skip
"""Our names, and what ua-parser calls them: its families, of which it has hundreds."""

_BROWSER_OF = {family: name for name, families in _BROWSERS.items() for family in families}
_SYSTEM_OF = {family: name for name, families in _SYSTEMS.items() for family in families}

BROWSERS = frozenset(_BROWSERS)
SYSTEMS = frozenset(_SYSTEMS)
DEVICES = frozenset({"desktop", "mobile", "tablet"})

# The officially assigned codes of ISO 3166-1, as the package iso3166 3.0.0 on PyPI has them; and XK, Kosovo, which is
# among those that ISO leaves to its users, and in use.
COUNTRIES = frozenset(
    """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC
    CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD
    GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH
    KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW
    MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC
    SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY
    UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW
    """.split()  # noqa: SIM905 (a list would fill a screen)
)

KNOWN_HOSTS = frozenset(
    """
    baidu.com bing.com duckduckgo.com google.com search.brave.com search.yahoo.com yandex.ru
    chatgpt.com perplexity.ai
    facebook.com l.facebook.com lm.facebook.com m.facebook.com instagram.com l.instagram.com t.co x.com linkedin.com
    pinterest.com reddit.com tiktok.com youtube.com bsky.app vk.com
    mail.google.com com.google.android.gm t.me web.whatsapp.com discord.com
    news.ycombinator.com github.com medium.com
    """.split()  # noqa: SIM905 (a list would fill a screen)
)
"""Hosts that many visitors come from: search, chats with machines, social networks, mail, chats, news."""


class Dimensions(NamedTuple):
    """A value of each dimension."""

    robot: bool
    country: str
    """A code of COUNTRIES, OTHER or UNKNOWN."""
    browser: str
    """A name of BROWSERS, OTHER or UNKNOWN. This and the next two are UNKNOWN of a robot, since nobody asks."""
    os: str
    """A name of SYSTEMS, OTHER or UNKNOWN."""
    device: str
    """One of DEVICES, or UNKNOWN."""
    referrer: str
    """A host in lower case, without `www.`, at most 64 bytes; or UNKNOWN."""
    utm_source: str
    """In lower case, at most 64 bytes; or UNKNOWN."""


def dimensions_of(click: Click) -> Dimensions:
    """What a click counts for: whatever is in it, something that a counter can hold."""
    robot = is_robot(click.user_agent)
    browser, system, device = (UNKNOWN,) * 3 if robot else _device_of((click.user_agent or "")[:LONGEST_USER_AGENT])
    return Dimensions(
        robot=robot,
        country=(click.country if click.country in COUNTRIES else OTHER) if click.country else UNKNOWN,
        browser=browser,
        os=system,
        device=device,
        referrer=_host_of(click.referrer or ""),
        utm_source=_source(click.utm_source or ""),
    )


def forget() -> None:
    """Forget which user agents and referrers were looked at."""
    _device_of.cache_clear()
    _host_of.cache_clear()


@lru_cache(MOST_REMEMBERED)
def _device_of(user_agent: str) -> tuple[str, str, str]:
    """Browser, system and device."""
    from ua_parser.core import Domain  # noqa: PLC0415 (it takes longer than all else that counts a click)

    if not user_agent:
        return UNKNOWN, UNKNOWN, UNKNOWN
    browser = system = OTHER
    with suppress(ValueError):  # ua-parser's, of a system whose name it does not find: no click is worth less for it
        found = _parser()(user_agent, Domain.USER_AGENT | Domain.OS)
        browser = _BROWSER_OF.get(found.user_agent.family, OTHER) if found.user_agent else OTHER
        system = _SYSTEM_OF.get(found.os.family, OTHER) if found.os else OTHER
    if "HarmonyOS" in user_agent or "OpenHarmony" in user_agent:
        system = "HarmonyOS"
    return browser, system, _kind(user_agent, system)


@lru_cache(1)
def _parser() -> "Resolver":
    # Its own choice would be that of a Rust extension, where one is installed; and all patterns compiled at once.
    from ua_parser.basic import Resolver  # noqa: PLC0415 (as above)
    from ua_parser.loaders import load_lazy_builtins  # noqa: PLC0415

    return Resolver(load_lazy_builtins())


_OF_NO_KIND = re.compile(
    r"TV(?![A-Za-z])|CE-HTML|HbbTV|Web0S|BRAVIA|AFT[A-Z]|CrKey|Roku"  # televisions
    r"|PlayStation|Xbox|Nintendo|Quest|Watch"
    r"|Dalvik"  # an app that leaves out all but Android, on a telephone too
)
_TABLET = re.compile(r"iPad|Tablet(?! PC)|Kindle|\bKF[A-Z]{2,}|PlayBook")
_MOBILE = re.compile(r"Mobi|iPhone|iPod|Phone|MIDP|Opera Mini|BlackBerry|BB10|Symb|Nokia|KAIOS")


def _kind(user_agent: str, system: str) -> str:
    if _OF_NO_KIND.search(user_agent):
        return UNKNOWN
    if _TABLET.search(user_agent):
        return "tablet"
    if _MOBILE.search(user_agent):
        return "mobile"
    # On a tablet, Android's browsers leave out `Mobile`: https://developer.chrome.com/docs/multidevice/user-agent
    return {
        "Android": "tablet",
        "ChromeOS": "desktop",
        "HarmonyOS": "desktop",
        "Linux": "desktop",
        "macOS": "desktop",
        "Windows": "desktop",
    }.get(system, UNKNOWN)


@lru_cache(MOST_REMEMBERED)
def _host_of(referrer: str) -> str:
    """The host, without `www.` and port; the last 64 bytes of a longer one, which say whose it is."""
    try:
        host = ada_url.URL(referrer).hostname
    except ValueError:
        return UNKNOWN
    host = host.lower().removesuffix(".").removeprefix("www.")
    return host[-LONGEST_VALUE:] if is_host(host) else UNKNOWN


def _source(utm_source: str) -> str:
    source = cut(utm_source.lower())
    return UNKNOWN if source == OTHER else source
