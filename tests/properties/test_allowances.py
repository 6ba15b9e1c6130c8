"""A link with `max_clicks` redirects at most that often, whoever comes at once and whatever goes wrong."""

import json
import random
import threading
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib import aws
from chalicelib.calls import CallFailed, ConditionFailed
from chalicelib.links.allowances import take, used
from chalicelib.links.store import to_item
from chalicelib.problems import LinkUsedUp
from chalicelib.redirects import follow, life
from tests import infrastructure
from tests.builders import a_link

VISITORS, ALLOWED = 500, 100


class Aws:
    """What a redirect calls, for many visitors at once: each call takes effect whole, but its answer may get lost.

    What it does not know it refuses, so that it cannot be wrong about it.
    """

    def __init__(self, most: int, chance: random.Random, lost: float = 0, unheard: float = 0) -> None:
        self.link = to_item(a_link(max_clicks=most))
        self.used = 0
        self.taken_for_nothing = 0
        self.queued: list[str] = []
        self._chance, self._lost, self._unheard = chance, lost, unheard
        self._one_at_a_time = threading.Lock()

    def call(self, operation: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        with self._one_at_a_time:
            match operation, parameters:
                case "GetItem", {"TableName": str(table)}:
                    return {"Item": self.link} if table.endswith("-links") else {}
                case "PutItem", _:
                    return {}
                case "SendMessage", {"MessageBody": text}:
                    self.queued.append(text)
                    return {}
                case "UpdateItem", _:
                    return self._update(parameters)
        raise NotImplementedError(operation)

    def _update(self, write: Mapping[str, Any]) -> Mapping[str, Any]:
        condition = "attribute_not_exists(used) OR used < :most"
        if (write["UpdateExpression"], write["ConditionExpression"]) != ("ADD used :one", condition):
            raise NotImplementedError(write)
        values = {name: int(value["N"]) for name, value in write["ExpressionAttributeValues"].items()}
        if self._chance.random() < self._unheard:
            raise CallFailed("not heard")
        if self.used >= values[":most"]:
            raise ConditionFailed
        self.used += values[":one"]
        if self._chance.random() < self._lost:
            self.taken_for_nothing += 1
            raise CallFailed("done, and the answer is lost")
        return {}


def chance(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 (a run that can be repeated)


def come(aws_: Aws, number: int) -> Counter[str]:
    """What becomes of so many visitors who come at once."""

    def visit(_: int) -> str:
        with suppress(LinkUsedUp, CallFailed):
            status, _headers, _body = follow.follow("GET", "my-link", {}, None, aws_.call)
            return str(status)
        return "refused"

    follow.forget()
    life.forget()
    with ThreadPoolExecutor(32) as visitors:
        return Counter(visitors.map(visit, range(number)))


def test_of_five_hundred_at_once_exactly_a_hundred_are_redirected_and_counted() -> None:
    aws_ = Aws(ALLOWED, chance(1))

    met = come(aws_, VISITORS)

    assert {"302": ALLOWED, "refused": VISITORS - ALLOWED} == met
    assert ALLOWED == len({json.loads(text)["id"] for text in aws_.queued})


@settings(max_examples=50)
@given(seed=st.integers(), lost=st.floats(0, 0.5), unheard=st.floats(0, 0.5), most=st.integers(1, 60))
def test_whatever_gets_lost_there_are_never_more_and_only_what_got_lost_is_missing(
    seed: int, lost: float, unheard: float, most: int
) -> None:
    aws_ = Aws(most, chance(seed), lost, unheard)

    met = come(aws_, 100)

    assert met["302"] == len(aws_.queued) == aws_.used - aws_.taken_for_nothing <= most


@pytest.mark.parametrize("call", ["moto", "model"])
def test_the_model_takes_as_dynamodb_does(call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with infrastructure.emulated_aws():
        monkeypatch.setattr(aws, "dynamodb", lambda *_: infrastructure.dynamodb())
        more = {} if call == "moto" else {"call": Aws(2, chance(1)).call}

        taken = [take("my-link", most, **more) for most in (2, 2, 2, 3, 1, 3)]

        assert [True, True, False, True, False, False] == taken
        assert call == "model" or used("my-link") == 3
