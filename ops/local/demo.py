"""`python -m ops demo`: believable links on the local stack, and a season of clicks on them.

The links are stored and announced like any others, but for their past; the clicks are counted by the recorder itself,
which gets them in batches, as Lambda would hand them over. What is made up for a link and a day depends on both and on
nothing else, ids included: so a second run counts nothing twice, and one on another day adds what has been missing.
"""

import logging
import math
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from random import Random
from typing import Annotated, Any

import typer
from rich.progress import track

from chalicelib import clock
from chalicelib.clicks.click import Click, encode
from chalicelib.clicks.message import UTM
from chalicelib.clicks.recorder import record_clicks
from chalicelib.deliveries import BatchFailed
from chalicelib.links.link import Link
from chalicelib.links.status import Status
from chalicelib.links.store import insert_link, read_link
from chalicelib.observability import logger
from chalicelib.problems import CodeTaken
from ops.shared.errors import OperatorError
from ops.shared.stages import LOCAL, connect, run_file

DAYS = 89
"""Today and the days before it that a click may still be counted for (CLICK_RETENTION_DAYS is 90)."""

BATCH = 495
"""Clicks that the recorder gets at once, as app.py has it."""

MOST_TRIES = 10
"""Of a batch: the stack is busy at first, announcing the links."""

PAUSE = 0.1
"""Seconds between two links: the emulated AWS starts a process for each event that it is at work on."""

LINKS = 200

OWNER = "user"
"""Whose links they are: the owner of the user's key of `make run`."""


class DemoFailed(OperatorError):
    """The recorder has not counted some of the clicks."""


@dataclass(frozen=True)
class Subject:
    """What a link is about, by which its clicks follow."""

    code: str
    url: str
    title: str
    tags: tuple[str, ...]
    age: int
    """Days since it was made."""
    clicks_a_day: float
    """On an ordinary day, when it is in use."""
    fades: float = 0
    """Days in which the interest in it falls to a third; 0 if it does not."""
    peaks: tuple[int, ...] = ()
    """Days ago on which many more came."""


def demo(
    links: Annotated[int, typer.Option(min=1, max=LINKS, help="How many links to make.")] = LINKS,
    days: Annotated[int, typer.Option(min=1, max=DAYS, help="For how many days there are clicks.")] = DAYS,
) -> None:
    """Fill the local stack with believable links, and clicks of the last 89 days. A second run adds nothing twice."""
    connect(LOCAL)
    logger.setLevel(logging.ERROR)  # that a batch is tried again, nobody needs to know
    now = clock.now()
    made = [(subject, _link(subject, now)) for subject in track(_subjects()[:links], "links", transient=True)]
    clicks = sorted(
        (click for subject, link in made for click in _clicks(subject, link, now, days)),
        key=lambda click: (click.code, click.occurred_at),  # many of one link and day cost one counter
    )
    for first in track(range(0, len(clicks), BATCH), f"{len(clicks):,} clicks", transient=True):
        _count(clicks[first : first + BATCH])
    page = f"{run_file().get('url', '')}/ui"
    print(f"{len(made)} links of {OWNER!r} and {len(clicks):,} clicks are there. Look at them: {page}")


def _link(subject: Subject, now: datetime) -> Link:
    """The link about this, made now unless it is there."""
    draw = Random(subject.code)  # noqa: S311 (nothing hangs on it)
    moment = _rounded(now - timedelta(days=subject.age, minutes=draw.randrange(1, 600)))
    link = Link(
        code=subject.code,
        url=subject.url,
        owner=OWNER,
        version=1,
        status=Status.ACTIVE,
        created_at=moment,
        updated_at=moment,
        title=subject.title,
        tags=subject.tags,
        **_more(subject.code, now),
    )
    with suppress(CodeTaken):
        stored = insert_link(link)
        clock.sleep(PAUSE)
        return stored
    return read_link(subject.code)


def _rounded(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _count(clicks: Sequence[Click]) -> None:
    """Have the recorder count these, as Lambda does with what it takes from the queue."""
    records = [
        {
            "messageId": str(click.id),
            "receiptHandle": str(click.id),
            "attributes": {"ApproximateReceiveCount": "1"},
            "body": encode(click),
        }
        for click in clicks
    ]
    for attempt in range(1, MOST_TRIES + 1):
        with suppress(BatchFailed):
            failed = {
                each["itemIdentifier"] for each in record_clicks({"Records": records}, _Context())["batchItemFailures"]
            }
            records = [record for record in records if record["messageId"] in failed]
        if not records:
            return
        clock.back_off(attempt)
    raise DemoFailed(f"{len(records)} clicks were not counted. Is the local stack well? See its log.")


class _Context:
    """Lambda's, of a recorder that has all the time that it has in AWS."""

    function_name = "linkly-local-record_clicks"
    aws_request_id = "demo"

    def get_remaining_time_in_millis(self) -> int:
        return 19_000


# The clicks


def _clicks(subject: Subject, link: Link, now: datetime, days: int) -> Iterator[Click]:
    """The clicks on a link of the last days."""
    today = now.date()
    for back in range(days):
        day = today - timedelta(days=back)
        old = (day - link.created_at.date()).days
        if old < 0:
            return
        draw = Random(f"{link.code} {day}")  # noqa: S311
        weekend = 0.55 if day.weekday() >= 5 else 1
        interest = math.exp(-old / subject.fades) if subject.fades else 1
        peak = 6 if back in subject.peaks else 1
        expected = subject.clicks_a_day * weekend * interest * peak * draw.uniform(0.7, 1.3)
        for _ in range(int(expected + draw.random())):
            moment = datetime.combine(day, time(tzinfo=UTC)) + timedelta(hours=_hour(draw), seconds=draw.random())
            click = _click(subject, link.code, moment, draw)
            if link.created_at <= moment <= now:
                yield click


def _hour(draw: Random) -> float:
    """An hour of the day, in UTC: most people are up in Europe, and some in America."""
    peak, spread = draw.choices(((9.5, 2.5), (14, 3), (20, 2.5), (2, 3)), (4, 5, 4, 1))[0]
    return draw.gauss(peak, spread) % 24


def _click(subject: Subject, code: str, moment: datetime, draw: Random) -> Click:
    given: dict[str, Any] = {"referrer": None, "user_agent": None, "country": None}
    if draw.random() > 0.06:  # the others ask not to be followed
        printed = "print" in subject.tags or "qr" in subject.tags
        agents = ROBOTS if draw.random() < 0.11 else PHONES if printed or draw.random() < 0.55 else COMPUTERS
        given["user_agent"] = _one_of(draw, agents)
        given["country"] = _one_of(draw, COUNTRIES)
        if not printed:
            given["referrer"] = _one_of(draw, REFERRERS)
        source = "qr" if printed else "newsletter" if "newsletter" in subject.tags else _one_of(draw, SOURCES)
        if source and draw.random() < 0.9:
            given[UTM[0]] = source
    return Click(
        v=1, id=uuid.UUID(int=draw.getrandbits(128), version=4), code=code, occurred_at=_rounded(moment), **given
    )


def _one_of(draw: Random, values: Mapping[Any, float]) -> Any:
    return draw.choices([*values], [*values.values()])[0]


COUNTRIES: Mapping[str | None, float] = {
    "DE": 31, "AT": 12, "CH": 11, "US": 13, "GB": 9, "NL": 6, "FR": 6, "IT": 3, "PL": 3, "ES": 2, "SE": 2, "DK": 2,
    "CZ": 2, "IN": 2, "BR": 1, "CA": 1, "JP": 1, "AU": 1, None: 2,
}  # fmt: skip

REFERRERS: Mapping[str | None, float] = {
    None: 34,
    "https://www.google.com/": 18,
    "https://l.instagram.com/": 12,
    "https://www.linkedin.com/feed/": 8,
    "https://t.co/abc": 6,
    "https://news.ycombinator.com/": 5,
    "https://duckduckgo.com/": 4,
    "https://www.reddit.com/r/coffee/": 4,
    "https://bsky.app/": 3,
    "https://blog.example.net/roasting": 3,
    "https://m.facebook.com/": 3,
    "https://www.bing.com/": 2,
    "https://city.example.org/markets": 2,
    "https://chatgpt.com/": 2,
}

SOURCES: Mapping[str | None, float] = {
    None: 60,
    "instagram": 14,
    "linkedin": 9,
    "partner": 6,
    "poster": 5,
    "podcast": 3,
}

_IOS = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
_ANDROID = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko)"
_WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
_MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit"

PHONES: Mapping[str, float] = {
    f"{_IOS} Version/18.6 Mobile/15E148 Safari/604.1": 42,
    f"{_ANDROID} Chrome/141.0.0.0 Mobile Safari/537.36": 34,
    f"{_ANDROID} SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36": 9,
    f"{_IOS} Mobile/15E148 Instagram 390.0.0.0": 8,
    "Mozilla/5.0 (Android 15; Mobile; rv:143.0) Gecko/143.0 Firefox/143.0": 4,
    "Mozilla/5.0 (iPad; CPU OS 17_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.7 Mobile/15E148 "
    "Safari/604.1": 5,
}
COMPUTERS: Mapping[str, float] = {
    f"{_WINDOWS} Chrome/141.0.0.0 Safari/537.36": 38,
    f"{_MAC}/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15": 18,
    f"{_MAC}/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36": 16,
    f"{_WINDOWS} Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0": 12,
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0": 8,
    "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0": 6,
    f"{_WINDOWS} Chrome/140.0.0.0 Safari/537.36 OPR/124.0.0.0": 2,
}
ROBOTS: Mapping[str, float] = {
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)": 5,
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)": 3,
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)": 2,
    "curl/8.14.1": 1,
}


# The links: those of a coffee roastery

KNOWN = """
menu        |420|34 |0 |     |print, café       |shop.example.com/cafe/menu.pdf        |Café menu, on every table
spring      |38 |90 |14|36   |campaign          |shop.example.com/collections/spring   |Spring collection
brew-guide  |230|26 |0 |21 20|learn             |learn.example.com/guides/pour-over    |Pour-over guide
jobs        |310|6  |0 |9    |team              |jobs.example.com                      |Open positions
market      |150|12 |0 |     |print, events     |city.example.org/markets/saturday     |Find us on the market
podcast     |190|17 |0 |     |podcast           |podcasts.example.com/first-crack      |First Crack, our podcast
wholesale   |120|5  |0 |     |sales             |shop.example.com/wholesale?utm_campaign=deck|Wholesale price list
tasting     |24 |44 |9 |3    |events, newsletter|events.example.org/tasting-evening    |Tasting evening
gift        |75 |11 |0 |     |campaign          |shop.example.com/gift-cards           |Gift cards
repair      |260|4  |0 |     |help              |help.example.com/grinder-repair       |Send in a grinder
black-friday|5  |0  |0 |     |campaign          |shop.example.com/black-friday         |Black Friday
summer      |88 |30 |20|     |campaign          |shop.example.com/collections/summer   |Summer sale
old-menu    |400|1.2|90|     |print             |shop.example.com/cafe/menu-old.pdf    |Last year's menu
app-ios     |95 |9  |0 |     |app               |apps.example.com/ios?lang=en          |The app, for iPhones
"""
"""Code, age in days, clicks a day, how fast it fades, days ago with a peak, tags, url, title."""


def _more(code: str, now: datetime) -> dict[str, Any]:
    """The fields of a link that are not usual."""
    match code:
        case "black-friday":
            return {"starts_at": _rounded(now + timedelta(days=3)), "expires_at": _rounded(now + timedelta(days=7))}
        case "summer":
            return {"expires_at": _rounded(now - timedelta(days=20)), "expired_url": "https://shop.example.com/"}
        case "old-menu":
            return {"enabled": False}
        case "app-ios":
            return {"forward_query": True}
    return {}


def _subjects() -> list[Subject]:
    """What there are links about: first those that everybody knows, then the rest, with few clicks each."""
    draw = Random(7)  # noqa: S311
    return [*_known(), *_issues(), *_posters(draw), *_goods(draw)][:LINKS]


def _known() -> Iterator[Subject]:
    for line in KNOWN.strip().splitlines():
        code, age, clicks, fades, peaks, tags, url, title = map(str.strip, line.split("|"))
        days = tuple(map(int, peaks.split()))
        yield Subject(code, f"https://{url}", title, tuple(tags.split(", ")), int(age), float(clicks), int(fades), days)


def _issues() -> Iterator[Subject]:
    for number in range(48, 8, -1):
        url, title = f"https://news.example.com/issues/{number}", f"Newsletter, issue {number}"
        yield Subject(f"news-{number}", url, title, ("newsletter",), 7 * (48 - number) + 1, 120, 1.6)


def _posters(draw: Random) -> Iterator[Subject]:
    towns = "Berlin Hamburg Köln Leipzig Wien Graz Zürich Basel Bern Utrecht Lyon Praha".split()  # noqa: SIM905
    for number in range(60):
        place = f"{'station' if number % 2 else 'tram stop'} {number // 12 + 1}"
        yield Subject(
            f"poster-{number + 1:02}",
            f"https://shop.example.com/stores/{number % 12 + 1}?poster={number + 1}",
            f"Poster in {towns[number % 12]}, {place}",
            ("print", "qr"),
            draw.randrange(10, 200),
            draw.uniform(0.2, 2.5),
        )


def _goods(draw: Random) -> Iterator[Subject]:
    beans = "Yirgacheffe Huila Sidamo Antigua Mantiqueira Kirinyaga Nyeri Tarrazu Lintong Sumatra".split()  # noqa: SIM905
    styles = ("filter", "espresso", "decaf", "green", "gift box", "subscription", "sample", "tin", "capsules")
    for style in styles:
        for bean in beans:
            code = f"{bean.lower()}-{style.replace(' ', '-')}"
            url, age, clicks = (
                f"https://shop.example.com/products/{code}",
                draw.randrange(2, 300),
                draw.uniform(0.05, 1.6),
            )
            yield Subject(code, url, f"{bean}, {style}", ("shop",), age, clicks)
