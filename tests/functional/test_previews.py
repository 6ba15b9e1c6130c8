"""GET /{code}+: where a link leads, shown and not followed; at both doors."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.links.allowances import used
from chalicelib.links.passwords import hashed
from chalicelib.links.status import Status
from chalicelib.links.store import insert_link
from tests import infrastructure
from tests.builders import GOOGLEBOT, NOW, a_link
from tests.functional.visitor import BROWSER, Answer, Visitor

URL, OVER = "https://example.com/", "https://example.org/over"
HASH = hashed("open sesame")


def shown(url: str | None, *, has_password: bool = False, limited: bool = False) -> Answer:
    body = {"code": "my-link", "url": url, "has_password": has_password, "limited": limited}
    return Answer(200, {"Content-Type": "application/json", "Cache-Control": "no-store", "Vary": "Accept"}, body)


STATES: list[tuple[dict[str, Any], Answer]] = [
    ({}, shown(URL)),
    ({"forward_query": True}, shown(URL)),
    ({"password": HASH}, shown(None, has_password=True)),
    ({"max_clicks": 5}, shown(None, limited=True)),
    ({"password": HASH, "max_clicks": 5}, shown(None, has_password=True, limited=True)),
    ({"expires_at": NOW, "expired_url": OVER}, shown(OVER)),
    ({"expires_at": NOW, "expired_url": OVER, "max_clicks": 5}, shown(OVER, limited=True)),
]


@pytest.mark.parametrize(("state", "expected"), STATES)
def test_it_shows_where_a_link_leads_and_counts_and_uses_up_nothing(
    visitor: Visitor, state: dict[str, Any], expected: Answer
) -> None:
    insert_link(a_link(**state))

    answers = [visitor.get("/my-link+"), visitor.get("/my-link%2B?utm_source=mail")]

    assert [expected, expected] == answers
    assert (0, 0) == (len(infrastructure.receive()), used("my-link"))


def test_head_has_the_headers_alone(visitor: Visitor) -> None:
    insert_link(a_link())

    assert shown(URL)._replace(body="") == visitor.head("/my-link+")


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({"status": Status.DELETED}, (410, "link-deleted")),
        ({"enabled": False}, (404, "link-disabled")),
        ({"starts_at": NOW + timedelta(1)}, (404, "link-not-started")),
        ({"expires_at": NOW}, (410, "link-expired")),
        ({"code": "another"}, (404, "link-not-found")),
    ],
)
def test_what_cannot_be_followed_cannot_be_looked_at(
    visitor: Visitor, state: dict[str, Any], expected: tuple[int, str]
) -> None:
    insert_link(a_link(**state))

    answer = visitor.get("/my-link+")

    assert expected == (answer.status, answer.body["type"].rpartition(":")[2])


@pytest.mark.parametrize("code", ["+", "++", "my-link++", "+my-link"])
def test_a_plus_elsewhere_is_part_of_no_code(visitor: Visitor, code: str) -> None:
    insert_link(a_link())

    assert 404 == visitor.get(f"/{code}").status


def test_an_unknown_code_is_not_found_wherever_others_are_sent(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOT_FOUND_URL", "https://example.org/")

    assert [302, 404] == [visitor.get(f"/{code}").status for code in ("nope", "nope+")]


def test_a_browser_gets_a_page_with_the_target_as_text(visitor: Visitor) -> None:
    insert_link(a_link(url="https://example.com/?a=1&b=<script>"))

    answer = visitor.sending(Accept=BROWSER).get("/my-link+")

    assert (200, "no-store", "Accept", "text/html; charset=utf-8") == (
        answer.status, *(answer.headers[name] for name in ("Cache-Control", "Vary", "Content-Type")),
    )  # fmt: skip
    assert "https://example.com/?a=1&amp;b=&lt;script&gt;" in answer.body


@pytest.mark.parametrize("guard", [{"password": HASH}, {"max_clicks": 5}])
def test_a_page_tells_no_guarded_target_either(visitor: Visitor, guard: dict[str, Any]) -> None:
    insert_link(a_link(**guard))

    answers = [
        visitor.sending(Accept=BROWSER).get("/my-link+"),
        visitor.sending(Accept=BROWSER, User_Agent=GOOGLEBOT).get("/my-link"),
    ]

    assert [200, 200] == [answer.status for answer in answers]
    assert not [answer for answer in answers if "example.com" in answer.body or "Location" in answer.headers]
