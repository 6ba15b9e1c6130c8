"""The deployed stack behind a proxy that breaks its AWS calls. A smaller dose of what AWS may do on a bad day."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from itertools import cycle
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest

from chalicelib import aws, clock, config
from chalicelib.clicks.message import new_message
from chalicelib.clicks.queue import enqueue
from ops.local import emulator
from ops.repairing.clicks import unqueued
from ops.shared import emulation
from ops.shared.aws import client
from ops.shared.stacks import outputs
from ops.shared.stages import LOCAL
from tests.builders import FIREFOX, GOOGLEBOT
from tests.deployed import Linkly, dead_letters_url, eventually, free_port, linkly_at, ops, waiting
from tests.packages import packaged
from tests.stack import AT_THE_EDGE, deployed

# `make chaos` gives a larger dose.
CLICKS = int(os.environ.get("CHAOS_CLICKS", "500"))
LINKS = int(os.environ.get("CHAOS_LINKS", "10"))
LONGEST_DRAIN = 60 + CLICKS / 20
"""Seconds."""

pytestmark = pytest.mark.timeout(120 + LONGEST_DRAIN)


class Proxy:
    """microburst, between the Lambda functions and the emulated AWS."""

    def __init__(self, url: str) -> None:
        self._control = f"{url}/_microburst"

    def is_up(self) -> bool:
        try:
            return httpx.get(f"{self._control}/health").is_success
        except httpx.TransportError:
            return False

    def break_with(self, *rules: dict[str, Any]) -> None:
        """Replace the rules by which calls are broken; without any, none is."""
        httpx.post(f"{self._control}/rules", json=list(rules)).raise_for_status()

    def fired(self) -> Counter[str]:
        """How many calls were broken, by what happened to them."""
        return Counter(each["action"] for each in httpx.get(f"{self._control}/fired").json())


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("chaos")


@pytest.fixture(scope="module")
def proxy_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def stormy_linkly(directory: Path, proxy_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Linkly]:
    """A Linkly of its own, whose functions reach AWS through the proxy; its deployment and its callers do not."""
    through_the_proxy = f"http://127.0.0.1:{proxy_port}"
    package = packaged(LOCAL, tmp_path_factory)
    with deployed(directory, package, AT_THE_EDGE, lambda_endpoint=through_the_proxy) as (endpoint, deployment):
        allow_eight_recorders()
        with proxy_process(endpoint, proxy_port), linkly_at(emulation.api_url(endpoint, deployment.outputs)) as linkly:
            yield linkly


@pytest.fixture(params=["API Gateway", "CloudFront"])
def front_door(request: pytest.FixtureRequest, stormy_linkly: Linkly) -> Iterator[Linkly]:
    """The same Linkly, whose visitors come in by one door or by the other."""
    if request.param == "API Gateway":
        yield stormy_linkly
        return
    at_the_edge = emulation.deployed_url(os.environ["AWS_ENDPOINT_URL"], outputs(LOCAL))
    with httpx.Client(base_url=at_the_edge, timeout=30) as visitor:
        yield replace(stormy_linkly, url=at_the_edge, visitor=visitor)


def allow_eight_recorders() -> None:
    """More at once than the template allows, so that they meet on the same link more often."""
    functions = client("lambda")
    [mapping] = functions.list_event_source_mappings(FunctionName="linkly-local-record_clicks")["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": 8})


@pytest.fixture
def proxy(stormy_linkly: Linkly, proxy_port: int) -> Iterator[Proxy]:
    assert stormy_linkly
    proxy = Proxy(f"http://127.0.0.1:{proxy_port}")
    yield proxy
    proxy.break_with()


@contextmanager
def proxy_process(endpoint: str, port: int) -> Iterator[None]:
    """Run the proxy. It signs what it passes on anew, since the functions signed it for the proxy's own address."""
    process = subprocess.Popen(
        [Path(sys.executable).with_name("microburst"), "--upstream", endpoint, "--port", str(port), "--resign"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        eventually(Proxy(f"http://127.0.0.1:{port}").is_up)
        # It learns a service's protocol at its first call, which takes longer than our functions have patience.
        boto3.client("dynamodb", endpoint_url=f"http://127.0.0.1:{port}").list_tables()
        boto3.client("sqs", endpoint_url=f"http://127.0.0.1:{port}").list_queues()
        yield
    finally:
        emulator.stop(process)


TRANSACTION = {"service": "dynamodb", "operation": "TransactWriteItems"}
APPLIED_BUT_UNANSWERED = {**TRANSACTION, "probability": 0.25, "response": {"abort_frac": 0.0}}
FAILED_BEFORE = {**TRANSACTION, "probability": 0.1, "error": {"code": "InternalServerError", "status": 500}}
THROTTLED = {**TRANSACTION, "probability": 0.1, "error": {"code": "ThrottlingException", "status": 400}}


def conflicts(probability: float) -> list[dict[str, Any]]:
    """A TransactionConflict on the last action, a counter; a rule for each number of actions, as there are reasons."""
    return [
        {
            **TRANSACTION,
            "probability": probability,
            "body": f"length(TransactItems) == `{actions}`",
            "error": {
                "code": "TransactionCanceledException",
                "status": 400,
                "fields": {
                    "CancellationReasons": [*[{"Code": "None"}] * (actions - 1), {"Code": "TransactionConflict"}]
                },
            },
        }
        for actions in range(2, 101)
    ]


VISITORS: tuple[dict[str, str], ...] = (
    {"user-agent": FIREFOX, "cloudfront-viewer-country": "DE", "referer": "https://news.example.com/"},
    {"user-agent": GOOGLEBOT, "cloudfront-viewer-country": "US"},
    {"user-agent": FIREFOX, "cloudfront-viewer-country": "FR", "referer": "https://www.google.com/"},
    {},
)
"""What they send."""


def follow_at_once(linkly: Linkly, code: str, times: int) -> None:
    """Follow a link from several clients, so that several consumers have work at the same time."""
    with ThreadPoolExecutor(8) as visitors:
        answers = visitors.map(lambda _: linkly.visitor.get(f"/{code}").status_code, range(times))
    assert {302} == set(answers)


def test_half_of_all_transactions_fail_and_a_hundred_follows_are_a_hundred(front_door: Linkly, proxy: Proxy) -> None:
    code = front_door.create()
    front_door.follow(code)  # the link is cached before the storm, and the functions are warm
    eventually(lambda: front_door.total(code) == 1)
    proxy.break_with(APPLIED_BUT_UNANSWERED, FAILED_BEFORE, THROTTLED, *conflicts(0.35))

    follow_at_once(front_door, code, times=99)

    eventually(lambda: front_door.total(code) == 100 and waiting(config.click_queue_url()) == 0, within=90)
    assert {"response:abort", "error:TransactionCanceledException"} <= set(proxy.fired())
    assert 100 == rows(code) == front_door.total(code)


def test_clicks_on_many_links_some_hot_are_exact_link_by_link(stormy_linkly: Linkly, proxy: Proxy) -> None:
    # Zipf's law: the second link gets half of the first one's clicks, the third a third, and so on.
    weights = [1 / rank for rank in range(1, LINKS + 1)]
    follows = random.Random(CLICKS).choices([stormy_linkly.create() for _ in weights], weights, k=CLICKS)  # noqa: S311 (a test)
    proxy.break_with(APPLIED_BUT_UNANSWERED, FAILED_BEFORE, THROTTLED, *conflicts(0.35))

    with ThreadPoolExecutor(8) as visitors:
        list(visitors.map(lambda code, sent: enqueue(new_message(code, sent, clock.now())), follows, cycle(VISITORS)))

    expected = Counter(follows)
    eventually(lambda: waiting(config.click_queue_url()) == 0, within=LONGEST_DRAIN)
    assert 0 == waiting(dead_letters_url())
    assert expected == {code: stormy_linkly.total(code) for code in expected}
    assert expected == {code: rows(code) for code in expected}
    assert expected == {code: broken_down(stormy_linkly, code) for code in expected}


def broken_down(linkly: Linkly, code: str) -> int:
    """The clicks of a link, if each of its breakdowns adds up to them."""
    dimensions = ("country", "browser", "os", "device", "referrer", "utm_source")
    told = linkly.alice.get(f"/stats/{code}", params={"by": ",".join((*dimensions, "hour"))}).json()
    sums = {dimension: sum(each["clicks"] for each in values) for dimension, values in told["by"].items()}
    clicks: int = told["clicks"]
    assert clicks == told["people"] + told["bots"] + told["unrecorded"] == sums.pop("hour")
    assert 0 == told["unrecorded"]
    assert dict.fromkeys(dimensions, told["people"]) == {name: sums[name] + told["other"][name] for name in sums}
    return clicks


def rows(code: str) -> int:
    pages = (
        aws.dynamodb()
        .get_paginator("query")
        .paginate(
            TableName=config.clicks_table(),
            KeyConditionExpression="code = :code",
            ExpressionAttributeValues={":code": {"S": code}},
            Select="COUNT",
        )
    )
    return sum(page["Count"] for page in pages)


def test_while_the_queue_is_down_visitors_are_redirected_and_replay_makes_the_total_exact(
    front_door: Linkly, proxy: Proxy
) -> None:
    code = front_door.create()
    front_door.follow(code)  # which a busy emulation may not accept in time, so that it is logged as well
    proxy.break_with({"service": "sqs", "operation": "SendMessage", "reset": True})

    since = clock.now()
    started = time.monotonic()
    front_door.follow(code, times=5)
    seconds = time.monotonic() - started
    proxy.break_with()
    eventually(lambda: code_is_logged(code, times=5, since=since))
    replayed = ops("clicks", "replay", "--since", "1h", "--stage", "local")

    assert seconds < 5 * 2.5
    assert replayed.stdout.endswith(", failed 0\n")
    eventually(lambda: front_door.total(code) == 6 and waiting(config.click_queue_url()) == 0)


def code_is_logged(code: str, times: int, since: datetime) -> bool:
    """Whether so many clicks of a link since then, which could not be queued, are in the log."""
    logged = unqueued(LOCAL, time.time() - 3600)
    return times == sum(click.code == code and click.occurred_at >= since for click in logged)


def test_consumers_that_are_killed_in_the_middle_of_a_batch_lose_and_double_nothing(
    stormy_linkly: Linkly, proxy: Proxy, directory: Path
) -> None:
    # Lambda makes their messages visible again after six times the function's time-out; the test need not wait so long.
    client("sqs").set_queue_attributes(QueueUrl=config.click_queue_url(), Attributes={"VisibilityTimeout": "5"})
    code = stormy_linkly.create()
    proxy.break_with({**TRANSACTION, "latency": 700})

    with ThreadPoolExecutor(1) as visitor:
        following = visitor.submit(follow_at_once, stormy_linkly, code, 60)
        killed = sum(kill_recorders(directory) for _ in every(0.8, times=6))
        following.result()

    eventually(lambda: killed > 0 or kill_recorders(directory) > 0)  # a busy machine may start them only now
    proxy.break_with()
    eventually(lambda: stormy_linkly.total(code) == 60 and waiting(config.click_queue_url()) == 0, within=90)
    assert 60 == rows(code)


def every(seconds: float, times: int) -> Iterator[int]:
    for number in range(times):
        time.sleep(seconds)
        yield number


def kill_recorders(directory: Path) -> int:
    """SIGKILL to the processes in which record_clicks runs; returns how many."""
    killed = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_text()
        except OSError:
            continue
        if str(directory) in command and "record_clicks" in command:
            os.kill(int(process.name), signal.SIGKILL)
            killed += 1
    return killed
