"""The recorder: how many clicks a second of CPU it counts, and what DynamoDB asks for them."""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.aws import Stub
from bench.crowd import Crowd, Zipf
from bench.rounds import BASELINE, Figure, in_turns
from bench.warm import run
from chalicelib.clicks.admission import NOTHING, admit
from chalicelib.clicks.click import Click, encode
from chalicelib.clicks.transactions import Transaction, plan
from ops import PROJECT
from ops.watching.costs import item_bytes, read_units, transaction_units

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

ROUNDS = 5
BATCHES = 20
BATCHES_ONE_BY_ONE = 1
LINKS = 10_000


def batch_size() -> int:
    """How many clicks the recorder is handed at once, as app.py says."""
    _, _, rest = (PROJECT / "app.py").read_text().partition('queue="clicks", batch_size=')
    return int(rest.partition(",")[0])


def hot(random_numbers: random.Random, batches: int) -> list[list[Click]]:
    """Batches of clicks on one link."""
    return _clicks(Zipf(["hot-link"]), random_numbers, batches)


def zipf(random_numbers: random.Random, batches: int) -> list[list[Click]]:
    """Batches of clicks on 10,000 links, of which the n-th is followed 1/n times as often as the first."""
    return _clicks(Zipf([f"link{number:05}" for number in range(LINKS)]), random_numbers, batches)


def _clicks(codes: Zipf[str], random_numbers: random.Random, batches: int) -> list[list[Click]]:
    crowd, moment = Crowd(random_numbers), datetime.now(UTC) - timedelta(seconds=2)
    return [[crowd.click(codes.draw(random_numbers), moment) for _ in range(batch_size())] for _ in range(batches)]


MIXES = {"one hot link": hot, "Zipf over 10,000 links": zipf}


@dataclass(frozen=True)
class Units:
    """What a click costs in DynamoDB, on average."""

    write_units: float
    read_units: float
    transactions: float


def measure(stub: Stub, unpacked: Path, directory: Path) -> dict[str, Figure]:
    """Clicks per second of CPU, by the mix of links."""
    figures = {}
    for name, mix in MIXES.items():
        batches = mix(random.Random(2026), BATCHES)  # noqa: S311 (the same clicks every time)
        many, few = directory / "many.json", directory / "few.json"
        many.write_text(json.dumps([_event(batch) for batch in batches]))
        few.write_text(json.dumps([_event(batch) for batch in batches[:BATCHES_ONE_BY_ONE]]))

        def clicks(what: str, events: Path) -> float:
            environment = {**stub.environment_of_boto3, "PYTHONPATH": str(unpacked)}
            return float(run("recorder.py", what, str(events), environment=environment)["clicks"])

        measures = {BASELINE: lambda few=few: clicks("bare", few), name: lambda many=many: clicks("app", many)}
        figures[name] = in_turns(ROUNDS, measures)[name]
    return figures


def units(batches: Sequence[Sequence[Click]]) -> Units:
    """Units and transactions for each click, if every batch is counted at the first try.

    Counters are new; bench/day.py follows them through a day. Each link in a batch is read once, and is far from four
    kilobytes.
    """
    transactions = [transaction for batch in batches for transaction in plan(batch)]
    actions: list[Any] = [action for transaction in transactions for action in actions_of(transaction)]
    written = sum(transaction_units(item_bytes(_new_item(action))) for action in actions)
    read = sum(read_units(1) * len({click.code for click in batch}) for batch in batches)
    clicks = sum(map(len, batches))
    return Units(written / clicks, read / clicks, len(transactions) / clicks)


def _new_item(action: dict[str, Any]) -> dict[str, Any]:
    """What an action writes: a row, or a counter that there was not."""
    if "Put" in action:
        row: dict[str, Any] = action["Put"]["Item"]
        return row
    update = action["Update"]
    names, values = update["ExpressionAttributeNames"], update["ExpressionAttributeValues"]
    adds = [add.split() for add in update["UpdateExpression"].removeprefix("ADD ").split(", ")]
    return {**update["Key"], **{names.get(name, name): values[value] for name, value in adds}}


def actions_of(transaction: Transaction, shard: int = 0) -> "list[TransactWriteItemTypeDef]":
    """What the recorder writes if the counters are new."""
    admissions = {key: admit(amounts, NOTHING) for key, amounts in transaction.counters.items()}
    return transaction.actions(shard, 90, admissions)


def describe(figures: Mapping[str, Figure]) -> str:
    """The figures, as a page of the report."""
    rows = []
    for name, figure in figures.items():
        cost = units(MIXES[name](random.Random(2026), 20))  # noqa: S311 (the same clicks every time)
        rows.append(
            f"| {name} | {figure.baseline_median:,.0f} | {figure.median:,.0f} | **{figure.ratio:.1f}** "
            f"| {cost.write_units:.2f} | {cost.read_units:.2f} | {1 / cost.transactions:.1f} |"
        )
    head = (
        "| clicks on | one by one, clicks per CPU second | Linkly's | ratio "
        "| write units a click | read units a click | clicks a transaction |"
    )
    return "\n".join([f"Batches of {batch_size()}.", "", head, "|---|---|---|---|---|---|---|", *rows])


def _event(clicks: Sequence[Click]) -> dict[str, Any]:
    records = [
        {
            "messageId": str(click.id),
            "receiptHandle": f"receipt-{click.id}",
            "attributes": {"ApproximateReceiveCount": "1"},
            "body": encode(click),
            "eventSource": "aws:sqs",
        }
        for click in clicks
    ]
    return {"Records": records}
