"""When a message that was not counted is delivered again."""

import pytest

from chalicelib.deliveries import Failure


@pytest.mark.parametrize(("receive_count", "seconds"), [(1, 15), (2, 30), (3, 60), (4, 120), (5, 240)])
def test_the_pause_doubles_with_every_delivery(receive_count: int, seconds: int) -> None:
    assert seconds == Failure("busy").pause(receive_count)


@pytest.mark.parametrize("receive_count", [1, 2, 5])
def test_a_hopeless_message_is_not_kept_waiting(receive_count: int) -> None:
    assert 2 == Failure("undecodable", hopeless=True).pause(receive_count)


def test_no_pause_is_longer_than_sqs_allows() -> None:
    assert Failure("busy").pause(receive_count=20) <= 12 * 60 * 60
