"""What a month costs: AWS's prices, what a click uses, and the tables of docs/cost.md, which a test compares.

Units are those of AWS's bill. What a click uses is measured by tests/functional/test_costs.py; what could be measured
on AWS only is assumed, here and on the page.
"""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any, NamedTuple

from chalicelib.observability import METRICS
from ops import PROJECT

DAYS = 30
SECONDS = DAYS * 24 * 60 * 60
GIGABYTE = 1024**3

# Assumed.
REDIRECT_SECONDS = 0.02
RECORDER_SECONDS = 0.05
"""Billed for a warm redirect, and for each transaction of the recorder."""
ANSWER_BYTES = 700
"""Of an answer to a visitor, headers included."""

CONSUMERS, WINDOW_SECONDS, BATCH = 5, 2, 495
"""How the recorder's trigger is set, unless somebody chooses another window: how many at most run at once, and for how
long each gathers how many."""

SQS_ALONE, SQS_TOGETHER = 3, 1.2
"""SQS takes, gives and deletes at most ten messages in a request; the app sends one."""

# Lambda polls each of the three queues with five pollers. Where little comes it may do with two, but not where
# maximum_concurrency is set, as it is for the recorder.
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
FEWEST_POLLERS = 5 + 2 + 2
MOST_POLLERS = 5 + 5 + 5
POLL_SECONDS = 20
"""As long as a long poll may take; AWS does not say which. Seen, 15 a minute for a queue:
https://github.com/getlift/lift/issues/132
"""


@dataclass(frozen=True)
class Price:
    """Dollars for `per` units, of which so many a month are free for ever; and where it was read."""

    name: str
    dollars: float
    per: float
    unit: str
    free: float
    page: str
    read: str

    def of(self, units: float, *, less_free: bool = False) -> float:
        """What this many units cost in a month."""
        return max(0.0, units - (self.free if less_free else 0)) / self.per * self.dollars


_CLOUDFRONT = "https://aws.amazon.com/cloudfront/pricing/"
_CLOUDWATCH = "https://aws.amazon.com/cloudwatch/pricing/"
_DYNAMODB = "https://aws.amazon.com/dynamodb/pricing/on-demand/"
_KMS = "https://aws.amazon.com/kms/pricing/"
_WAF = "https://aws.amazon.com/waf/pricing/"
_LAMBDA = "https://aws.amazon.com/lambda/pricing/"
_AWS, _SECOND_HAND, _PARTLY = "AWS", "second-hand", "AWS (the free part); second-hand"

PRICES = {
    "requests": Price(
        "API Gateway, REST requests",
        3.5,
        1e6,
        "million",
        0,
        "https://aws.amazon.com/api-gateway/pricing/",
        _AWS,
    ),
    "traffic": Price(
        "Data transfer out",
        0.09,
        GIGABYTE,
        "GB",
        100 * GIGABYTE,
        "https://aws.amazon.com/ec2/pricing/on-demand/",
        _SECOND_HAND,
    ),
    "edge requests": Price("CloudFront, HTTPS requests", 1, 1e6, "million", 10e6, _CLOUDFRONT, _PARTLY),
    "edge traffic": Price("CloudFront, data transfer out", 0.085, GIGABYTE, "GB", 1024 * GIGABYTE, _CLOUDFRONT, _AWS),
    "invocations": Price("Lambda, requests", 0.2, 1e6, "million", 1e6, _LAMBDA, _AWS),
    "duration": Price("Lambda, duration (x86)", 0.0000166667, 1, "GB-second", 400_000, _LAMBDA, _AWS),
    "sqs": Price("SQS, requests", 0.4, 1e6, "million", 1e6, "https://aws.amazon.com/sqs/pricing/", _SECOND_HAND),
    "writes": Price("DynamoDB, write request units", 0.625, 1e6, "million", 0, _DYNAMODB, _SECOND_HAND),
    "reads": Price("DynamoDB, read request units", 0.125, 1e6, "million", 0, _DYNAMODB, _SECOND_HAND),
    "storage": Price("DynamoDB, storage", 0.25, GIGABYTE, "GB-month", 25 * GIGABYTE, _DYNAMODB, _AWS),
    "backups": Price("DynamoDB, point-in-time recovery", 0.2, GIGABYTE, "GB-month", 0, _DYNAMODB, _SECOND_HAND),
    "logs": Price("CloudWatch, logs taken in", 0.5, GIGABYTE, "GB", 5 * GIGABYTE, _CLOUDWATCH, _PARTLY),
    "metrics": Price("CloudWatch, custom metrics", 0.3, 1, "metric", 10, _CLOUDWATCH, _PARTLY),
    "alarms": Price("CloudWatch, alarms", 0.1, 1, "alarm", 10, _CLOUDWATCH, _PARTLY),
    "dashboards": Price("CloudWatch, dashboards", 3, 1, "dashboard", 3, _CLOUDWATCH, _PARTLY),
    "firewalls": Price("WAF, a web ACL", 5, 1, "web ACL", 0, _WAF, _SECOND_HAND),
    "rules": Price("WAF, rules and managed groups of rules", 1, 1, "rule", 0, _WAF, _SECOND_HAND),
    "filtered": Price("WAF, requests", 0.6, 1e6, "million", 0, _WAF, _SECOND_HAND),
    "keys": Price("KMS, a key of one's own", 1, 1, "key", 0, _KMS, _AWS),
}


class WriteUnits(NamedTuple):
    """Of a click through a day, on average: with counters that only count, and with their breakdowns."""

    plain: float
    broken_down: float


@dataclass(frozen=True)
class Click:
    """What a click uses, measured; each click alone, and in the fullest transactions there are."""

    many_links: Mapping[int, WriteUnits]
    """Of clicks on 10,000 links, by how many clicks there are in a month (bench/day.py)."""
    one_link: WriteUnits
    """Of clicks on one link, in full batches."""
    write_units_alone: float
    write_units_together: float
    clicks_together: int
    read_units_alone: float
    read_units_of_a_batch: float
    """When all of its clicks are on one link, found in memory."""
    row_bytes: int
    log_bytes: int
    """Of the redirect's line."""
    log_bytes_of_a_batch: int
    """Of the recorder's line about a single click."""
    log_bytes_of_a_lag: int
    """In the recorder's line, of each further click, of at most 100."""


def item_bytes(item: Mapping[str, Mapping[str, Any]]) -> int:
    """The size of an item by DynamoDB's rules, for the types that Linkly's have.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: Mapping[str, Any]) -> int:
    match value:
        case {"S": text}:
            return len(text.encode())
        case {"N": number}:
            return ceil(len(number) / 2) + 1
        case {"BOOL": _} | {"NULL": _}:
            return 1
        case _:
            raise NotImplementedError(f"How large is {value}?")


def transaction_units(size: int) -> int:
    """The write request units of an item of `size` bytes in a transaction: twice those outside of one."""
    return 2 * ceil(size / 1024)


def read_units(size: int) -> float:
    """The read request units of an eventually consistent read of an item of `size` bytes."""
    return ceil(size / 4096) / 2


def month(
    clicks: int, click: Click, *, together: bool, window: float = WINDOW_SECONDS, edge: bool = False
) -> dict[str, float]:
    """The units of a month with so many clicks: each alone wherever that is dearer, or all in full batches.

    Visitors come in by API Gateway, or at the `edge` by CloudFront and the redirect's URL, which costs nothing itself,
    nor does what goes from there to CloudFront.
    """
    batches = clicks / BATCH if together else min(clicks, max(CONSUMERS * SECONDS / window, clicks / BATCH))
    transactions = clicks / click.clicks_together if together else batches
    rows = clicks * 90 / DAYS * (click.row_bytes + 100)  # kept for 90 days; DynamoDB adds 100 bytes to each
    return {
        "edge requests" if edge else "requests": clicks,
        "edge traffic" if edge else "traffic": clicks * ANSWER_BYTES,
        "invocations": clicks + batches,
        "duration": clicks * REDIRECT_SECONDS * _gigabytes("follow_link")
        + transactions * RECORDER_SECONDS * _gigabytes("record_clicks"),
        "sqs": clicks * (SQS_TOGETHER if together else SQS_ALONE) + polls(MOST_POLLERS),
        "writes": clicks * (click.one_link if together else click.many_links[clicks]).broken_down,
        "reads": batches * click.read_units_of_a_batch if together else clicks * click.read_units_alone,
        "storage": rows,
        "backups": rows,
        "logs": clicks * click.log_bytes + batches * _batch_log_bytes(click, clicks / batches),
        "metrics": len(METRICS),
    }


def _batch_log_bytes(click: Click, clicks: float) -> float:
    """What the recorder logs about so many clicks."""
    return click.log_bytes_of_a_batch + (min(clicks, 100) - 1) * click.log_bytes_of_a_lag


def polls(pollers: int) -> float:
    """How often so many pollers ask in a month whether there is anything."""
    return pollers * SECONDS / POLL_SECONDS


def click_table(click: Click) -> str:
    """What a click uses."""
    return _markdown(
        [
            ["a click", "alone", "in full batches, on one link"],
            ["---", "---:", "---:"],
            [
                f"write request units: its row, and the counter that up to {click.clicks_together} clicks share",
                f"{click.write_units_alone:.2f}",
                f"{click.write_units_together:.2f}",
            ],
            [
                "read request units: the redirect cache, and whether the link is deleted, once a batch",
                f"{click.read_units_alone:.2f}",
                f"{click.read_units_of_a_batch / BATCH:.2f}",
            ],
            ["SQS requests: sent, received, deleted; the last two by tens", f"{SQS_ALONE}", f"{SQS_TOGETHER}"],
            ["bytes of its row", f"{click.row_bytes:,}", f"{click.row_bytes:,}"],
            [
                "bytes that it logs: its line, and a share of its batch's",
                f"{click.log_bytes + click.log_bytes_of_a_batch:,}",
                f"{click.log_bytes + _batch_log_bytes(click, BATCH) / BATCH:,.0f}",
            ],
        ]
    )


def breakdowns_table(click: Click) -> str:
    """What breakdowns add."""
    rows = [
        ["write units a click", "only counted", "with breakdowns", "dollars a million more"],
        ["---", "---:", "---:", "---:"],
    ]
    lines = [(f"10,000 links, {clicks:,} clicks a month", units) for clicks, units in click.many_links.items()]
    for what, units in [*lines, ("one link, in full batches", click.one_link)]:
        more = PRICES["writes"].of((units.broken_down - units.plain) * 1_000_000)
        rows.append([what, f"{units.plain:.2f}", f"{units.broken_down:.2f}", f"{more:.2f}"])
    return _markdown(rows)


def summary(click: Click) -> str:
    """A month in a sentence."""

    def span(clicks: int) -> str:
        units = month(clicks, click, together=False)
        least, most = (
            sum(PRICES[name].of(amount, less_free=less_free) for name, amount in units.items())
            for less_free in (True, False)
        )
        return f"{least:.0f} to {most:.0f}"

    return f"A million clicks in a month cost {span(1_000_000)} dollars, ten thousand {span(10_000)}."


def months_table(click: Click) -> str:
    """The costs of a month, by the number of clicks."""
    columns = [
        ("10 thousand", month(10_000, click, together=False)),
        ("1 million", month(1_000_000, click, together=False)),
        ("100 million", month(100_000_000, click, together=False)),
        ("100 million, on one link", month(100_000_000, click, together=True)),
    ]
    rows = [
        ["dollars a month, for so many clicks", *(name for name, _ in columns)],
        ["---", *["---:"] * len(columns)],
        *(
            [PRICES[name].name, *(_dollars(PRICES[name].of(units[name])) for _, units in columns)]
            for name in columns[0][1]
        ),
    ]
    for title, less_free in (("**together**", False), ("**less what AWS gives for nothing**", True)):
        sums = [
            sum(PRICES[name].of(amount, less_free=less_free) for name, amount in units.items()) for _, units in columns
        ]
        rows.append([title, *(f"**{_dollars(total)}**" for total in sums)])
    return _markdown(rows)


def doors_table(click: Click) -> str:
    """A month behind either front door, less what AWS gives for nothing; at last without what breakdowns add."""
    columns = [
        ("1 million", 1_000_000, False),
        ("100 million", 100_000_000, False),
        ("100 million, on one link", 100_000_000, True),
    ]

    def total(clicks: int, together: bool, edge: bool, names: Collection[str] = PRICES.keys()) -> float:
        units = month(clicks, click, together=together, edge=edge)
        return sum(PRICES[name].of(amount, less_free=True) for name, amount in units.items() if name in names)

    def breakdowns(clicks: int, together: bool) -> float:
        units = click.one_link if together else click.many_links[clicks]
        return PRICES["writes"].of((units.broken_down - units.plain) * clicks)

    def row(title: str, figure: Callable[[int, bool], float]) -> list[str]:
        return [title, *(_dollars(figure(clicks, together)) for _, clicks, together in columns)]

    door = ("requests", "traffic", "edge requests", "edge traffic")
    return _markdown(
        [
            ["dollars a month, less what AWS gives for nothing", *(name for name, *_ in columns)],
            ["---", *["---:"] * len(columns)],
            row("API Gateway: requests and traffic", lambda clicks, together: total(clicks, together, False, door)),
            row("CloudFront: requests and traffic", lambda clicks, together: total(clicks, together, True, door)),
            row("all of it behind API Gateway", lambda clicks, together: total(clicks, together, False)),
            row("all of it behind CloudFront", lambda clicks, together: total(clicks, together, True)),
            row(
                "the same for each million, before breakdowns",
                lambda clicks, together: (
                    (total(clicks, together, True) - breakdowns(clicks, together)) / clicks * 1_000_000
                ),
            ),
        ]
    )


def window_table(click: Click) -> str:
    """What a longer batching window takes off."""
    rows = [["`RECORDER_WINDOW_SECONDS`", "1 million", "100 million"], ["---:", "---:", "---:"]]
    for window in (WINDOW_SECONDS, 10, 30, 60, 300):
        sums = [
            sum(
                PRICES[name].of(amount, less_free=True)
                for name, amount in month(clicks, click, together=False, window=window).items()
            )
            for clicks in (1_000_000, 100_000_000)
        ]
        rows.append([str(window), *map(_dollars, sums)])
    return _markdown(rows)


def idle_table(alarms: Mapping[str, int], rules: int, at_the_edge: int) -> str:
    """What is paid while nobody clicks; `alarms` has their number by the setting ALARMS, `rules` is the firewall's.

    `at_the_edge` are the metrics that there are alarms of besides with EDGE=true: AWS is paid for each.
    """
    both = alarms["essential"] + at_the_edge
    fewest, most = polls(FEWEST_POLLERS), polls(MOST_POLLERS)
    lines: list[tuple[str, Mapping[str, float]]] = [
        (f"Lambda asks three empty queues, with {FEWEST_POLLERS} pollers: {fewest:,.0f} requests", {"sqs": fewest}),
        (f"the same with {MOST_POLLERS} pollers: {most:,.0f} requests", {"sqs": most}),
        ("a gigabyte in the tables, and its backup", {"storage": GIGABYTE, "backups": GIGABYTE}),
        (f"`ALARMS=essential`, the default: {alarms['essential']} alarms", {"alarms": alarms["essential"]}),
        (f"`ALARMS=all`, with {len(functions())} functions: {alarms['all']} alarms", {"alarms": alarms["all"]}),
        (
            f"`EDGE=true` with the essential alarms: {at_the_edge} more metrics in alarms, {both} in all",
            {"alarms": both},
        ),
        ("`DASHBOARD=yes`, the default", {"dashboards": 1}),
        ("`ALARM_EMAIL`: the key that encrypts the topic", {"keys": 1}),
        (f"`FIREWALL=true`: AWS WAF with {rules} rules", {"firewalls": 1, "rules": rules}),
        (f"the same with `EDGE=true`: {rules} rules twice", {"firewalls": 2, "rules": 2 * rules}),
    ]
    rows = [
        ["dollars a month, for nothing", "at list price", "less what AWS gives for nothing"],
        ["---", "---:", "---:"],
    ]
    for title, units in lines:
        sums = [
            sum(PRICES[name].of(amount, less_free=free) for name, amount in units.items()) for free in (False, True)
        ]
        rows.append([title, *map(_dollars, sums)])
    return _markdown(rows)


def prices_table() -> str:
    """Each price, and where it comes from."""
    rows = [["what", "dollars", "for a", "free every month", "read at"], ["---", "---:", "---", "---:", "---"]]
    for price in PRICES.values():
        free = price.free / (GIGABYTE if price.unit.startswith("GB") and price.per == GIGABYTE else 1)
        rows.append(
            [
                f"[{price.name}]({price.page})",
                f"{price.dollars:.10f}".rstrip("0").rstrip("."),
                price.unit,
                f"{free:,.0f}" if free else "",
                price.read,
            ]
        )
    return _markdown(rows)


def _gigabytes(function: str) -> float:
    """The memory of a function."""
    megabytes: int = {**_config(), **functions()[function]}["lambda_memory_size"]
    return megabytes / 1024


def functions() -> Mapping[str, Mapping[str, Any]]:
    """The functions that Linkly comes with, each with its settings; one that is added may do without settings."""
    found: Mapping[str, Mapping[str, Any]] = _config()["lambda_functions"]
    return found


def _config() -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads((PROJECT / ".chalice" / "config.json").read_text())
    return found


def _dollars(amount: float) -> str:
    return f"{amount:,.2f}" if amount < 100 else f"{amount:,.0f}"


def _markdown(rows: list[list[str]]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)
