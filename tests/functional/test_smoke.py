"""The smoke test, of something that does not work."""

import functools
from collections.abc import Callable

import httpx
import pytest

from ops.deploying import smoke
from tests import infrastructure

Answers = dict[str, httpx.Response]


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> Callable[[Answers], list[str]]:
    """Call it with what is answered to each method and path; gives the requests that came, as they come."""
    requests: list[str] = []

    def answers(answers: Answers) -> list[str]:
        def answer(request: httpx.Request) -> httpx.Response:
            requests.append(f"{request.method} {request.url.path}")
            return answers[requests[-1]]

        monkeypatch.setattr(
            "ops.deploying.smoke.httpx.Client", functools.partial(httpx.Client, transport=httpx.MockTransport(answer))
        )
        return requests

    monkeypatch.setattr("ops.deploying.smoke.SECONDS_TO_ANSWER", 0)
    monkeypatch.setattr("ops.deploying.smoke.SECONDS_TO_COUNT", 0)
    return answers


CREATED = httpx.Response(201, json={"code": "abc", "short_url": "https://go.example.com/abc"})
DELETED = httpx.Response(204)
FOLLOWED = httpx.Response(302, headers={"Location": smoke.TARGET})


SHOWN = httpx.Response(200, json={"url": smoke.TARGET})


def a_count(clicks: int, *countries: str) -> httpx.Response:
    """Both kinds of statistics in one."""
    values = [{"value": country, "clicks": clicks} for country in countries]
    return httpx.Response(200, json={"total": clicks, "by": {"country": values}})


def states_of_keys() -> list[bool]:
    return [item["revoked"] for item in infrastructure.items("API_KEYS_TABLE")]


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({"POST /links": httpx.Response(500, text="Oh no")}, "create: the answer is 500 and not 201: Oh no"),
        (
            {"POST /links": CREATED, "GET /abc": httpx.Response(404, text="gone"), "DELETE /links/abc": DELETED},
            "follow: the answer is 404 and not 302: gone",
        ),
        (
            {
                "POST /links": CREATED,
                "GET /abc": httpx.Response(302, headers={"Location": "https://evil.example/"}),
                "DELETE /links/abc": DELETED,
            },
            f"follow: it leads to https://evil.example/ and not to {smoke.TARGET}.",
        ),
        (
            {
                "POST /links": CREATED,
                "GET /abc": FOLLOWED,
                "GET /stats/abc": httpx.Response(200, json={"total": 0}),
                "DELETE /links/abc": DELETED,
            },
            (
                "count: one click was made, and after 0 seconds 0 are counted. "
                "See the logs of record_clicks: python -m ops logs"
            ),
        ),
    ],
)
def test_it_says_which_step_failed_and_leaves_neither_a_link_nor_a_valid_key(
    deployed: Callable[[Answers], list[str]], answers: Answers, sentence: str
) -> None:
    requests = deployed(answers)

    with pytest.raises(smoke.SmokeTestFailed) as failed:
        smoke.smoke_test("https://example.org", lambda _: None)

    assert sentence == str(failed.value)
    assert list(answers)[-1] == requests[-1]  # nothing, or the deletion of what was created
    assert [True] == states_of_keys()


def test_whoever_looks_is_told_of_a_crowd_a_plus_and_the_country(deployed: Callable[[Answers], list[str]]) -> None:
    deployed(
        {
            "POST /links": CREATED,
            "GET /abc": FOLLOWED,
            "GET /stats/abc": a_count(6, "DE"),
            "GET /abc+": SHOWN,
            "DELETE /links/abc": DELETED,
        }
    )
    said: list[str] = []

    smoke.smoke_test("https://example.org", said.append, at_once=5, look=True)

    assert [
        "crowd    5 at once were answered: 5 with 302",
        "preview  it: /abc+ says where it leads",
        "country  DE",
    ] == [line for line in said if line.startswith(("crowd", "preview", "country"))]


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        (
            {"GET /stats/abc": a_count(1), "GET /abc+": httpx.Response(403, text="signature")},
            "preview: the answer is 403 and not 200: signature",
        ),
        (
            {"GET /stats/abc": a_count(1), "GET /abc+": httpx.Response(200, json={"url": None})},
            'preview: /abc+ says {"url":null}',
        ),
    ],
)
def test_a_door_that_spoils_a_plus_fails(
    deployed: Callable[[Answers], list[str]], answers: Answers, sentence: str
) -> None:
    deployed({"POST /links": CREATED, "GET /abc": FOLLOWED, "DELETE /links/abc": DELETED, **answers})

    with pytest.raises(smoke.SmokeTestFailed) as failed:
        smoke.smoke_test("https://example.org", lambda _: None, look=True)

    assert sentence == str(failed.value)
    assert [True] == states_of_keys()
