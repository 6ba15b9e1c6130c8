"""Which limit comes first: AWS's quotas, our settings, what a click asks of each, and the tables of docs/scale.md.

A test compares the page. What a batch is made of, conflicts and lag are told by bench/backlog.py; how long work takes
on AWS is assumed, here and on the page.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from math import ceil, inf

from chalicelib.clicks.counters import SHARDS
from chalicelib.clicks.transactions import MOST_ACTIONS
from chalicelib.clock import LONGEST_PAUSE
from ops import PROJECT
from ops.watching.costs import CONSUMERS, RECORDER_SECONDS, REDIRECT_SECONDS, functions

LOADS = (100, 1_000, 5_000, 10_000)
"""Clicks a second."""
DAY_SECONDS = 24 * 60 * 60
LINKS = 1_000_000
ONE_LINK, ZIPF = "one link", "a million links"
SPELL = 10
"""Minutes of such a load, after which it is said how much waits."""

# Assumed; as on docs/cost.md, where it is there too.
COLD_SECONDS = 1.0
"""From a request that nobody is there for to its answer."""
COUNTER_BYTES = 4096
"""The most that a counter's item can have (tests/unit/test_item_sizes.py); a busy one has three quarters of it."""
READ_UNITS = 0.5
"""Of a look into the cache of redirects."""


@dataclass(frozen=True)
class Mix:
    """Which links the clicks are on."""

    clicks_a_core_second: int
    """That the recorder counts, of CPU; measured (docs/benchmarks.md)."""
    hottest: float
    """The part of all clicks that the most followed link has."""


MIXES = {
    ONE_LINK: Mix(3_095, 1.0),
    ZIPF: Mix(2_218, 1 / sum(1 / rank for rank in range(1, LINKS + 1))),
}


@dataclass(frozen=True)
class Shape:
    """What a batch is made of, on average."""

    clicks: int
    transactions: float
    updates: float
    """Of counters."""
    row_units: float
    """Write units of a click's row."""
    update_units: float
    """Write units of all the updates, at the end of a day."""


Shapes = Callable[[str, float], Shape]
"""Of a mix, at so many clicks a second."""


@dataclass(frozen=True)
class Quota:
    """What AWS allows unless it is asked, and where that was read."""

    name: str
    amount: float
    unit: str
    page: str
    more: str
    """Who moves it, and how."""


_APIGATEWAY = "https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html"
_CLOUDFRONT = "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html"
_DYNAMODB = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/"
_LAMBDA = "https://docs.aws.amazon.com/lambda/latest/dg/"
_LOGS = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html"
_SQS = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html"
_ASK = "Service Quotas"
_NOBODY = "nobody"

QUOTAS = {
    "gateway": Quota("API Gateway, all APIs of an account", 10_000, "requests a second", _APIGATEWAY, _ASK),
    "gateway burst": Quota("API Gateway, at once", 5_000, "requests", _APIGATEWAY, "AWS, with the one above"),
    "gateway elsewhere": Quota("API Gateway, in 13 newer regions", 2_500, "requests a second", _APIGATEWAY, _ASK),
    "cloudfront": Quota("CloudFront, a distribution", 250_000, "requests a second", _CLOUDFRONT, _ASK),
    "concurrency": Quota(
        "Lambda, all functions of an account", 1_000, "at once", f"{_LAMBDA}gettingstarted-limits.html", _ASK
    ),
    "unreserved": Quota(
        "Lambda, kept for functions that reserve nothing",
        100,
        "at once",
        f"{_LAMBDA}configuration-concurrency.html",
        _NOBODY,
    ),
    "rate": Quota(
        "Lambda, for each that may run at once",
        10,
        "requests a second",
        f"{_LAMBDA}gettingstarted-limits.html",
        _NOBODY,
    ),
    "growth": Quota(
        "Lambda, new environments of a function", 1_000, "in ten seconds", f"{_LAMBDA}scaling-behavior.html", _NOBODY
    ),
    "core": Quota("Lambda, memory that comes with a core", 1_769, "MB", f"{_LAMBDA}configuration-memory.html", _NOBODY),
    "trigger": Quota(
        "Lambda, batches of a queue at once",
        1_000,
        "batches",
        f"{_LAMBDA}services-sqs-scaling.html",
        "`maximum_concurrency`",
    ),
    "polls": Quota(
        "Lambda, a poller in provisioned mode",
        10,
        "calls a second",
        f"{_LAMBDA}services-sqs-scaling.html",
        "more pollers",
    ),
    "messages": Quota("SQS, a call", 10, "messages", f"{_SQS.replace('quotas-queues', 'quotas-messages')}", _NOBODY),
    "in flight": Quota("SQS, handed out and not yet deleted", 120_000, "messages", _SQS, _ASK),
    "partition": Quota(
        "DynamoDB, a partition",
        1_000,
        "write units a second",
        f"{_DYNAMODB}bp-partition-key-design.html",
        "DynamoDB, by splitting it",
    ),
    "partition reads": Quota(
        "DynamoDB, a partition",
        3_000,
        "read units a second",
        f"{_DYNAMODB}bp-partition-key-design.html",
        "DynamoDB, by splitting it",
    ),
    "new table": Quota(
        "DynamoDB, a new table",
        4_000,
        "write units a second",
        f"{_DYNAMODB}on-demand-capacity-mode.html",
        "use, or `WarmThroughput`",
    ),
    "new table reads": Quota(
        "DynamoDB, a new table",
        12_000,
        "read units a second",
        f"{_DYNAMODB}on-demand-capacity-mode.html",
        "use, or `WarmThroughput`",
    ),
    "table": Quota("DynamoDB, a table", 40_000, "write units a second", f"{_DYNAMODB}ServiceQuotas.html", _ASK),
    "logs": Quota("CloudWatch Logs, `PutLogEvents`", 5_000, "calls a second", _LOGS, _ASK),
}
NEW_ACCOUNT = 10
"""What was seen of QUOTAS["concurrency"] in new accounts; AWS only says that they have less.

https://github.com/awslabs/fhir-works-on-aws-deployment/issues/691
"""


@cache
def template_defaults() -> Mapping[str, float]:
    """The numbers that infra/template.yaml has as the defaults of parameters."""
    text = (PROJECT / "infra" / "template.yaml").read_text()
    found = re.findall(r'^  (\w+):\n    Type: \w+\n    Default: "?([\d.]+)"?$', text, re.MULTILINE)
    return {name: float(number) for name, number in found}


REQUESTS_PER_SECOND = template_defaults()["RequestsPerSecond"]
RETRY_PAUSE_SECONDS = template_defaults()["RetryPauseSeconds"]


def longest_pause(tries: int) -> float:
    """Seconds that the recorder waits after so many tries, at most; half of that on average (chalicelib/clock.py)."""
    return float(min(LONGEST_PAUSE, 0.05 * 2**tries))


def _memory(function: str) -> int:
    general: int = json.loads((PROJECT / ".chalice" / "config.json").read_text())["lambda_memory_size"]
    own: int = functions()[function].get("lambda_memory_size", general)
    return own


@dataclass(frozen=True)
class Recorder:
    """How the recorder is set."""

    consumers: int = CONSUMERS
    """`maximum_concurrency`, in app.py."""
    megabytes: int = field(default_factory=lambda: _memory("record_clicks"))
    """`lambda_memory_size`, in .chalice/config.json."""
    shards: int = SHARDS
    """In chalicelib/clicks/counters.py."""
    answer_seconds: float = RECORDER_SECONDS
    """That DynamoDB takes for a transaction; assumed."""

    def cpu_seconds(self, clicks: int, mix: str) -> float:
        """How long the CPU works on so many clicks; a part of a core takes as much longer."""
        return clicks / MIXES[mix].clicks_a_core_second / min(1, self.megabytes / QUOTAS["core"].amount)

    def clicks_a_second(self, mix: str, shape: Shape) -> float:
        """How many are counted at most, if nobody is in anybody's way."""
        batch = self.cpu_seconds(shape.clicks, mix) + shape.transactions * self.answer_seconds
        return self.consumers * shape.clicks / batch


def concurrency(load: float) -> float:
    """How many redirects Lambda must let run at once for so many a second.

    Each takes 20 milliseconds, but Lambda lets none of its environments answer more than ten requests a second.
    """
    return max(load * REDIRECT_SECONDS, load / QUOTAS["rate"].amount)


def refused(load: float, allowed: float) -> float:
    """The part of the requests that is too many."""
    return max(0.0, 1 - allowed / load)


def backlog(load: float, counted: float, seconds: float) -> float:
    """How many clicks wait after so long, beyond those that are being gathered or counted."""
    return max(0.0, load - counted) * seconds


def lag(load: float, counted: float, seconds: float) -> float:
    """How many seconds a click waits that comes then."""
    return backlog(load, counted, seconds) / counted


@dataclass(frozen=True)
class Limit:
    """Something that gives way."""

    name: str
    at: Mapping[str, float]
    """How many clicks a second are too many, by the mix of links."""
    door: str
    """Behind which front door: `API Gateway`, `CloudFront`, or empty for either."""
    visitor: str
    """What a visitor meets who is too many."""
    counts: str
    """What becomes of the counts."""
    moved_by: str
    published: bool = True
    """Whether it is known of AWS, or its neighbours are and this is a guess."""

    @property
    def first(self) -> float:
        """The lowest of the loads."""
        return min(self.at.values())


_NOTHING = "nothing"
_LATE = "late by minutes"
_LATER = "late, and ever later"
_ERROR = "an error"
_RIGHT = "right"
_SPLIT = "DynamoDB splits it, in minutes"
_WARM = "[warming](#before-a-launch) (3)"
_QUOTA = "[a quota](#before-a-launch)"


def limits(shapes: Shapes) -> list[Limit]:
    """All of them, as Linkly is set; those that give way first come first."""
    amounts = {name: quota.amount for name, quota in QUOTAS.items()}
    found: list[Limit] = []

    def add(
        name: str,
        at: Callable[[str], float],
        door: str,
        visitor: str,
        counts: str,
        moved_by: str,
        published: bool = True,
    ) -> None:
        found.append(Limit(name, {mix: at(mix) for mix in MIXES}, door, visitor, counts, moved_by, published))

    def hottest(mix: str) -> float:
        return MIXES[mix].hottest

    def full(mix: str) -> Shape:
        return shapes(mix, LOADS[-1])

    def rows(mix: str, units: float) -> float:
        return units / full(mix).row_units

    def updates(mix: str, load: float) -> float:
        found = shapes(mix, load)
        return load * found.update_units / found.clicks

    at_once, rate = amounts["concurrency"], amounts["rate"]
    most_reserved = at_once - amounts["unreserved"]
    counter = 2 * ceil(COUNTER_BYTES / 1024)

    add(
        f"Lambda in a new account: {NEW_ACCOUNT} at once",
        lambda _: NEW_ACCOUNT * rate,
        "",
        _ERROR,
        _RIGHT,
        f"{_QUOTA} (1)",
    )
    add(
        f"`REQUESTS_PER_SECOND={REQUESTS_PER_SECOND:.0f}`",
        lambda _: REQUESTS_PER_SECOND,
        "API Gateway",
        "429",
        _RIGHT,
        "the setting",
    )
    add(
        "the partition of a link's rows",
        lambda mix: rows(mix, amounts["partition"]) / hottest(mix),
        "",
        _NOTHING,
        _LATE,
        _SPLIT,
    )
    add(
        "Lambda's pollers, if five ask as often as provisioned ones may",
        lambda _: CONSUMERS * amounts["polls"] * amounts["messages"],
        "",
        _NOTHING,
        _LATER,
        "provisioned mode",
        published=False,
    )
    add(
        "the item of a link with `max_clicks`",
        lambda mix: amounts["partition"] / hottest(mix),
        "",
        "503",
        _RIGHT,
        "nobody",
    )
    add(
        f"a start from nothing: {amounts['growth']:,.0f} environments in ten seconds",
        lambda _: min(at_once, amounts["growth"]) / COLD_SECONDS,
        "",
        f"{_ERROR}, for seconds",
        _RIGHT,
        "a slower start, or provisioned concurrency",
    )
    add("a new table `clicks`", lambda mix: rows(mix, amounts["new table"]), "", _NOTHING, _LATE, _WARM)
    add(
        "a new table `daily_clicks`",
        lambda mix: _where(lambda load: updates(mix, load) > amounts["new table"]),
        "",
        _NOTHING,
        _LATE,
        _WARM,
    )
    add(
        f"{CONSUMERS} recorders with {Recorder().megabytes} MB",
        lambda mix: Recorder().clicks_a_second(mix, full(mix)),
        "",
        _NOTHING,
        _LATER,
        "[memory](#a-faster-recorder)",
    )
    add(
        "CloudWatch Logs, if Lambda sends each line alone",
        lambda _: amounts["logs"],
        "",
        _NOTHING,
        "right; `clicks reconcile` finds too few accepted",
        f"{_QUOTA} (4)",
        published=False,
    )
    add(
        f"`REDIRECT_CONCURRENCY={most_reserved:.0f}`, the most of {at_once:,.0f}",
        lambda _: most_reserved * rate,
        "CloudFront",
        "429",
        _RIGHT,
        f"{_QUOTA} (1), then the setting",
    )
    add(
        f"Lambda: {at_once:,.0f} at once, less {CONSUMERS} recorders",
        lambda _: (at_once - CONSUMERS) * rate,
        "API Gateway",
        _ERROR,
        "late, without `RESERVE_RECORDER`",
        f"{_QUOTA} (1)",
    )
    add("API Gateway", lambda _: amounts["gateway"], "API Gateway", "429", _RIGHT, f"{_QUOTA} (2)")
    add(
        "the table `daily_clicks`",
        lambda mix: _where(lambda load: updates(mix, load) > amounts["table"]),
        "",
        _NOTHING,
        _LATER,
        f"{_QUOTA} (3)",
    )
    add(
        "the partition of a link's counters",
        lambda mix: amounts["partition"] / counter * (MOST_ACTIONS - 1 if mix == ONE_LINK else full(mix).clicks),
        "",
        _NOTHING,
        _LATE,
        _SPLIT,
    )
    add("the table `clicks`", lambda mix: rows(mix, amounts["table"]), "", _NOTHING, _LATER, f"{_QUOTA} (3)")
    add(
        "a new table `redirects`, if each click reads it",
        lambda mix: amounts["new table reads"] / READ_UNITS if mix == ZIPF else inf,
        "",
        "slower",
        _RIGHT,
        _WARM,
    )
    add("CloudFront", lambda _: amounts["cloudfront"], "CloudFront", _ERROR, _RIGHT, f"{_QUOTA} (2)")
    return sorted(found, key=lambda limit: limit.first)


def _where(too_much: Callable[[float], bool]) -> float:
    """The highest load that is not too much, of those up to a million."""
    least, most = 1, 1_000_000
    while least < most:
        middle = (least + most) // 2
        least, most = (least, middle) if too_much(middle) else (middle + 1, most)
    return least - 1


def limits_table(shapes: Shapes) -> str:
    """Every limit, at which load it gives way, what follows, and what moves it."""
    rows = [
        ["one link", "a million", "what gives way", "only behind", "a visitor meets", "counts are", "moved by"],
        ["---:", "---:", "---", "---", "---", "---", "---"],
    ]
    for limit in limits(shapes):
        figures = [_rounded(limit.at[mix], 3) if limit.at[mix] < inf else "" for mix in MIXES]
        name = limit.name if limit.published else f"*{limit.name}*"
        rows.append([*figures, name, limit.door, limit.visitor, limit.counts, limit.moved_by])
    return _markdown(rows)


def _rounded(number: float, digits: int) -> str:
    """A number of which no more digits are known."""
    return f"{float(f'{number:.{digits - 1}e}'):,.0f}"


DOORS = ("API Gateway", "CloudFront")


def met(mix: str, door: str, load: float, shapes: Shapes) -> list[Limit]:
    """The published limits behind a door that a load on a stage in use is too much for, the first to give way first.

    Not those of new accounts and new tables, of a start from nothing and of links with a limit of their own.
    """
    here = [limit for limit in limits(shapes) if limit.published and limit.door in ("", door)]
    lasting = [limit for limit in here if not any(word in limit.name for word in ("new", "nothing", "max_clicks"))]
    return sorted((limit for limit in lasting if limit.at[mix] < load), key=lambda limit: limit.at[mix])


def first_table(shapes: Shapes) -> str:
    """What comes first at each load, behind each door."""
    rows = [["clicks a second", *(f"{load:,}" for load in LOADS)], ["---", *["---"] * len(LOADS)]]
    for door in DOORS:
        for mix in MIXES:
            names = [[limit.name for limit in met(mix, door, load, shapes)] for load in LOADS]
            rows.append([f"{door}, {mix}", *("; then ".join(found) or "nothing" for found in names)])
    return _markdown(rows)


def loads_table(shapes: Shapes) -> str:
    """What each load asks for, and what becomes of it, as Linkly is set."""
    rows = [["clicks a second", *(f"{load:,}" for load in LOADS)], ["---", *["---:"] * len(LOADS)]]

    def row(name: str, figure: Callable[[float], str]) -> None:
        rows.append([name, *map(figure, LOADS)])

    row(
        f"refused by `REQUESTS_PER_SECOND={REQUESTS_PER_SECOND:.0f}`",
        lambda load: f"{refused(load, REQUESTS_PER_SECOND):.0%}",
    )
    row("redirects at work at once", lambda load: f"{load * REDIRECT_SECONDS:,.0f}")
    row("concurrency that Lambda asks for", lambda load: f"{concurrency(load):,.0f}")
    row("the same in the first second of a start from nothing", lambda load: f"{load * COLD_SECONDS:,.0f}")
    for mix in MIXES:
        rows += _rows_of_mix(mix, shapes)
    return _markdown(rows)


def _rows_of_mix(mix: str, shapes: Shapes) -> list[list[str]]:
    found = [(load, shapes(mix, load)) for load in LOADS]
    counted = [(load, Recorder().clicks_a_second(mix, shape)) for load, shape in found]
    spell, partition = SPELL * 60, QUOTAS["partition"].amount / MIXES[mix].hottest
    figures: dict[str, Sequence[float]] = {
        f"**{mix}:** clicks in a batch": [shape.clicks for _, shape in found],
        "transactions a second": [load / shape.clicks * shape.transactions for load, shape in found],
        "write units a second, `clicks`": [load * shape.row_units for load, shape in found],
        "write units a second, `daily_clicks`": [load / shape.clicks * shape.update_units for load, shape in found],
        "partitions for the rows of the most followed link": [
            ceil(load * shape.row_units / partition) for load, shape in found
        ],
        "counted a second, at most": [most for _, most in counted],
        f"clicks waiting after {SPELL} minutes": [backlog(load, most, spell) for load, most in counted],
        "seconds by which counts are late then": [lag(load, most, spell) for load, most in counted],
    }
    return [[name, *(f"{number:,.0f}" for number in numbers)] for name, numbers in figures.items()]


def recorders_table(shapes: Shapes) -> str:
    """What other recorders count."""
    rows = [
        ["recorders", "memory", *(f"clicks a second, {mix}" for mix in MIXES)],
        ["---:", "---:", *["---:"] * len(MIXES)],
    ]
    for recorder in RECORDERS:
        counted = [f"{recorder.clicks_a_second(mix, shapes(mix, LOADS[-1])):,.0f}" for mix in MIXES]
        rows.append([f"{recorder.consumers}", f"{recorder.megabytes:,} MB", *counted])
    return _markdown(rows)


CORE = round(QUOTAS["core"].amount)
RECORDERS = (
    Recorder(),
    Recorder(megabytes=1024),
    Recorder(megabytes=CORE),
    Recorder(SHARDS, CORE),
    Recorder(2 * SHARDS, CORE),
)


def asks(load: float, shapes: Shapes) -> str:
    """What to ask AWS for, and to set, before so many clicks a second."""
    amounts = {name: quota.amount for name, quota in QUOTAS.items()}
    recorders = max(recorder.consumers for recorder in RECORDERS)
    reserved = 2 * concurrency(load)
    at_once = _up(reserved + recorders + amounts["unreserved"], 100)
    writes = {
        "clicks": max(load * shapes(mix, load).row_units for mix in MIXES),
        "daily_clicks": max(load / (found := shapes(mix, load)).clicks * found.update_units for mix in MIXES),
    }
    tables = " and ".join(f"{_up(units, 1_000):,} for `{table}`" for table, units in writes.items())
    return (
        f'1. Lambda, "Concurrent executions": {at_once:,}. Twice what Lambda asks for {load:,} clicks a second, '
        f"{recorders}\n   recorders, and the {amounts['unreserved']:.0f} that nobody may reserve.\n"
        f'2. API Gateway, "Throttle rate": {_up(2 * load, 1_000):,}; the burst follows. Of CloudFront, nothing.\n'
        f'3. DynamoDB, "Table-level write throughput": {_up(2 * max(writes.values()), 10_000):,}. And warm throughput, '
        f"which nobody has\n   to grant: {tables}.\n"
        f'4. CloudWatch Logs, "PutLogEvents throttle limit": {_up(2 * load, 1_000):,}.\n'
    )


def _up(number: float, step: int) -> int:
    return ceil(number / step) * step


def quotas_table() -> str:
    """Each quota, and where it was read."""
    rows = [["what", "unless asked for more", "", "moved by"], ["---", "---:", "---", "---"]]
    rows += [
        [f"[{quota.name}]({quota.page})", f"{quota.amount:,.0f}", quota.unit, quota.more] for quota in QUOTAS.values()
    ]
    return _markdown(rows)


def summary(shapes: Shapes) -> str:
    """What comes first, in a few sentences."""
    counted = {mix: _rounded(Recorder().clicks_a_second(mix, shapes(mix, LOADS[-1])), 2) for mix in MIXES}
    allowed = QUOTAS["concurrency"].amount * QUOTAS["rate"].amount
    return (
        f"As it comes, Linkly redirects {REQUESTS_PER_SECOND:,.0f} visitors a second and refuses the rest. That is a "
        f"setting; without it AWS\nlets {allowed:,.0f} through. Counts keep up with some {counted[ONE_LINK]} clicks a "
        f"second on one link, and {counted[ZIPF]} on a million\nlinks. What is more waits in the queue and is counted "
        f"later.\n"
    )


def assumptions() -> str:
    """What nobody could measure but on AWS."""
    cpu = " and ".join(f"{mix.clicks_a_core_second:,}" for mix in MIXES.values())
    return (
        f"- A redirect takes {REDIRECT_SECONDS * 1000:.0f} ms, and {COLD_SECONDS:.0f} s if it starts an environment.\n"
        f"- DynamoDB takes {RECORDER_SECONDS * 1000:.0f} ms for a transaction.\n"
        f"- A core counts {cpu} clicks a second, as in the [benchmarks](benchmarks.md#the-recorder), whose\n"
        f"  absolute figures differ by half from run to run. The recorder has {Recorder().megabytes} of the "
        f"{QUOTAS['core'].amount:,.0f} MB that a core comes\n  with.\n"
        f"- Lambda keeps the recorders busy as long as anything waits.\n"
        f"- Each counter is as large as at the end of a day of this load; one that is looked at alone has "
        f"{COUNTER_BYTES:,} bytes, the\n  most there is.\n"
    )


def _markdown(rows: Iterable[Sequence[str]]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)
