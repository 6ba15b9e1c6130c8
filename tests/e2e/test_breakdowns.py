"""Many visitors of one link, some of whose messages come twice: every column of its statistics adds up."""

import csv
import os
import random
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any, NamedTuple

import httpx
import pytest

from chalicelib import clock, config
from chalicelib.clicks.click import Click, encode
from ops.shared.aws import client
from tests.builders import FIREFOX, GOOGLEBOT
from tests.deployed import Linkly, dead_letters_url, eventually, ops, waiting

FOLLOWS = int(os.environ.get("BREAKDOWN_FOLLOWS", "300"))
TWICE = 40
"""Messages that are sent again, each with the same body."""
DIMENSIONS = ("country", "browser", "os", "device", "referrer", "utm_source")

pytestmark = pytest.mark.timeout(120 + FOLLOWS / 5)

SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 "
    "Mobile/15E148 Safari/604.1"
)
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"
)
BROWSERS = {
    FIREFOX: ("Firefox", "Linux", "desktop"),
    SAFARI: ("Safari", "iOS", "mobile"),
    CHROME: ("Chrome", "Windows", "desktop"),
    None: (None, None, None),
}
REFERRERS = {
    "https://www.google.com/search?q=secret": "google.com",
    "https://news.example.com/a/page": "news.example.com",
    None: None,
}
COUNTRIES = ("DE", "FR", "US", None)
SOURCES = {"Newsletter": "newsletter", "qr": "qr", None: None}


class Visit(NamedTuple):
    """What a visitor sends, and what is to be told of them: a value of each dimension, or that it is a robot."""

    user_agent: str | None
    country: str | None
    referrer: str | None
    source: str | None
    private: bool

    @property
    def headers(self) -> dict[str, str]:
        sent = {
            "User-Agent": self.user_agent or "",
            "CloudFront-Viewer-Country": self.country,
            "Referer": self.referrer,
            "Sec-GPC": "1" if self.private else None,
        }
        return {name: value for name, value in sent.items() if value is not None}

    @property
    def robot(self) -> bool:
        return self.user_agent == GOOGLEBOT and not self.private

    @property
    def told(self) -> dict[str, str | None]:
        if self.private:
            return dict.fromkeys(DIMENSIONS)
        browser, system, device = BROWSERS[self.user_agent]
        return {
            "country": self.country,
            "browser": browser,
            "os": system,
            "device": device,
            "referrer": REFERRERS[self.referrer],
            "utm_source": SOURCES[self.source],
        }


def visits(number: int) -> list[Visit]:
    chance = random.Random(2026)  # noqa: S311 (the same visitors every time)
    return [
        Visit(
            chance.choice([*BROWSERS, GOOGLEBOT]),
            chance.choice(COUNTRIES),
            chance.choice([*REFERRERS]),
            chance.choice([*SOURCES]),
            chance.random() < 0.1,
        )
        for _ in range(number)
    ]


def follow(visitor: httpx.Client, code: str, visit: Visit) -> int:
    query = {"utm_source": visit.source} if visit.source else {}
    return visitor.get(f"/{code}", headers=visit.headers, params=query).status_code


def message(code: str, visit: Visit, moment: datetime) -> str:
    """The click's message, as the redirect would send it of somebody who may be followed."""
    return encode(
        Click(
            v=1,
            id=uuid.uuid4(),
            code=code,
            occurred_at=moment,
            referrer=visit.referrer,
            user_agent=visit.user_agent,
            country=visit.country,
            utm_source=visit.source,
        )
    )


def test_every_column_adds_up_to_the_visitors(linkly: Linkly) -> None:
    code, today = linkly.create(), clock.now()
    dead_before = waiting(dead_letters_url())  # of other tests
    followers, twice = visits(FOLLOWS), [visit._replace(private=False) for visit in visits(TWICE)]

    with ThreadPoolExecutor(4) as visitors:
        answers = Counter(visitors.map(lambda visit: follow(linkly.visitor, code, visit), followers))
        bodies = [message(code, visit, datetime.now(UTC)) for visit in twice]
        [*visitors.map(send, bodies + bodies)]

    assert {302: FOLLOWS} == answers
    eventually(lambda: linkly.total(code) == FOLLOWS + TWICE, within=60 + FOLLOWS / 10)
    eventually(lambda: waiting(config.click_queue_url()) == 0, within=60)
    assert dead_before == waiting(dead_letters_url())
    as_json, as_csv = told(linkly, code, today, today + timedelta(days=1))
    assert expected([*followers, *twice]) == as_json
    assert expected([*followers, *twice]) == as_csv


def test_a_recount_of_a_past_day_finds_the_same_visitors(linkly: Linkly) -> None:
    code, yesterday = linkly.create(), clock.now() - timedelta(days=1)
    came = [visit._replace(private=False) for visit in visits(TWICE)]
    bodies = [message(code, visit, yesterday) for visit in came]
    for body in bodies + bodies:
        send(body)
    eventually(lambda: linkly.total(code) == TWICE, within=60)

    before = told(linkly, code, yesterday, yesterday)
    recounted = ops("clicks", "recount", code, "--day", yesterday.date().isoformat(), "--stage", "local")
    after = told(linkly, code, yesterday, yesterday)

    assert (0, "") == (recounted.returncode, recounted.stderr)
    assert [expected(came)] * 4 == [*before, *after]


def told(linkly: Linkly, code: str, first: datetime, last: datetime) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is told of the link's clicks in a range of days, by JSON and by CSV."""
    query = {
        "from": first.date().isoformat(),
        "to": last.date().isoformat(),
        "by": f"{','.join(DIMENSIONS)},day,hour",
    }
    report = linkly.alice.get(f"/stats/{code}", params=query).json()
    table = linkly.alice.get(f"/stats/{code}", params={**query, "format": "csv"}).text
    return numbers(report), numbers_of_csv(table)


def send(body: str) -> None:
    client("sqs").send_message(QueueUrl=config.click_queue_url(), MessageBody=body)


def expected(came: list[Visit]) -> dict[str, Any]:
    people = [visit for visit in came if not visit.robot]
    return {
        "clicks": len(came),
        "people": len(people),
        "bots": len(came) - len(people),
        "unrecorded": 0,
        **{dimension: Counter(visit.told[dimension] for visit in people) for dimension in DIMENSIONS},
        **dict.fromkeys(("day", "hour"), len(came)),
        "other": dict.fromkeys(DIMENSIONS, 0),
    }


def numbers(told: dict[str, Any]) -> dict[str, Any]:
    """A report without the times, of which only the sums are known."""
    by = {
        dimension: {each["value"]: each["clicks"] for each in told["by"][dimension]}
        for dimension in (*DIMENSIONS, "day", "hour")
    }
    return {
        **{name: told[name] for name in ("clicks", "people", "bots", "unrecorded", "other")},
        **{dimension: by[dimension] for dimension in DIMENSIONS},
        **{time: sum(by[time].values()) for time in ("day", "hour")},
    }


def numbers_of_csv(table: str) -> dict[str, Any]:
    """The same of a report as CSV."""
    [_, *rows] = csv.reader(StringIO(table))
    by: dict[str, dict[str | None, int]] = {}
    other: dict[str, int] = {}
    for dimension, value, clicks in rows:
        if value == "(other)":
            other[dimension] = int(clicks)
        else:
            by.setdefault(dimension, {})[value or None] = int(clicks)
    report = {
        name: by.pop(told)[None]
        for name, told in (("clicks", "total"), ("people", "people"), ("bots", "bots"), ("unrecorded", "unrecorded"))
    }
    return numbers(
        {
            **report,
            "other": other,
            "by": {
                dimension: [{"value": value, "clicks": clicks} for value, clicks in values.items()]
                for dimension, values in by.items()
            },
        }
    )
