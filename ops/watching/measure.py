"""What a deployed stage takes: over HTTP, as a visitor waits for it, and by the account of AWS, as it is paid for.

How many invocations there were and how long they took, Lambda's metrics say at any time. No metric says what starting
a process took and how much memory was used: that is in the line that Lambda writes about an invocation, if the stage is
deployed with INVOCATION_LOGS=true. It is a setting, and not switched on from here for the time of measuring, because a
change of a function's configuration replaces its processes, and CloudFormation would not know of it.
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html#platform-report
"""

import asyncio
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

import httpx
import typer

from chalicelib import clock
from chalicelib.access.callers import Caller
from chalicelib.access.keys import Role
from chalicelib.links.change import delete_link
from chalicelib.links.create import LinkRequest, create_link
from ops.shared import cloudwatch
from ops.shared.cloudwatch import Metric
from ops.shared.durations import duration
from ops.shared.log_lines import fields_of, lines_with
from ops.shared.percentiles import percentile
from ops.shared.stacks import outputs, stack_name
from ops.shared.stages import Stage, address, connect
from ops.watching.load import Follow, follow_at_rate, latencies

_OPERATOR = Caller("operator", Role.ADMIN)


@dataclass(frozen=True)
class Invocations:
    """Some invocations, by Lambda's metrics: what starting a process took is not in their time."""

    number: int
    p50: float
    p99: float
    """Milliseconds."""


@dataclass(frozen=True)
class Report:
    """An invocation, by Lambda's account."""

    milliseconds: float
    init_milliseconds: float | None
    """What starting the process took before; None if it ran already."""
    memory_megabytes: int
    most_used_megabytes: int


def measure(
    follows: Annotated[int, typer.Option(min=1, max=1000, help="How many follows to send, five a second.")] = 50,
    since: Annotated[timedelta, typer.Option(parser=duration, metavar="DURATION", help="How far back.")] = "1h",  # type: ignore[assignment]
    stage: Stage = None,
) -> None:
    """Follow a link of its own over HTTP, and read what Lambda and DynamoDB tell of starts, invocations and writes."""
    stage = connect(stage)
    print(describe_follows(follow(address(outputs(stage)), follows)))
    for function in ("follow_link", "record_clicks"):
        print(describe_invocations(function, invocations(stage, function, since), since))
        print(describe_reports(list(reports(stage, function, time.time() - since.total_seconds()))))
    print(describe_writes(*writes(stage, since), since))


def follow(url: str, number: int) -> list[Follow]:
    """Follow a new link of the connected stage at `url`, five times a second, and delete it again."""
    link = create_link(LinkRequest({"url": "https://example.com/measure", "code": None}, _OPERATOR, frozenset({url})))
    try:
        return asyncio.run(follow_at_rate(f"{url}/{link.code}", 5, number / 5))
    finally:
        delete_link(link.code, _OPERATOR, None)


def invocations(stage: str, function: str, since: timedelta) -> Invocations | None:
    """The invocations of a function of `stage` in the time `since`; None if CloudWatch knows of none."""
    of = {"FunctionName": f"{stack_name(stage)}-{function}"}
    wanted = {
        "number": Metric("AWS/Lambda", "Invocations", of, "Sum"),
        **{each: Metric("AWS/Lambda", "Duration", of, each, since) for each in ("p50", "p99")},
    }
    found = cloudwatch.read(wanted, clock.now(), since)
    if not all(found.values()):
        return None
    return Invocations(round(sum(found["number"])), found["p50"][0], found["p99"][0])


def reports(stage: str, function: str, since: float) -> Iterator[Report]:
    """The invocations of a function of `stage` that went well since a time in seconds, as far as they are logged."""
    for term in ("platform.report", "REPORT"):
        for line in lines_with(stage, function, since, term):
            if report := parse(line.message):
                yield report


def writes(stage: str, since: timedelta) -> tuple[float, float]:
    """The write units that the clicks' tables took in the time `since`, and the clicks that were recorded."""
    wanted = {
        table: Metric(
            "AWS/DynamoDB", "ConsumedWriteCapacityUnits", {"TableName": f"{stack_name(stage)}-{table}"}, "Sum"
        )
        for table in ("clicks", "daily_clicks")
    }
    wanted["recorded"] = Metric("Linkly", "ClicksRecorded", {"stage": stage}, "Sum")
    sums = {name: sum(values) for name, values in cloudwatch.read(wanted, clock.now(), since).items()}
    return sums["clicks"] + sums["daily_clicks"], sums["recorded"]


def parse(line: str) -> Report | None:
    """The invocation that a line tells of; None of one that failed, which is logged always, and of another line.

    Lambda's lines are JSON. Text, with the same in it, is what it wrote before, and what its emulation writes.
    """
    fields: Mapping[str, Any]
    if line.startswith("REPORT RequestId: "):
        fields = dict(re.findall(r"\t([A-Z][A-Za-z ]+): ([\d.]+) (?:ms|MB)", line))
        names = ("Duration", "Init Duration", "Memory Size", "Max Memory Used")
    else:
        told = fields_of(line) or {}
        if told.get("type") != "platform.report" or told["record"].get("status") != "success":
            return None
        fields = told["record"]["metrics"]
        names = ("durationMs", "initDurationMs", "memorySizeMB", "maxMemoryUsedMB")
    duration, start, size, used = map(fields.get, names)
    if duration is None or size is None or used is None:
        return None
    return Report(float(duration), None if start is None else float(start), int(size), int(used))


def describe_follows(follows: Sequence[Follow]) -> str:
    """What a visitor waited."""
    redirected = sum(each.status == httpx.codes.FOUND for each in follows)
    return f"HTTP: {len(follows)} follows, {redirected} redirected; {latencies(follows)}"


def describe_invocations(function: str, found: Invocations | None, period: timedelta) -> str:
    """What Lambda took, by its metrics."""
    if not found:
        return f"{function}: CloudWatch has no invocation in the last {period}."
    return f"{function}: {found.number:,} invocations; Duration p50 {found.p50:.0f} ms, p99 {found.p99:.0f} ms"


def describe_reports(found: Sequence[Report]) -> str:
    """What Lambda took, by its log."""
    if not found:
        return "  starts and memory: not logged; deploy the stage with INVOCATION_LOGS=true for a while"
    cold = [each for each in found if each.init_milliseconds is not None]
    warm = [each for each in found if each.init_milliseconds is None]
    most = max(each.most_used_megabytes for each in found)
    lines = [f"  logged: {len(warm)} warm, {len(cold)} cold; at most {most} of {found[-1].memory_megabytes} MB used"]
    if warm:
        lines.append(f"  warm: Duration {_spread([each.milliseconds for each in warm])}")
    if cold:
        lines.append(f"  cold: Init Duration {_spread([each.init_milliseconds or 0 for each in cold])}")
        lines.append(f"        and then Duration {_spread([each.milliseconds for each in cold])}")
    return "\n".join(lines)


def describe_writes(units: float, clicks: float, period: timedelta) -> str:
    """What DynamoDB took for a click; what is repeated, purged or restored is in it too."""
    if not (units and clicks):
        return f"clicks and daily_clicks: CloudWatch has no write units of recorded clicks in the last {period}."
    return f"clicks and daily_clicks: {units / clicks:.2f} write units a click, of {clicks:,.0f} clicks"


def _spread(values: Sequence[float]) -> str:
    return f"p50 {percentile(values, 50):.0f} ms, p99 {percentile(values, 99):.0f} ms"
