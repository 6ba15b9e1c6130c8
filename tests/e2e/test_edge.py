"""CloudFront as the front door: what is tried at API Gateway is tried there too, and both doors answer alike.

What the emulation cannot do of it, ops/local/emulator.py lists.
"""

import json
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from chalicelib import browsers, config
from ops.deploying import deployment as deploying
from ops.local import emulator
from ops.shared import emulation
from ops.shared.stacks import find_stack, outputs
from ops.shared.stages import LOCAL
from tests.deployed import Linkly, eventually, linkly_at, ops, waiting
from tests.e2e.test_counting import test_fifty_follows_make_fifty_and_twenty_more_wait_while_the_consumer_is_off
from tests.e2e.test_guarded_links import (
    TARGET,
    test_a_chat_that_unfurls_a_link_uses_nothing_up,
    test_a_password_is_asked_for_and_whoever_knows_it_is_redirected_and_counted,
    test_a_plus_behind_the_code_shows_where_it_leads,
)
from tests.e2e.test_http import (
    test_a_browser_may_send_what_it_asks_for_if_its_site_is_allowed,
    test_a_link_is_created_shown_followed_and_counted,
    test_a_visitors_bad_request_gets_its_status_and_a_sentence,
    test_every_answer_has_the_security_headers,
)
from tests.e2e.test_privacy import (
    test_a_visitors_address_is_nowhere_whatever_happens_to_the_click,
    test_of_a_short_links_query_its_tags_are_kept_and_nothing_else,
)
from tests.packages import packaged
from tests.stack import ALLOWED_ORIGIN, AT_THE_EDGE, deployed

__all__ = [
    "test_a_browser_may_send_what_it_asks_for_if_its_site_is_allowed",
    "test_a_chat_that_unfurls_a_link_uses_nothing_up",
    "test_a_link_is_created_shown_followed_and_counted",
    "test_a_password_is_asked_for_and_whoever_knows_it_is_redirected_and_counted",
    "test_a_plus_behind_the_code_shows_where_it_leads",
    "test_a_visitors_address_is_nowhere_whatever_happens_to_the_click",
    "test_a_visitors_bad_request_gets_its_status_and_a_sentence",
    "test_every_answer_has_the_security_headers",
    "test_fifty_follows_make_fifty_and_twenty_more_wait_while_the_consumer_is_off",
    "test_of_a_short_links_query_its_tags_are_kept_and_nothing_else",
]


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """A stack with EDGE=true; gives the URL of its distribution, and that of its API, which answers as before."""
    package = packaged(LOCAL, tmp_path_factory)
    parameters = {**AT_THE_EDGE, "AllowedOrigins": ALLOWED_ORIGIN}
    with deployed(tmp_path_factory.mktemp("edge"), package, parameters) as (endpoint, deployment):
        yield emulation.deployed_url(endpoint, deployment.outputs), emulation.api_url(endpoint, deployment.outputs)


@pytest.fixture(scope="module")
def linkly(doors: tuple[str, str]) -> Iterator[Linkly]:
    """Linkly at its distribution: visitors and owners."""
    with linkly_at(doors[0]) as at_the_edge:
        yield at_the_edge


@pytest.fixture
def somewhere(linkly: Linkly) -> Linkly:
    """As the tests of HTTP call it."""
    return linkly


def in_days(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


STATES: Mapping[str, Mapping[str, Any]] = {
    "active": {},
    "off": {"enabled": False},
    "not yet": {"starts_at": in_days(1)},
    "with a password": {"password": "open sesame"},
    "with a limit": {"max_clicks": 5},
    "with a query": {"forward_query": True},
}


def told(answer: httpx.Response) -> tuple[int, dict[str, str], str]:
    """What an answer says: its status, the headers that we write, its body."""
    names = {
        "location",
        "cache-control",
        "content-type",
        "vary",
        "retry-after",
        "allow",
        *map(str.lower, browsers.ALWAYS),
    }
    return answer.status_code, {name: answer.headers[name] for name in names if name in answer.headers}, answer.text


@pytest.mark.parametrize("accept", ["*/*", "text/html"])
def test_both_doors_answer_links_in_every_state_alike(linkly: Linkly, doors: tuple[str, str], accept: str) -> None:
    codes = {
        state: linkly.alice.post("/links", json={"url": TARGET, **fields}).json()["code"]
        for state, fields in STATES.items()
    }
    deleted = linkly.create()
    linkly.alice.delete(f"/links/{deleted}")
    paths = [*(f"/{code}?a=b%20c&utm_source=x" for code in codes.values()), f"/{deleted}", "/unknown", "/%3Cscript%3E"]
    asked = [(method, f"{path}{plus}") for path in paths for method, plus in (("GET", ""), ("HEAD", ""))]
    asked += [("GET", f"/{code}+") for code in codes.values()]

    with httpx.Client(timeout=30, headers={"Accept": accept}) as visitor:
        edge, api = ({each: told(visitor.request(each[0], f"{door}{each[1]}")) for each in asked} for door in doors)

    assert api == edge
    statuses = [edge["GET", path][0] for path in paths]
    assert [302, 404, 404, 403, 302, 302, 410, 404, 404] == statuses
    assert f"{TARGET}?a=b+c&utm_source=x" == edge["GET", paths[5]][1]["location"]
    eventually(lambda: waiting(config.click_queue_url()) == 0)
    counted = {state: linkly.total(code) for state, code in codes.items()}
    assert {"active": 2, "off": 0, "not yet": 0, "with a password": 0, "with a limit": 2, "with a query": 2} == counted


def test_a_link_that_is_used_up_sends_everybody_away_at_either_door(linkly: Linkly, doors: tuple[str, str]) -> None:
    code = linkly.alice.post("/links", json={"url": TARGET, "max_clicks": 3}).json()["code"]

    with ThreadPoolExecutor(6) as visitors:
        met = visitors.map(lambda number: httpx.get(f"{doors[number % 2]}/{code}", timeout=30).status_code, range(12))

    assert [302] * 3 + [410] * 9 == sorted(met)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/no/such/path", 404),
        ("POST", "/linksx", 405),
        ("DELETE", "/abc", 405),
        ("OPTIONS", "/abc", 204),
        ("GET", "/healthy", 404),
        ("GET", "/health", 200),
        ("GET", "/links", 401),
        ("GET", "/unlock/abc", 303),
    ],
)
def test_what_is_no_link_is_answered_by_whose_path_it_is(linkly: Linkly, method: str, path: str, status: int) -> None:
    assert status == linkly.visitor.request(method, path).status_code


def test_the_owners_page_and_its_files_come_in_by_cloudfront(linkly: Linkly) -> None:
    page = linkly.visitor.get("/ui")
    [script] = re.findall(r'script type="module" src="\./(.+?)"', page.text)
    file = linkly.visitor.get(f"/{script}")

    assert [(200, "no-cache"), (200, "public, max-age=31536000, immutable")] == [
        (answer.status_code, answer.headers["cache-control"]) for answer in (page, file)
    ]
    assert "alice" == linkly.alice.get("/me").json()["owner"]


def test_the_operators_commands_come_in_by_cloudfront(linkly: Linkly, doors: tuple[str, str]) -> None:
    assert linkly
    eventually(lambda: waiting(config.click_queue_url()) == 0)
    stage = ("--stage", LOCAL)
    key = linkly.alice.headers["Authorization"].removeprefix("Bearer ")

    smoke = ops("smoke", "--at-once", "8", *stage)
    measured = ops("measure", "--follows", "3", *stage)
    load = ops("load", "--rate", "5", "--seconds", "2", "--url", doors[0], "--key", key)
    reconciled = ops("clicks", "reconcile", "--json", *stage)
    logged = ops("logs", "--function", "follow_link", "--no-follow", "--since", "5m", *stage)
    status = json.loads(ops("status", "--json", *stage).stdout)

    assert [0] * 4 == [done.returncode for done in (smoke, measured, load, logged)], smoke.stdout + smoke.stderr
    # What other tests leave behind on purpose, such as a click to replay, it tells of as well.
    assert json.loads(reconciled.stdout)["days"][-1]["accepted"] >= 8 + 3 + 10
    assert doors[0] in smoke.stdout
    assert "country  not told" in smoke.stdout  # by the emulation
    assert "3 redirected" in measured.stdout
    assert "redirected 10, counted 10: exact" in load.stdout
    assert "click accepted" in logged.stdout
    assert (doors[0], 200) == (status["endpoint"]["url"], status["endpoint"]["status"])


def test_a_stage_goes_from_one_door_to_the_other_and_back_with_its_links_and_counts(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    package = packaged(LOCAL, tmp_path_factory)

    def redeploy(parameters: Mapping[str, str | None]) -> str:
        deployment = deploying.deploy(package, LOCAL, parameters, lambda _: None)
        emulator.complete(deployment)
        return emulation.deployed_url(endpoint, deployment.outputs)

    with deployed(tmp_path, package, {"Alarms": "none"}) as (endpoint, first):
        with linkly_at(emulation.api_url(endpoint, first.outputs)) as linkly:
            code = linkly.create()
            linkly.follow(code)
            eventually(lambda: linkly.total(code) == 1)
        with pytest.raises(ClientError, match="Edge needs RedirectConcurrency"):
            redeploy({"Edge": "true"})
        for edge, clicks in (("true", 2), ("false", 3)):
            with linkly_at(redeploy({**AT_THE_EDGE, "Edge": edge})) as linkly:
                linkly.follow(code)
                eventually(lambda linkly=linkly, clicks=clicks: linkly.total(code) == clicks)  # type: ignore[misc]
        assert "EdgeURL" not in outputs(LOCAL)
        deploying.destroy(LOCAL, lambda _: None)
        assert find_stack(LOCAL) is None
