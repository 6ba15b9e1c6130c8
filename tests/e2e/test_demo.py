"""`make demo`: links and clicks to look at, on the deployed stack."""

import re
from collections.abc import Iterator

import httpx
import pytest

from ops.local.demo import OWNER
from tests.deployed import Linkly, key_holder, ops


@pytest.fixture
def user(linkly: Linkly) -> Iterator[httpx.Client]:
    """Whose links they are."""
    with key_holder(linkly.url, OWNER) as holder:
        yield holder


def clicks(user: httpx.Client) -> dict[str, int]:
    """The clicks of all of the user's links, of the last year."""
    items = user.get("/stats", params={"limit": 200}).json()["items"]
    return {each["code"]: user.get(f"/stats/{each['code']}").json()["total"] for each in items}


def test_links_and_clicks_are_there_and_a_second_run_counts_nothing_twice(user: httpx.Client) -> None:
    first = ops("demo", "--links", "4", "--days", "5")
    counted = clicks(user)
    second = ops("demo", "--links", "4", "--days", "5")
    again = clicks(user)

    assert (0, 0) == (first.returncode, second.returncode), first.stderr + second.stderr
    told = [int(re.findall(r"and ([\d,]+) clicks", each.stdout)[0].replace(",", "")) for each in (first, second)]
    assert {"menu", "spring", "brew-guide", "jobs"} == counted.keys() == again.keys()
    assert told == [sum(counted.values()), sum(again.values())]
    assert 100 < told[0] <= told[1] < told[0] + 50  # some minutes of today may have passed


def test_the_clicks_tell_people_from_robots_and_where_they_came_from(user: httpx.Client) -> None:
    assert ops("demo", "--links", "4", "--days", "5").returncode == 0

    report = user.get("/stats/menu", params={"by": "country,device,utm_source"}).json()

    assert 0 < report["bots"] < report["people"]
    assert {"DE", "AT", "CH"} <= {each["value"] for each in report["by"]["country"]}
    assert "mobile" == report["by"]["device"][0]["value"]
    assert "qr" == report["by"]["utm_source"][0]["value"]
