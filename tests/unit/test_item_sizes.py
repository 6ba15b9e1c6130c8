"""Promise 6: whoever sends what, a counter's item has at most 4,096 bytes, and a click's row 2,048.

The sizes of items: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
"""

import uuid
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.clicks.admission import MOST_BYTES, size_of
from chalicelib.clicks.breakdowns import CLICKS, HOURS, LETTERS, OPEN_BYTES, ROBOT_HOURS
from chalicelib.clicks.counters import SHARDS, SORT_KEY
from chalicelib.clicks.dimensions import BROWSERS, COUNTRIES, DEVICES, KNOWN_HOSTS, OTHER, SYSTEMS, UNKNOWN
from chalicelib.clicks.message import LONGEST_REFERRER, LONGEST_USER_AGENT, LONGEST_VALUE
from ops.watching.costs import item_bytes
from tests.builders import NOW, a_click, actions_of

LONGEST_CODE = 64
CLICKS_OF_A_SHARD = 10**9 // SHARDS
"""A billion clicks on one link in one day, 11,600 a second, spread over the shards."""

CLOSED = {
    "country": [*COUNTRIES, OTHER],
    "browser": [*BROWSERS, OTHER],
    "os": [*SYSTEMS, OTHER],
    "device": [*DEVICES],
    "referrer": [*KNOWN_HOSTS, OTHER],
    "utm_source": [OTHER],
}


def widest(names: list[str], total: int) -> list[int]:
    """A number for each of these names that together make at most `total`, and take as many bytes as that allows."""
    numbers = [1] * len(names)
    left = total - len(names)
    # A byte for two digits: one more at 100, 10,000, 1,000,000 and so on.
    for least in (10**2, 10**4, 10**6, 10**8):
        for place, number in enumerate(numbers):
            if least - number <= left:
                left -= least - number
                numbers[place] = least
    return numbers


def test_a_counter_with_every_name_that_there_is_has_at_most_4096_bytes() -> None:
    item = {"code": {"S": "c" * LONGEST_CODE}, SORT_KEY: {"S": "2026-05-27#07"}, CLICKS: {"N": str(CLICKS_OF_A_SHARD)}}
    named = [[LETTERS[dimension] + value for value in (*values, UNKNOWN)] for dimension, values in CLOSED.items()]
    for names in ([*HOURS], [*ROBOT_HOURS], *named):
        item |= {name: {"N": str(number)} for name, number in zip(names, widest(names, CLICKS_OF_A_SHARD), strict=True)}
    item[OPEN_BYTES] = {"N": str(2**31)}

    assert item_bytes(item) + MOST_BYTES <= 4096


@given(host=st.text("abc.", min_size=1, max_size=64), clicks=st.integers(1, 10**10 - 1))
def test_an_open_name_takes_no_more_than_is_reckoned(host: str, clicks: int) -> None:
    assert item_bytes({f"r{host}": {"N": str(clicks)}}) <= size_of([f"r{host}"])


def test_a_row_with_all_that_a_message_can_hold_has_at_most_2048_bytes() -> None:
    wide = "\U0001f600"
    click = a_click(
        id=uuid.UUID(int=2**128 - 1),
        code="c" * LONGEST_CODE,
        occurred_at=NOW + timedelta(microseconds=456),
        referrer=wide * LONGEST_REFERRER,
        user_agent=wide * LONGEST_USER_AGENT,
        country="DE",
        utm_source="s" * LONGEST_VALUE,
        utm_medium="m" * LONGEST_VALUE,
        utm_campaign="c" * LONGEST_VALUE,
    )

    row = actions_of(click)[0]["Put"]["Item"]

    assert item_bytes(row) <= 2048
