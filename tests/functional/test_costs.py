"""What a click uses, measured on the app as it is; and that docs/cost.md says what follows from it."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from math import ceil
from typing import Any

import pytest

import app
from bench import day
from chalicelib.links.store import insert_link
from chalicelib.redirects import follow
from ops.watching import costs
from ops.watching.costs import Click
from tests import infrastructure
from tests.builders import LambdaContext, StoppedClock, a_click, a_link, a_message, an_sqs_event, clicks
from tests.faults import Call, Faults
from tests.functional.visitor import Visitor

PAGE = (infrastructure.ROOT / "docs" / "cost.md").read_text()

# What a browser sends.
BROWSER = {
    "User_Agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 "
    "Safari/537.36",
    "Referer": "https://www.example.com/a/page/of/some/length",
    "CloudFront_Viewer_Country": "DE",
}


class Recorder(LambdaContext):
    """As long as these are in AWS; they are in each of its lines."""

    function_name = "linkly-prod-record_clicks"
    aws_request_id = "5d6ec7b4-4cd3-4f9e-8a8d-27e1f6ab84a1"


def puts(call: Call) -> list[dict[str, Any]]:
    return [action["Put"]["Item"] for action in call.params["TransactItems"] if "Put" in action]


def write_units(call: Call) -> int:
    """A counter that is new is far from a kilobyte; bench/day.py follows it through a day."""
    counters = len(call.params["TransactItems"]) - len(puts(call))
    return sum(costs.transaction_units(costs.item_bytes(item)) for item in puts(call)) + counters * 2


def read_units(call: Call) -> float:
    """Of the question which links are deleted: a link is far from four kilobytes."""
    [request] = call.params["RequestItems"].values()
    assert request["ConsistentRead"] is False
    return sum(costs.read_units(1) for _ in request["Keys"])


def rounded(size: float, step: int) -> int:
    """Bytes, up to the next multiple of `step`, so that the page does not change with every word of a log line."""
    return ceil(size / step) * step


@pytest.fixture
def click(anyone: Visitor, faults: Faults, clock: StoppedClock, logs: Callable[[], list[dict[str, Any]]]) -> Click:
    """A click's way through the app, from the visitor's request to the commit."""
    insert_link(a_link(code="my-link"))
    visitor = anyone.sending(**BROWSER)
    visitor.get("/my-link")
    follow.forget()
    infrastructure.receive()
    faults.calls.clear()
    before = len(logs())

    def logged() -> int:
        return sum(len(json.dumps(line, separators=(",", ":"))) + 1 for line in logs()[before:])

    assert 302 == visitor.get("/my-link").status
    assert ["GetItem", "SendMessage"] == faults.operations
    [cached] = infrastructure.items("REDIRECTS_TABLE")
    log_bytes_redirect = logged()
    clock.time += timedelta(seconds=5)
    app.record_clicks(an_sqs_event(*infrastructure.receive()), Recorder())
    log_bytes_batch = logged() - log_bytes_redirect
    [alone] = faults.of("TransactWriteItems")

    app.record_clicks(an_sqs_event(*map(a_message, clicks(99))), Recorder())
    log_bytes_together = logged() - log_bytes_redirect - log_bytes_batch
    together = faults.of("TransactWriteItems")[1]
    asked_alone, asked_together = map(read_units, faults.of("BatchGetItem"))
    many_links, one_link = day.model()
    return Click(
        many_links=many_links,
        one_link=one_link,
        write_units_alone=write_units(alone),
        write_units_together=write_units(together) / len(puts(together)),
        clicks_together=len(puts(together)),
        read_units_alone=costs.read_units(len(json.dumps(cached, default=str))) + asked_alone,
        read_units_of_a_batch=asked_together,
        row_bytes=rounded(costs.item_bytes(puts(alone)[0]), 50),
        log_bytes=rounded(log_bytes_redirect, 50),
        log_bytes_of_a_batch=rounded(log_bytes_batch, 50),
        log_bytes_of_a_lag=rounded((log_bytes_together - log_bytes_batch) / (len(puts(together)) - 1), 1),
    )


def test_the_page_has_what_a_click_uses(click: Click) -> None:
    assert costs.click_table(click) in PAGE, costs.click_table(click)


def test_the_page_has_what_breakdowns_add(click: Click) -> None:
    assert costs.breakdowns_table(click) in PAGE, costs.breakdowns_table(click)


def test_a_row_of_a_long_referrer_and_user_agent_costs_twice_as_much(faults: Faults) -> None:
    long = a_click(referrer="r" * 1024, user_agent="u" * 512)

    app.record_clicks(an_sqs_event(a_message(long)), LambdaContext())

    [call] = faults.of("TransactWriteItems")
    assert 4 + 2 == write_units(call)


def test_the_page_has_the_costs_of_a_month(click: Click) -> None:
    assert costs.months_table(click) in PAGE, costs.months_table(click)
    assert costs.summary(click) in PAGE, costs.summary(click)


def test_the_page_has_both_front_doors(click: Click) -> None:
    assert costs.doors_table(click) in PAGE, costs.doors_table(click)


def test_the_doors_differ_in_what_is_paid_for_the_door_and_in_nothing_else(click: Click) -> None:
    gateway, edge = (costs.month(1_000_000, click, together=False, edge=edge) for edge in (False, True))

    assert {"requests", "traffic"} == gateway.keys() - edge.keys()
    assert {"edge requests", "edge traffic"} == edge.keys() - gateway.keys()
    assert [gateway["requests"], gateway["traffic"]] == [edge["edge requests"], edge["edge traffic"]]
    assert [gateway[name] for name in gateway if name in edge] == [edge[name] for name in edge if name in gateway]


def test_the_page_has_what_a_longer_window_takes_off(click: Click) -> None:
    parameter = infrastructure.template()["Parameters"]["RecorderWindowSeconds"]

    assert str(costs.WINDOW_SECONDS) == parameter["Default"]
    assert costs.window_table(click) in PAGE, costs.window_table(click)


def test_the_page_has_what_is_paid_while_nobody_clicks() -> None:
    infra = infrastructure.ROOT / "infra"
    alarms, of_a_function = ((infra / name).read_text() for name in ("alarms.yaml", "functions.yaml"))
    essential, others = (alarms.count(f"Condition: {name}\n") for name in ("EssentialAlarms", "EveryAlarm"))
    every = essential + others + len(costs.functions()) * of_a_function.count("Condition: EveryAlarm\n")
    rules = (infra / "firewall.yaml").read_text().count(" Priority: ")
    # Each metric of an alarm is paid for, be there one or several.
    metrics = [
        max(1, each.count("MetricStat:"))
        for each in re.split(r"\n(?=  \w+:\n)", alarms)
        if "Condition: EdgeAlarms\n" in each
    ]
    table = costs.idle_table({"essential": essential, "all": every}, rules, sum(metrics))

    assert table in PAGE, table


def test_the_page_has_every_price_and_where_it_was_read() -> None:
    assert costs.prices_table() in PAGE, costs.prices_table()
