"""Promise 6: 100,000 hosts that somebody made up, from many recorders at once, fill no item and cost no click."""

import random
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.clicks import admission, recorder
from chalicelib.clicks.breakdowns import numbers
from chalicelib.clicks.click import Click
from chalicelib.clicks.counters import counters_of
from tests.builders import FIREFOX, LambdaContext, a_click, a_message, an_sqs_event, clicks
from tests.properties.invocations import Environment
from tests.properties.tables import Tables

INVENTED = 100_000
BATCH = 90
REAL = 9
"""Clicks in each batch that come from a well-known host."""
RECORDERS = 5
SHARDS = 3


class Crowd:
    """Recorders that all count invented hosts on one link: whenever one writes, others may have written just before."""

    def __init__(self, batches: Iterator[list[Click]]) -> None:
        self.tables = Tables()
        self.exceptions = self.tables.exceptions
        self.running: list[Environment] = []
        self.writes = 0
        self._chance = random.Random(2026)  # noqa: S311 (the same every time)
        self._environments = [Environment(number, number % SHARDS) for number in range(RECORDERS)]
        self._batches = batches

    def count(self) -> bool:
        """Have a recorder that is not at work count a batch. False if there is none."""
        batch = next(self._batches, None)
        if batch is None:
            return False
        self.running.append(
            self._chance.choice([each for each in self._environments if all(each is not one for one in self.running)])
        )
        response = recorder.record_clicks(an_sqs_event(*map(a_message, batch)), LambdaContext())
        self.running.pop()
        assert {"batchItemFailures": []} == response
        return True

    def transact_write_items(self, **given: Any) -> Any:
        """Write, after somebody else, often."""
        if len(self.running) < RECORDERS and self._chance.random() < 0.4:
            self.count()
        self.writes += 1
        return self.tables.transact_write_items(**given)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.tables, name)


def invented() -> Iterator[list[Click]]:
    for first in range(0, INVENTED, BATCH):
        yield [
            *clicks(REAL, user_agent=FIREFOX, referrer="https://www.google.com/"),
            *(
                a_click(user_agent=FIREFOX, referrer=f"https://{number}.invented.example.com/")
                for number in range(first, min(first + BATCH, INVENTED))
            ),
        ]


def test_invented_hosts_find_no_room_and_cost_no_click(monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = Crowd(invented())
    monkeypatch.setattr("chalicelib.aws.dynamodb", lambda *_: crowd)
    monkeypatch.setattr(recorder, "own_shard", lambda: crowd.running[-1].shard)
    monkeypatch.setattr(admission, "_memory", lambda: crowd.running[-1].memory)

    while crowd.count():
        pass

    items = [*counters_of("my-link")]
    found, hosts = numbers(items), numbers(items).values("referrer")
    batches = -(-INVENTED // BATCH)
    assert (INVENTED + REAL * batches, None) == (found.people, found.why_wrong())
    assert REAL * batches == hosts["google.com"]
    assert SHARDS == len(items)
    assert all(admission.size_of(admission.known_from(item).names) <= admission.MOST_BYTES for item in items)
    assert crowd.writes <= 1.1 * batches
