"""The clients: how long they may take, and how many there are."""

from typing import Any

import pytest

from chalicelib import aws

pytestmark = pytest.mark.usefixtures("new_clients")


def test_a_client_is_made_once_and_again_when_it_is_forgotten() -> None:
    first = aws.dynamodb(), aws.sqs()
    same = aws.dynamodb(), aws.sqs()

    aws.forget_clients()

    assert first == same
    assert aws.dynamodb() is not first[0]
    assert aws.sqs() is not first[1]


def test_a_new_client_follows_the_environment_as_it_is_then(monkeypatch: pytest.MonkeyPatch) -> None:
    before = aws.sqs().meta.region_name

    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    aws.forget_clients()

    assert ("eu-central-1", "us-east-1") == (before, aws.sqs().meta.region_name)


@pytest.mark.parametrize("attempts", [1, 2])
def test_a_visitor_waits_two_seconds_at_most_for_a_dead_queue(attempts: int) -> None:
    config: Any = aws.sqs(attempts).meta.config

    # Either connecting or reading times out; between two attempts botocore pauses for a second at most.
    assert attempts == config.retries["total_max_attempts"]
    assert attempts * max(config.connect_timeout, config.read_timeout) + (attempts - 1) * 1 <= 2
