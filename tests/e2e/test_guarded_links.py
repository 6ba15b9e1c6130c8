"""Links with a limit or a password, on the deployed stack."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from chalicelib import config
from tests.deployed import Linkly, eventually, waiting

TARGET = "https://example.com/target"
TODAY = datetime.now(UTC).date().isoformat()


def create(linkly: Linkly, **fields: Any) -> str:
    answer = linkly.alice.post("/links", json={"url": TARGET, **fields})
    assert answer.status_code == 201, answer.text
    code: str = answer.json()["code"]
    return code


def told(linkly: Linkly, code: str) -> tuple[int, int]:
    """How many clicks of a link are counted, and used up."""
    report = linkly.alice.get(f"/stats/{code}", params={"from": TODAY}).json()
    return report["clicks"], report["used"]


@pytest.mark.timeout(180)
def test_of_five_hundred_requests_eight_in_flight_exactly_a_hundred_are_redirected_and_counted(linkly: Linkly) -> None:
    code = create(linkly, max_clicks=100)

    with ThreadPoolExecutor(8) as visitors:
        met = Counter(visitors.map(lambda _: linkly.visitor.get(f"/{code}").status_code, range(500)))

    assert {302: 100, 410: 400} == met
    eventually(lambda: told(linkly, code) == (100, 100))
    eventually(lambda: waiting(config.click_queue_url()) == 0)
    assert (100, 100) == told(linkly, code)


def test_a_raised_limit_gives_more_within_ten_seconds(linkly: Linkly) -> None:
    code = create(linkly, max_clicks=1)
    first = [linkly.visitor.get(f"/{code}").status_code for _ in range(2)]

    linkly.alice.patch(f"/links/{code}", json={"max_clicks": 2})

    assert [302, 410] == first
    eventually(lambda: linkly.visitor.get(f"/{code}").status_code == 302, within=10)
    assert 410 == linkly.visitor.get(f"/{code}").status_code


def unlock(linkly: Linkly, code: str, password: str) -> httpx.Response:
    return linkly.visitor.post(f"/unlock/{code}", params={"utm_source": "mail"}, data={"password": password})


def test_a_password_is_asked_for_and_whoever_knows_it_is_redirected_and_counted(linkly: Linkly) -> None:
    code = create(linkly, password="open sesame", max_clicks=1, forward_query=True)

    answers = [
        linkly.visitor.get(f"/{code}"),
        linkly.visitor.head(f"/{code}"),
        linkly.visitor.get(f"/unlock/{code}", params={"utm_source": "mail"}),
        unlock(linkly, code, "wrong"),
        unlock(linkly, code, "open sesame"),
        unlock(linkly, code, "open sesame"),
    ]

    assert [403, 200, 303, 403, 303, 410] == [answer.status_code for answer in answers]
    assert {
        2: f"../{code}?utm_source=mail",
        4: f"{TARGET}?utm_source=mail",
    } == {number: answer.headers["Location"] for number, answer in enumerate(answers) if "Location" in answer.headers}
    eventually(lambda: told(linkly, code) == (1, 1))


@pytest.mark.parametrize("plus", ["+", "%2B"])
def test_a_plus_behind_the_code_shows_where_it_leads(linkly: Linkly, plus: str) -> None:
    plain, guarded = create(linkly), create(linkly, password="open sesame", max_clicks=1)

    shown = [linkly.visitor.get(f"/{code}{plus}") for code in (plain, guarded, "nope")]

    assert [200, 200, 404] == [answer.status_code for answer in shown]
    assert {"code": plain, "url": TARGET, "has_password": False, "limited": False} == shown[0].json()
    assert {"code": guarded, "url": None, "has_password": True, "limited": True} == shown[1].json()


def test_a_chat_that_unfurls_a_link_uses_nothing_up(linkly: Linkly) -> None:
    code = create(linkly, max_clicks=1)
    robot = {"User-Agent": "WhatsApp/2.23.20.0"}

    met = [linkly.visitor.get(f"/{code}", headers=headers).status_code for headers in (robot, robot, {}, {})]

    assert [200, 200, 302, 410] == met
