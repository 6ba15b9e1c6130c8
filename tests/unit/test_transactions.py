"""How clicks are put into transactions, and what a transaction writes."""

import uuid
from collections import Counter
from datetime import timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.clicks.admission import MOST_BYTES, size_of
from chalicelib.clicks.breakdowns import attributes_of
from chalicelib.clicks.click import Click
from chalicelib.clicks.transactions import CounterKey, Transaction, plan, why_not_countable
from tests.builders import FIREFOX, NOW, a_click, actions_of, clicks

# How many clicks there are by link and by how many days ago; a few links are hot.
sizes = st.dictionaries(
    keys=st.tuples(st.sampled_from(["one", "two", "three", "four"]), st.integers(0, 20)),
    values=st.integers(1, 3) | st.integers(90, 220),
    max_size=12,
)


def made_of(sizes: dict[tuple[str, int], int]) -> list[Click]:
    return [
        click
        for (code, days), size in sizes.items()
        for click in clicks(size, code=code, occurred_at=NOW - timedelta(days=days))
    ]


@given(sizes=sizes)
def test_no_transaction_has_more_than_a_hundred_actions(sizes: dict[tuple[str, int], int]) -> None:
    lengths = [len(actions_of(*transaction.clicks)) for transaction in plan(made_of(sizes))]

    assert all(2 <= length <= 100 for length in lengths)


@given(sizes=sizes)
def test_every_transaction_but_the_last_is_full(sizes: dict[tuple[str, int], int]) -> None:
    lengths = [len(actions_of(*transaction.clicks)) for transaction in plan(made_of(sizes))]

    assert all(length >= 99 for length in lengths[:-1])


@given(sizes=sizes)
def test_every_click_is_in_exactly_one_transaction(sizes: dict[tuple[str, int], int]) -> None:
    made = made_of(sizes)

    planned = [click.key for transaction in plan(made) for click in transaction.clicks]

    assert sorted(click.key for click in made) == sorted(planned)


@given(sizes=sizes)
def test_the_counters_add_up_to_the_clicks(sizes: dict[tuple[str, int], int]) -> None:
    made = made_of(sizes)

    total: Counter[CounterKey] = Counter()
    for transaction in plan(made):
        total.update({key: amounts["clicks"] for key, amounts in transaction.counters.items()})

    assert Counter(CounterKey(click.code, click.day) for click in made) == total


@pytest.mark.parametrize(("number", "sizes"), [(0, []), (1, [1]), (99, [99]), (100, [99, 1]), (500, [99] * 5 + [5])])
def test_a_hot_link_pays_for_one_counter_in_ninety_nine_clicks(number: int, sizes: list[int]) -> None:
    transactions = plan(clicks(number))

    assert sizes == [len(transaction.clicks) for transaction in transactions]
    assert all(len(transaction.counters) == 1 for transaction in transactions)


def test_links_share_a_transaction_while_there_is_room() -> None:
    made = [*clicks(10, code="few"), *clicks(80, code="many"), *clicks(7, code="fewer")]

    (transaction,) = plan(made)

    day = "2026-05-27"
    assert {
        CounterKey("many", day): 80,
        CounterKey("few", day): 10,
        CounterKey("fewer", day): 7,
    } == {key: amounts["clicks"] for key, amounts in transaction.counters.items()}


def test_a_transaction_writes_a_row_for_each_click_and_adds_to_each_counter() -> None:
    first = a_click(code="one", referrer="https://news.example.com/", user_agent=FIREFOX, country="DE")
    second = a_click(code="two")
    expires_at = str(int((NOW + timedelta(days=30)).timestamp()))

    actions = actions_of(first, second, retention_days=30)

    assert [
        {
            "Put": {
                "TableName": "linkly-test-clicks",
                "Item": {
                    "code": {"S": "one"},
                    "click_id": {"S": str(first.id)},
                    "occurred_at": {"S": "2026-05-27T10:15:30.123Z"},
                    "expires_at": {"N": expires_at},
                    "referrer": {"S": "https://news.example.com/"},
                    "user_agent": {"S": FIREFOX},
                    "country": {"S": "DE"},
                },
                "ConditionExpression": "attribute_not_exists(click_id)",
            }
        },
        {
            "Put": {
                "TableName": "linkly-test-clicks",
                "Item": {
                    "code": {"S": "two"},
                    "click_id": {"S": str(second.id)},
                    "occurred_at": {"S": "2026-05-27T10:15:30.123Z"},
                    "expires_at": {"N": expires_at},
                },
                "ConditionExpression": "attribute_not_exists(click_id)",
            }
        },
        {
            "Update": {
                "TableName": "linkly-test-daily_clicks",
                "Key": {"code": {"S": "one"}, "day#shard": {"S": "2026-05-27#07"}},
                "UpdateExpression": "ADD #0 :1, #1 :1, #2 :1, #3 :1, #4 :1, #5 :1, #6 :1, #7 :1, v :v",
                "ExpressionAttributeNames": {
                    "#0": "clicks",
                    "#1": "h10",
                    "#2": "cDE",
                    "#3": "bFirefox",
                    "#4": "oLinux",
                    "#5": "ddesktop",
                    "#6": "rnews.example.com",
                    "#7": "u",
                },
                "ExpressionAttributeValues": {
                    ":1": {"N": "1"},
                    ":v": {"N": str(size_of(["rnews.example.com"]))},
                    ":room": {"N": str(MOST_BYTES - size_of(["rnews.example.com"]))},
                },
                "ConditionExpression": "(attribute_not_exists(v) OR v <= :room)",
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
        },
        {
            "Update": {
                "TableName": "linkly-test-daily_clicks",
                "Key": {"code": {"S": "two"}, "day#shard": {"S": "2026-05-27#07"}},
                "UpdateExpression": "ADD #0 :1, #1 :1, #2 :1, #3 :1, #4 :1, #5 :1, #6 :1, #7 :1",
                "ExpressionAttributeNames": {
                    "#0": "clicks",
                    "#1": "h10",
                    "#2": "c",
                    "#3": "b",
                    "#4": "o",
                    "#5": "d",
                    "#6": "r",
                    "#7": "u",
                },
                "ExpressionAttributeValues": {":1": {"N": "1"}},
            }
        },
    ] == actions


def test_a_row_tells_the_time_in_utc_wherever_the_click_was_told_it() -> None:
    moment = NOW.astimezone(timezone(timedelta(hours=2)))

    put, _ = actions_of(a_click(occurred_at=moment))

    assert {"S": "2026-05-27T10:15:30.123Z"} == put["Put"]["Item"]["occurred_at"]


def test_without_some_clicks_the_counters_are_lower() -> None:
    one, two, three = a_click(code="one"), a_click(code="one"), a_click(code="three")

    transaction = Transaction((one, two, three)).without([two, three])

    assert Transaction((one,)) == transaction
    assert {CounterKey("one", "2026-05-27"): Counter(attributes_of(one))} == transaction.counters


def test_the_same_id_on_two_links_is_two_clicks() -> None:
    one, two = (a_click(code=code, id=uuid.UUID(int=1)) for code in ("one", "two"))

    assert Transaction((two,)) == Transaction((one, two)).without([one])


@pytest.mark.parametrize(
    ("age", "reason"),
    [
        (timedelta(0), None),
        (timedelta(days=90, hours=-1, microseconds=-1), None),
        (timedelta(days=90, hours=-1), "older than rows are kept: it may have been counted and forgotten"),
        (timedelta(days=365), "older than rows are kept: it may have been counted and forgotten"),
        (timedelta(days=-1, microseconds=1), None),
        (timedelta(days=-1), "from the future"),
    ],
)
def test_a_click_is_countable_from_a_day_before_it_happens_until_its_row_could_be_gone(
    age: timedelta, reason: str | None
) -> None:
    assert reason == why_not_countable(a_click(occurred_at=NOW - age), NOW, retention_days=90)


@pytest.mark.parametrize(
    ("moment", "reason"),
    [
        ("0001-01-01T00:00:00+23:59", "older than rows are kept: it may have been counted and forgotten"),
        ("9999-12-31T23:59:59-23:59", "from the future"),
    ],
)
def test_the_ends_of_time_are_not_countable(moment: str, reason: str) -> None:
    assert reason == why_not_countable(a_click(occurred_at=type(NOW).fromisoformat(moment)), NOW, retention_days=90)
