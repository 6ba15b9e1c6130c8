"""`python -m ops status`: how a stage is, on one screen."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import httpx
import typer
from rich.console import Console
from rich.table import Table

from chalicelib import clock, config
from ops.repairing.clicks import unqueued
from ops.repairing.consumers import consumers
from ops.repairing.reconcile import Key, replayable
from ops.shared import cloudwatch
from ops.shared.aws import client
from ops.shared.cloudwatch import Metric
from ops.shared.listing import AsJson, print_json, print_whole
from ops.shared.log_lines import KEPT, json_lines
from ops.shared.percentiles import percentile
from ops.shared.queues import queue_depth, queue_urls
from ops.shared.stacks import outputs_of, stack_name
from ops.shared.stages import Stage, address, connect

SECONDS_TO_ANSWER = 10
NO_METRIC = "no metric"

_HOUR = timedelta(hours=1)

# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html. After UPDATE_ROLLBACK_COMPLETE
# all is as it was before the deployment: nothing to mend.
_BROKEN = ("_FAILED", "DELETE_COMPLETE", "DELETE_IN_PROGRESS")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How GET /health answered: `status` is HTTP's, or None with the reason in `error`."""

    url: str
    status: int | None
    milliseconds: int
    error: str = ""


@dataclass(frozen=True, slots=True)
class Stack:
    """The stack, and the version that was deployed last."""

    status: str
    changed_at: str
    version: str


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue; `oldest_seconds` is the age of its oldest message, None where nobody measures it."""

    name: str
    messages: int
    oldest_seconds: int | None

    @property
    def dead_letters(self) -> str | None:
        """The queue whose dead letters these are, by the name that `dlq` knows; None of another one."""
        return self.name.removesuffix("-dlq") if self.name.endswith("-dlq") else None


@dataclass(frozen=True, slots=True)
class Source:
    """A consumer: its event source mapping's state, and what came of the last batch."""

    function: str
    state: str
    last_result: str


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm that is on."""

    name: str
    since: str
    description: str


@dataclass(frozen=True, slots=True)
class LastHour:
    """Clicks recorded in the last hour, and the milliseconds from a click to its commit; None without clicks."""

    clicks: int
    lag_p50: int | None
    lag_p99: int | None


@dataclass(frozen=True, slots=True)
class Report:
    """All of it, at one time."""

    stage: str
    at: str
    endpoint: Endpoint
    stack: Stack
    queues: Sequence[Queue]
    consumers: Sequence[Source]
    alarms: Sequence[Alarm]
    to_replay: int
    """Clicks that could not be queued, and are in the log."""
    last_hour: LastHour


def show_status(as_json: AsJson = False, stage: Stage = None) -> None:
    """Show how a stage is. Exit code 0: well; 1: something is wrong, and what is said in sentences."""
    stage = connect(stage)
    with Console(stderr=True).status("asking AWS"):
        report = look(stage)
    wrong = list(problems(report))
    if as_json:
        print_json({**asdict(report), "problems": wrong})
    else:
        show(report, wrong)
    if wrong:
        raise typer.Exit(1)


def look(stage: str) -> Report:
    """Ask AWS how a stage is that this process is connected to."""
    now = clock.now()
    [stack] = client("cloudformation").describe_stacks(StackName=stack_name(stage))["Stacks"]
    outputs = outputs_of(stack)
    urls = {name.removeprefix(f"{stack_name(stage)}-"): url for name, url in queue_urls(stage).items()}
    measured = _metrics(stage, list(urls), now)
    return Report(
        stage=stage,
        at=clock.rfc3339(now),
        endpoint=_ask(config.base_url() or address(outputs)),
        stack=Stack(
            status=stack["StackStatus"],
            changed_at=clock.rfc3339(stack.get("LastUpdatedTime", stack["CreationTime"])),
            version=outputs.get("Version", "unknown"),
        ),
        queues=[Queue(name, queue_depth(url), _whole(measured[name])) for name, url in urls.items()],
        consumers=[Source(each.function, each.state, each.last_result) for each in consumers(stage)],
        alarms=_alarms(stage),
        to_replay=to_replay(stage, now),
        last_hour=_last_hour(measured) if measured["clicks"] else _last_hour_logged(stage),
    )


def problems(report: Report) -> Iterator[str]:
    """What is wrong, each in a sentence that says what to do."""
    stage = f"--stage {report.stage}"
    if report.endpoint.status != HTTPStatus.OK:
        what = report.endpoint.error or f"the status was {report.endpoint.status}"
        yield (
            f"{report.endpoint.url}/health does not answer as it should: {what}. "
            f"See why: python -m ops logs --function follow_link --since 1h {stage}"
        )
    if report.stack.status.endswith(_BROKEN) or report.stack.status == "ROLLBACK_COMPLETE":
        yield (
            f"The stack {stack_name(report.stage)} is {report.stack.status}. "
            f"See the reason among its events in CloudFormation, and deploy again: make deploy STAGE={report.stage}"
        )
    for queue in report.queues:
        if queue.dead_letters and queue.messages:
            yield (
                f"Messages wait in {queue.name}: {queue.messages}. "
                f"See why: python -m ops dlq show {queue.dead_letters} {stage}; "
                f"then send them back: python -m ops dlq redrive {queue.dead_letters} {stage}"
            )
    for consumer in report.consumers:
        if consumer.state == "Disabled":
            yield f"{consumer.function} is paused. Let it go on: python -m ops resume {consumer.function} {stage}"
        elif consumer.state != "Enabled":
            yield f"{consumer.function} is {consumer.state.lower()}. Look again in a minute."
    if report.to_replay:
        yield (
            f"Clicks that could not be queued are in the log, which keeps them for {KEPT.days} days: "
            f"{report.to_replay}. Have them counted: python -m ops clicks replay --since {KEPT.days}d {stage}"
        )
    for alarm in report.alarms:
        yield f"The alarm {alarm.name} is on since {alarm.since}: {alarm.description}"


def to_replay(stage: str, now: datetime) -> int:
    """How many clicks SQS did not accept that are still to be counted.

    They are in the log, which may be long: it is read if a metric says that there is something to find, or
    where CloudWatch makes no metrics, as in the emulation.
    """
    names = ("ClicksRecorded", "ClicksUnqueued")
    wanted = {name: Metric("Linkly", name, {"stage": stage}, "Sum", _HOUR) for name in names}
    recorded, not_accepted = cloudwatch.read(wanted, now, KEPT).values()
    if recorded and not not_accepted:
        return 0
    return len(replayable(Key(*click.key) for click in unqueued(stage, (now - KEPT).timestamp())))


def _ask(url: str) -> Endpoint:
    started = time.monotonic()
    status, error = None, ""
    try:
        status = httpx.get(f"{url}/health", timeout=SECONDS_TO_ANSWER).status_code
    except (httpx.HTTPError, httpx.InvalidURL) as refusal:
        error = str(refusal) or type(refusal).__name__
    return Endpoint(url, status, round(1000 * (time.monotonic() - started)), error)


def _metrics(stage: str, queues: Sequence[str], now: datetime) -> dict[str, list[float]]:
    """The values of the last hour, newest first, by queue (the age of its oldest message), and clicks, p50 and p99."""
    wanted = {
        name: Metric(
            "AWS/SQS", "ApproximateAgeOfOldestMessage", {"QueueName": f"{stack_name(stage)}-{name}"}, "Maximum"
        )
        for name in queues
    }
    wanted["clicks"] = Metric("Linkly", "ClicksRecorded", {"stage": stage}, "Sum")
    for statistic in ("p50", "p99"):
        wanted[statistic] = Metric("Linkly", "ClickLag", {"stage": stage}, statistic, _HOUR)
    return cloudwatch.read(wanted, now, _HOUR)


def _whole(values: Sequence[float]) -> int | None:
    return round(values[0]) if values else None


def _last_hour(measured: Mapping[str, Sequence[float]]) -> LastHour:
    return LastHour(round(sum(measured["clicks"])), _whole(measured["p50"]), _whole(measured["p99"]))


def _last_hour_logged(stage: str) -> LastHour:
    """The same where CloudWatch makes no metrics, as in the emulation: from the lines that they are made of."""
    lines = [*json_lines(stage, "record_clicks", time.time() - _HOUR.total_seconds(), "ClickLag")]
    lags = [lag for line in lines for lag in line["ClickLag"]]
    if not lags:
        return LastHour(0, None, None)
    recorded = sum(line["ClicksRecorded"] for line in lines)
    return LastHour(recorded, round(percentile(lags, 50)), round(percentile(lags, 99)))


def _alarms(stage: str) -> list[Alarm]:
    pages = (
        client("cloudwatch")
        .get_paginator("describe_alarms")
        .paginate(
            AlarmNamePrefix=f"{stack_name(stage)}-",
            AlarmTypes=["MetricAlarm", "CompositeAlarm"],
            StateValue="ALARM",
        )
    )
    found = [alarm for page in pages for kind in ("MetricAlarms", "CompositeAlarms") for alarm in page.get(kind, [])]
    return [
        Alarm(each["AlarmName"], clock.rfc3339(each["StateUpdatedTimestamp"]), each.get("AlarmDescription", ""))
        for each in found
    ]


def show(report: Report, wrong: Sequence[str]) -> None:
    """Print all of it for people, and what is wrong."""
    console = Console(highlight=False, markup=False, emoji=False)
    endpoint, stack, hour = report.endpoint, report.stack, report.last_hour
    table = Table.grid(padding=(0, 2))
    answer = f"answers in {endpoint.milliseconds} ms" if endpoint.status == HTTPStatus.OK else "does not answer"
    table.add_row("endpoint", f"{endpoint.url} {answer}")
    table.add_row("version", stack.version)
    table.add_row("last deployment", f"{stack.status}, {_moment(stack.changed_at)}")
    table.add_row("clicks, last hour", str(hour.clicks))
    table.add_row(
        "lag, last hour",
        f"p50 {_unit(hour.lag_p50, 'ms')}, p99 {_unit(hour.lag_p99, 'ms')}" if hour.clicks else "no clicks",
    )
    table.add_row("clicks to replay", str(report.to_replay))
    table.add_row("alarms", ", ".join(alarm.name for alarm in report.alarms) or "none is on")
    queues = Table("queue", "messages", "oldest")
    for queue in report.queues:
        style = "red" if queue.dead_letters and queue.messages else ""
        queues.add_row(queue.name, str(queue.messages), _unit(queue.oldest_seconds, "s"), style=style)
    sources = Table("consumer", "state", "last batch")
    for source in report.consumers:
        sources.add_row(
            source.function, source.state, source.last_result, style="" if source.state == "Enabled" else "red"
        )
    console.print(f"Linkly, stage {report.stage}", style="bold")
    for part in (table, queues, sources):
        print_whole(part)
    for sentence in wrong:
        console.print(sentence, style="red", soft_wrap=True)
    if not wrong:
        console.print("All is well.", style="green")


def _moment(rfc3339: str) -> str:
    return f"{datetime.fromisoformat(rfc3339).astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _unit(number: int | None, unit: str) -> str:
    return NO_METRIC if number is None else f"{number:,} {unit}"
