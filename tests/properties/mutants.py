"""Mistakes that a recorder, a purge or a recount could make.

The adversary must catch each, or its silence would say nothing.
"""

import copy
import json
import re
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib import aws, clock
from chalicelib.batches import Item
from chalicelib.clicks import purge, recorder, transactions
from chalicelib.clicks.admission import Admission
from chalicelib.clicks.breakdowns import CLICKS
from chalicelib.clicks.click import Click
from chalicelib.clicks.transactions import Cancellation, CounterKey, Transaction
from chalicelib.deliveries import Delivery
from chalicelib.links import deleted
from ops.repairing import days, recount


@dataclass(frozen=True)
class Mutant:
    name: str
    plant: Callable[[pytest.MonkeyPatch], None] = field(repr=False)

    def __str__(self) -> str:
        return self.name


def no_condition(patch: pytest.MonkeyPatch) -> None:
    def put_row(click: Click, retention_days: int) -> dict[str, Any]:
        action: dict[str, Any] = {**right(click, retention_days)}
        action["Put"].pop("ConditionExpression")
        return action

    right = transactions._put_row  # noqa: SLF001 (mistakes are made inside)
    patch.setattr(transactions, "_put_row", put_row)


def the_message_id_as_the_key(patch: pytest.MonkeyPatch) -> None:
    def of(record: Mapping[str, Any]) -> Delivery:
        delivery = Delivery.of(record)
        return replace(delivery, body=json.dumps({**json.loads(delivery.body), "id": delivery.message_id}))

    patch.setattr(recorder, "Delivery", SimpleNamespace(of=of))


def a_conflict_taken_for_a_duplicate(patch: pytest.MonkeyPatch) -> None:
    def read(transaction: Transaction, reasons: Sequence[Any]) -> Cancellation:
        wrong = {"TransactionConflict": "ConditionalCheckFailed"}
        return right(transaction, [{**each, "Code": wrong.get(each["Code"], each["Code"])} for each in reasons])

    right = transactions.read_reasons
    patch.setattr(recorder, "read_reasons", read)


def a_cancelled_group_dropped_whole(patch: pytest.MonkeyPatch) -> None:
    def read(transaction: Transaction, reasons: Sequence[Any]) -> Cancellation:
        found = right(transaction, reasons)
        if not found.duplicates:
            return found
        return found._replace(duplicates=transaction.clicks, rest=Transaction(()), busy=())

    right = transactions.read_reasons
    patch.setattr(recorder, "read_reasons", read)


def a_counter_that_is_not_lowered(patch: pytest.MonkeyPatch) -> None:
    _keep_when_clicks_are_dropped(patch, lambda name: name == CLICKS)


def a_breakdown_that_is_not_lowered(patch: pytest.MonkeyPatch) -> None:
    _keep_when_clicks_are_dropped(patch, lambda name: name.startswith("b"))


def _keep_when_clicks_are_dropped(patch: pytest.MonkeyPatch, kept: Callable[[str], bool]) -> None:
    """Have some attributes grow by what they would grow by with all clicks of the first try."""

    @dataclass(frozen=True)
    class Stubborn(Transaction):
        first: tuple[Click, ...] = ()

        @property
        def counters(self) -> dict[CounterKey, Counter[str]]:
            lowered, first = Transaction(self.clicks).counters, Transaction(self.first).counters
            return {
                key: Counter({name: (first[key] if kept(name) else amounts)[name] for name in first[key] | amounts})
                for key, amounts in lowered.items()
            }

    def without(transaction: Transaction, clicks: Iterable[Click]) -> Transaction:
        return Stubborn(right(transaction, clicks).clicks, first=getattr(transaction, "first", transaction.clicks))

    right = Transaction.without
    patch.setattr(Transaction, "without", without)


def a_full_counter_taken_for_a_duplicate(patch: pytest.MonkeyPatch) -> None:
    def read(transaction: Transaction, reasons: Sequence[Any]) -> Cancellation:
        found = right(transaction, reasons)
        counted = tuple(click for click in found.rest.clicks if CounterKey(click.code, click.day) in found.crowded)
        return found._replace(duplicates=(*found.duplicates, *counted), rest=found.rest.without(counted))

    right = transactions.read_reasons
    patch.setattr(recorder, "read_reasons", read)


def names_without_a_condition(patch: pytest.MonkeyPatch) -> None:
    def add(key: CounterKey, admission: Admission, shard: int) -> dict[str, Any]:
        action: dict[str, Any] = {**right(key, admission, shard)}
        action["Update"].pop("ConditionExpression", None)
        return action

    right = transactions._add_to_counter  # noqa: SLF001 (mistakes are made inside)
    patch.setattr(transactions, "_add_to_counter", add)


def a_refused_breakdown_that_costs_its_clicks(patch: pytest.MonkeyPatch) -> None:
    def read(transaction: Transaction, reasons: Sequence[Any]) -> Cancellation:
        return right(transaction.plainly(transaction.counters), reasons)

    right = transactions.read_reasons
    patch.setattr(recorder, "read_reasons", read)


def count_and_breakdown_in_two_writes(patch: pytest.MonkeyPatch) -> None:
    def write(client: Any, actions: list[Any]) -> Any:
        plain, rest = copy.deepcopy(actions), {}
        for number, action in enumerate(plain):
            if update := action.get("Update"):
                if len(update["ExpressionAttributeNames"]) > 1:  # or there is no breakdown
                    rest[number] = {"Update": _adding(update, lambda name: name != CLICKS)}
                action["Update"] = _adding(update, lambda name: name == CLICKS)
        client.transact_write_items(TransactItems=plain)
        return _write_some(client, rest, len(actions)) if rest else {}

    _write_with(write, patch)


def _write_some(client: Any, actions: Mapping[int, Any], number_of_all: int) -> Any:
    """Write some actions, by their numbers among all; if they are cancelled, there is a reason for each of all."""
    try:
        return client.transact_write_items(TransactItems=[*actions.values()])
    except client.exceptions.TransactionCanceledException as error:
        told = dict(zip(actions, error.response["CancellationReasons"], strict=True))
        error.response["CancellationReasons"] = [told.get(number, {"Code": "None"}) for number in range(number_of_all)]
        raise


def _adding(update: dict[str, Any], wanted: Callable[[str], bool]) -> dict[str, Any]:
    names = update["ExpressionAttributeNames"]
    adds = re.sub(".*ADD ", "", update["UpdateExpression"]).split(", ")
    kept = [add for add in adds if wanted(names.get(add.partition(" ")[0], "v"))]
    without = {"ConditionExpression", "ReturnValuesOnConditionCheckFailure"}
    return {key: value for key, value in update.items() if key not in without} | {
        "UpdateExpression": f"ADD {', '.join(kept)}"
    }


def every_failure_reported_as_success(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(recorder, "respond", lambda *_: {"batchItemFailures": []})


def rows_that_expire_in_an_hour(patch: pytest.MonkeyPatch) -> None:
    def put_row(click: Click, retention_days: int) -> dict[str, Any]:
        action: dict[str, Any] = {**right(click, retention_days)}
        action["Put"]["Item"]["expires_at"] = {"N": str(int(click.occurred_at.timestamp()) + 3600)}
        return action

    right = transactions._put_row  # noqa: SLF001 (mistakes are made inside)
    patch.setattr(transactions, "_put_row", put_row)


def the_day_on_which_it_is_recorded(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Click, "day", property(lambda _: clock.now().date().isoformat()))


def row_and_counter_in_two_writes(patch: pytest.MonkeyPatch) -> None:
    def write(client: Any, actions: list[Any]) -> Any:
        for kind in ("Put", "Update"):
            part = {number: action for number, action in enumerate(actions) if kind in action}
            _write_some(client, part, len(actions))
        return {}

    _write_with(write, patch)


def no_answer_taken_for_success(patch: pytest.MonkeyPatch) -> None:
    def write(client: Any, actions: list[Any]) -> Any:
        try:
            return client.transact_write_items(TransactItems=actions)
        except BotoCoreError:
            return {}

    _write_with(write, patch)


def no_answer_and_again_under_fresh_ids(patch: pytest.MonkeyPatch) -> None:
    def write(client: Any, actions: list[Any]) -> Any:
        try:
            return client.transact_write_items(TransactItems=actions)
        except BotoCoreError:
            actions = copy.deepcopy(actions)  # the first ones may still be written
            for action in actions:
                if row := action.get("Put", {}).get("Item"):
                    row["click_id"] = {"S": str(uuid.uuid5(uuid.NAMESPACE_OID, row["click_id"]["S"]))}
            return client.transact_write_items(TransactItems=actions)

    _write_with(write, patch)


def nobody_asks_which_links_are_deleted(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(recorder, "deleted_among", lambda _: set())


def no_answer_taken_for_no_link_is_deleted(patch: pytest.MonkeyPatch) -> None:
    def ask(codes: Collection[str]) -> set[str]:
        try:
            return right(codes)
        except (BotoCoreError, ClientError):
            return set()

    right = deleted.deleted_among
    patch.setattr(recorder, "deleted_among", ask)


def unread_links_taken_for_living_ones(patch: pytest.MonkeyPatch) -> None:
    def read(table: str, keys: Sequence[Item], *, attributes: Sequence[str], consistent: bool) -> list[Item]:
        names = {f"#{name}": name for name in attributes}
        request = {"ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names, "Keys": keys}
        wanted: Any = {table: {**request, "ConsistentRead": consistent}}
        return [*aws.dynamodb().batch_get_item(RequestItems=wanted)["Responses"][table]] if keys else []

    patch.setattr(deleted, "read_all", read)


def a_purge_of_counters_only(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(purge, "_some_rows", lambda _: [])


def counters_that_are_not_added_up(patch: pytest.MonkeyPatch) -> None:
    right = purge._move  # noqa: SLF001 (mistakes are made inside)
    patch.setattr(purge, "_move", lambda *arguments: [*right(*arguments)][:-1])


def a_recount_of_fewer_rows_than_clicks(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(recount, "why_unequal", lambda *_: None)


def a_recount_on_no_conditions(patch: pytest.MonkeyPatch) -> None:
    def actions(*given: Any) -> list[dict[str, Any]]:
        return [
            {kind: {name: value for name, value in action.items() if name in ("TableName", "Key", "Item")}}
            for each in right(*given)
            for kind, action in each.items()
            if kind != "ConditionCheck"
        ]

    right = days._actions  # noqa: SLF001 (mistakes are made inside)
    patch.setattr(days, "_actions", actions)


def _write_with(write: Callable[[Any, list[Any]], Any], patch: pytest.MonkeyPatch) -> None:
    """Have the recorder call `write` with the client and the actions, instead of TransactWriteItems."""

    def dynamodb() -> Any:
        client = aws.dynamodb()
        return SimpleNamespace(
            exceptions=client.exceptions,
            transact_write_items=lambda TransactItems: write(client, TransactItems),  # noqa: N803 (AWS)
        )

    patch.setattr(recorder, "aws", SimpleNamespace(dynamodb=dynamodb))


MUTANTS = [
    Mutant("no condition on the row", no_condition),
    Mutant("the SQS message id is the row's key", the_message_id_as_the_key),
    Mutant("a conflict is taken for a duplicate", a_conflict_taken_for_a_duplicate),
    Mutant("row and counter are two writes", row_and_counter_in_two_writes),
    Mutant("every failure is reported as success", every_failure_reported_as_success),
    Mutant("a group with a duplicate is dropped whole", a_cancelled_group_dropped_whole),
    Mutant("a counter grows by clicks that were counted before", a_counter_that_is_not_lowered),
    Mutant("a breakdown grows by clicks that were counted before", a_breakdown_that_is_not_lowered),
    Mutant("a counter without room is taken for a duplicate", a_full_counter_taken_for_a_duplicate),
    Mutant("names are added on no condition", names_without_a_condition),
    Mutant("a breakdown that is refused costs its clicks", a_refused_breakdown_that_costs_its_clicks),
    Mutant("count and breakdown are two writes", count_and_breakdown_in_two_writes),
    Mutant("no answer is taken for success", no_answer_taken_for_success),
    Mutant("no answer, and again under fresh click ids", no_answer_and_again_under_fresh_ids),
    Mutant("a click counts for the day on which it is recorded", the_day_on_which_it_is_recorded),
    Mutant("rows expire while their messages may come again", rows_that_expire_in_an_hour),
    Mutant("nobody asks which links are deleted", nobody_asks_which_links_are_deleted),
    Mutant("no answer is taken for no link being deleted", no_answer_taken_for_no_link_is_deleted),
    Mutant("links left unread are taken for living ones", unread_links_taken_for_living_ones),
    Mutant("a purge leaves the rows", a_purge_of_counters_only),
    Mutant("a purge forgets what a link had", counters_that_are_not_added_up),
    Mutant("a recount of fewer rows than clicks", a_recount_of_fewer_rows_than_clicks),
    Mutant("a recount on no conditions", a_recount_on_no_conditions),
]
