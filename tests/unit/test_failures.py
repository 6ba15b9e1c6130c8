"""When a message that was not counted is delivered again."""

from typing import Any

import pytest
from botocore.client import BaseClient

from chalicelib import aws, deliveries
from chalicelib.clock import LONGEST_PAUSE
from chalicelib.deliveries import MOST_DELIVERIES, Failure

A_PAUSE_OF_BOTOCORE = 1
"""Seconds at most before its second attempt:
https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
"""


def pauses() -> list[int]:
    return [Failure("busy").pause(receive_count) for receive_count in range(1, MOST_DELIVERIES)]


def test_the_pause_grows_sixfold_with_every_delivery_so_that_five_of_them_span_more_than_an_hour() -> None:
    assert [15, 90, 540, 3240] == pauses()
    assert sum(pauses()) > 60 * 60


@pytest.mark.parametrize(
    ("first", "expected"),
    [("0.2", [1, 2, 8, 44]), ("0.1", [1, 1, 4, 22]), ("1", [1, 6, 36, 216]), ("2.5", [3, 15, 90, 540])],
)
def test_a_pause_is_rounded_up_to_whole_seconds(
    monkeypatch: pytest.MonkeyPatch, first: str, expected: list[int]
) -> None:
    monkeypatch.setenv("RETRY_PAUSE_SECONDS", first)

    assert expected == pauses()


@pytest.mark.parametrize("receive_count", [MOST_DELIVERIES, MOST_DELIVERIES + 1])
def test_after_its_last_delivery_a_message_is_not_kept_from_the_dead_letter_queue(receive_count: int) -> None:
    assert 2 == Failure("busy").pause(receive_count)


@pytest.mark.parametrize("receive_count", [1, 2, 5])
def test_a_message_that_can_never_succeed_is_not_kept_waiting(receive_count: int) -> None:
    assert 2 == Failure("undecodable", permanent=True).pause(receive_count)


def test_no_pause_is_longer_than_sqs_allows_of_a_message_that_was_received_some_minutes_ago(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RETRY_PAUSE_SECONDS", "900")

    assert max(pauses()) <= 12 * 60 * 60 - 5 * 60


def test_in_reserve_is_what_a_last_call_a_pause_and_putting_off_can_take() -> None:
    assert deliveries.SECONDS_IN_RESERVE == (
        seconds_without_an_answer(aws.dynamodb()) + LONGEST_PAUSE + seconds_without_an_answer(aws.sqs())
    )


def seconds_without_an_answer(client: BaseClient) -> float:
    """How long a call takes that is never answered."""
    config: Any = client.meta.config
    attempts = config.retries["total_max_attempts"]
    return float(attempts * (config.connect_timeout + config.read_timeout) + (attempts - 1) * A_PAUSE_OF_BOTOCORE)
