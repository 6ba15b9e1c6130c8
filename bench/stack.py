"""The whole of Linkly on the emulated AWS: follows, the time until they are counted, a backlog, and units."""

import os
import random
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import ceil
from pathlib import Path
from typing import Any

import httpx

from bench import bare, day, recorder
from bench.rounds import BASELINE, Figure, in_turns
from chalicelib import aws as app_aws
from chalicelib import config
from chalicelib.access.callers import Caller
from chalicelib.access.keys import Role
from chalicelib.clicks.breakdowns import CLICKS, LETTERS
from chalicelib.clicks.click import Click, encode
from chalicelib.clicks.counters import SHARDS, SORT_KEY, clicks_by_day, sort_key
from chalicelib.clicks.statistics import Question, report
from chalicelib.clicks.transactions import plan
from chalicelib.links.create import LinkRequest, create_link
from ops.deploying.deployment import deploy
from ops.deploying.package import package
from ops.local import emulator
from ops.shared import emulation
from ops.shared.aws import client
from ops.shared.log_lines import json_lines
from ops.shared.percentiles import percentile
from ops.shared.queues import queue_depth
from ops.shared.stages import LOCAL, function_environment
from ops.watching.costs import item_bytes
from tests.deployed import free_port

VISITORS = 4
ROUNDS = 5
SECONDS = 3
"""Of one round's follows."""
BACKLOG = 10_000
BATCHES = 5
"""Of clicks that are written one after the other, to learn what is charged for them."""
PATIENCE = 180

SENDER, PAUSED, FOLLOWS = "a function that sends a message", "Linkly, its recorder paused", "Linkly, counting"


@dataclass(frozen=True)
class Writes:
    """Write units a click: as DynamoDB said with each answer, and by its rules."""

    charged: float
    by_rule: float


@dataclass(frozen=True)
class Reads:
    """What a link's statistics asked of DynamoDB."""

    counters: int
    calls: int
    read_units: int
    milliseconds: float
    """Of CPU, where they are read and added up."""


@dataclass(frozen=True)
class Stack:
    """What was measured."""

    rates: Mapping[str, Figure]
    """Follows a second of SENDER, PAUSED and FOLLOWS, and of a no-op in the same rounds."""
    sent: int
    counted: int
    lags: list[float]
    """Milliseconds from a click to its commit, by the recorder's own metric."""
    drained: float
    """Clicks a second, of a backlog."""
    writes: Mapping[str, Writes]
    statistics: Mapping[str, Reads]


@contextmanager
def deployed(directory: Path) -> Iterator[Mapping[str, str]]:
    """The stage `local`, with the bare functions beside it; gives the URLs of FOLLOWS, SENDER and BASELINE."""
    with emulator.emulated_aws(free_port(), directory) as endpoint:
        os.environ.update(emulation.environment(endpoint))
        deployment = deploy(package(LOCAL), LOCAL, {}, lambda _: None)
        emulator.complete(deployment)
        os.environ.update(function_environment(LOCAL))
        app_aws.forget_clients()
        ours = client("lambda").get_function_configuration(FunctionName=f"linkly-{LOCAL}-follow_link")
        apis = {
            what: bare.deploy(name, code, ours["Runtime"], ours["MemorySize"])
            for what, name, code in ((BASELINE, "noop", bare.NOOP), (SENDER, "sender", bare.SENDER))
        }
        apis[FOLLOWS] = deployment.outputs["RestAPIId"]
        yield {what: emulation.deployed_url(endpoint, {"RestAPIId": api}) for what, api in apis.items()}


def measure(directory: Path) -> Stack:
    """Measure all of it."""
    with deployed(directory) as urls:
        code = _new_link()
        rates, sent, since = _follow(urls, code)
        lags = list(_lags(since))
        return Stack(rates, sent, _counted(code), lags, _drain(_new_link()), _writes(), _statistics())


def _new_link() -> str:
    given = {"url": "https://example.com/", "code": None}
    return create_link(LinkRequest(given, Caller("bench", Role.USER), frozenset())).code


def _follow(urls: Mapping[str, str], code: str) -> tuple[dict[str, Figure], int, float]:
    """Follows a second; how many of ours there were in all; and when those began that were counted at once."""
    sent = 0

    def ours() -> float:
        nonlocal sent
        followed, a_second = _visits(f"{urls[FOLLOWS]}/{code}")
        sent += followed
        return a_second

    def ours_until_counted() -> float:
        a_second = ours()
        _wait_until_counted(code, sent)  # or the others would have to share the machine with the recorder
        return a_second

    def bare_ones(what: str) -> Callable[[], float]:
        return lambda: _visits(f"{urls[what]}/{code}")[1]

    _switch_recorder(on=False)
    paused = {BASELINE: bare_ones(BASELINE), SENDER: bare_ones(SENDER), PAUSED: ours}
    in_turns(1, paused)  # until all is warm
    rates = in_turns(ROUNDS, paused)
    _switch_recorder(on=True)
    counting = {BASELINE: bare_ones(BASELINE), FOLLOWS: ours_until_counted}
    in_turns(1, counting)
    since = time.time()
    rates |= in_turns(ROUNDS, counting)
    return rates, sent, since


def _visits(address: str) -> tuple[int, float]:
    """Follow an address for SECONDS, by VISITORS at a time; gives how often, and that by the second."""
    with ThreadPoolExecutor(VISITORS) as visitors:
        started = time.monotonic()
        followed = sum(visitors.map(lambda _: _visit(address, started + SECONDS), range(VISITORS)))
        return followed, followed / (time.monotonic() - started)


def _visit(address: str, deadline: float) -> int:
    followed = 0
    with httpx.Client(timeout=30) as visitor:
        while time.monotonic() < deadline:
            answer = visitor.get(address)
            if answer.status_code != httpx.codes.FOUND:
                raise httpx.HTTPStatusError(answer.text, request=answer.request, response=answer)
            followed += 1
    return followed


def _counted(code: str) -> int:
    return sum(clicks_by_day(code).values())


def _wait_until_counted(code: str, expected: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while _counted(code) < expected:
        if time.monotonic() > deadline:
            raise LookupError(f"{_counted(code)} of {expected} clicks were counted in {PATIENCE} seconds")
        time.sleep(0.1)


def _lags(since: float) -> Iterator[float]:
    for line in json_lines(LOCAL, "record_clicks", since, "ClickLag"):
        yield from line["ClickLag"]


def _drain(code: str) -> float:
    """Clicks a second that are counted of a backlog, from the moment that the recorder is switched on."""
    _switch_recorder(on=False)
    queue, sqs = config.click_queue_url(), client("sqs")

    def send(batch: int) -> None:
        entries: Any = [{"Id": str(number), "MessageBody": _message(code)} for number in range(10)]
        answer = sqs.send_message_batch(QueueUrl=queue, Entries=entries)
        if answer.get("Failed"):
            raise LookupError(f"batch {batch} was not accepted")

    with ThreadPoolExecutor(VISITORS) as senders:
        list(senders.map(send, range(BACKLOG // 10)))
    if queue_depth(queue) != BACKLOG:
        raise LookupError(f"{queue_depth(queue)} messages wait instead of {BACKLOG}")
    started = time.monotonic()
    _switch_recorder(on=True)
    _wait_until_counted(code, BACKLOG)
    return BACKLOG / (time.monotonic() - started)


def _message(code: str) -> str:
    nothing: dict[str, None] = {"referrer": None, "user_agent": None, "country": None}
    return encode(Click(v=1, id=uuid.uuid4(), code=code, occurred_at=datetime.now(UTC), **nothing))


def _switch_recorder(*, on: bool) -> None:
    functions = client("lambda")
    mappings = functions.list_event_source_mappings(FunctionName=f"linkly-{LOCAL}-record_clicks")
    [mapping] = mappings["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=on)
    while functions.get_event_source_mapping(UUID=mapping["UUID"])["State"] != ("Enabled" if on else "Disabled"):
        time.sleep(0.1)


def _writes() -> dict[str, Writes]:
    """What the same transactions are charged for as the recorder would write, each to new counters."""
    found = {}
    for name, mix in recorder.MIXES.items():
        batches = mix(random.Random(2026), BATCHES)  # noqa: S311 (the same clicks every time)
        charged = 0.0
        for shard, transaction in enumerate(transaction for batch in batches for transaction in plan(batch)):
            answer = app_aws.dynamodb().transact_write_items(
                TransactItems=recorder.actions_of(transaction, shard), ReturnConsumedCapacity="TOTAL"
            )
            charged += sum(table["CapacityUnits"] for table in answer["ConsumedCapacity"])
        found[name] = Writes(charged / sum(map(len, batches)), recorder.units(batches).write_units)
    return found


def _statistics() -> dict[str, Reads]:
    one_each = [{CLICKS: 1}] * SHARDS
    found = {
        "10 clicks, on 10 days": _reads("ten", 10, [{CLICKS: 1}]),
        f"{365 * SHARDS:,} in a year": _reads("one-each", 365, one_each),
        "1,000 million in a year": _reads("thousand-million", 365, [{CLICKS: 10**9 // 365 // SHARDS}] * SHARDS),
    }
    visitors = day.Visitors(random.Random(2026))  # noqa: S311 (the same clicks every time)
    for clicks in (1_000, 100_000):
        counters = day.counters(clicks, visitors)
        for days in (30, 92):
            found[f"{clicks:,} a day, all breakdowns of {days} days"] = _reads(
                f"{clicks}-{days}", days, counters, tuple(LETTERS)
            )
    return found


def _reads(code: str, days: int, counters: Sequence[Mapping[str, int]], by: Sequence[str] = ()) -> Reads:
    """What it takes to tell about days that each have these counters: a total by day, or breakdowns."""
    table, last = config.daily_clicks_table(), date(2026, 12, 31)
    items: list[Any] = [
        {
            "code": {"S": code},
            SORT_KEY: {"S": sort_key((last - timedelta(days=back)).isoformat(), shard)},
            **{name: {"N": str(number)} for name, number in numbers.items()},
        }
        for back in range(days)
        for shard, numbers in enumerate(counters)
    ]
    dynamodb = client("dynamodb")
    for start in range(0, len(items), 25):
        requests: Any = [{"PutRequest": {"Item": item}} for item in items[start : start + 25]]
        dynamodb.batch_write_item(RequestItems={table: requests})
    calls: list[str] = []
    events = app_aws.dynamodb().meta.events
    events.register("before-call.dynamodb", lambda model, **_: calls.append(model.name), unique_id="statistics")
    began = time.process_time()
    if by:
        report(code, Question(last - timedelta(days=days - 1), last, by, limit=20))
    else:
        clicks_by_day(code)
    spent = time.process_time() - began
    events.unregister("before-call.dynamodb", unique_id="statistics")
    # A consistent read of four kilobytes, begun, is a unit; the emulation says 1 of any query.
    return Reads(len(items), len(calls), ceil(sum(map(item_bytes, items)) / 4096), spent * 1000)


def describe(stack: Stack) -> str:
    """The figures, as a page of the report."""
    p50, p99 = (percentile(stack.lags, percent) for percent in (50, 99))
    rates = [
        f"| {name} | {each.baseline_median:.0f} | {each.median:.0f} | **{each.ratio:.2f}** |"
        for name, each in stack.rates.items()
        if name != BASELINE
    ]
    writes = [f"| {name} | {each.charged:.2f} | {each.by_rule:.2f} |" for name, each in stack.writes.items()]
    reads = [
        f"| {name} | {each.counters} | {each.calls} | {each.read_units} | {each.milliseconds:.0f} |"
        for name, each in stack.statistics.items()
    ]
    return "\n".join(
        [
            f"| {VISITORS} visitors at a time | no-op, follows a second | follows a second | ratio |",
            "|---|---|---|---|", *rates,
            "",
            "| all follows of Linkly | |", "|---|---|",
            f"| redirected, counted | {stack.sent}, {stack.counted} |",
            f"| from a click to its commit | p50 {p50:.0f} ms, p99 {p99:.0f} ms |",
            f"| a backlog of {BACKLOG:,}, clicks a second | {stack.drained:.0f} |",
            "",
            "| clicks on | write units a click, as charged | by DynamoDB's rules |", "|---|---|---|", *writes,
            "",
            "| statistics of a link with | counters | calls | read units | CPU ms |", "|---|---|---|---|---|", *reads,
        ]
    )  # fmt: skip
