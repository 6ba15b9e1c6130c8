"""Time as text."""

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib import clock
from chalicelib.clock import back_off, now, sleep  # the real ones, before each test stops them
from tests.builders import NOW, StoppedClock

moments = st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 (zones are drawn)


def test_now_is_now_in_utc() -> None:
    before = datetime.now(UTC)

    moment = now()

    assert before <= moment <= datetime.now(UTC)
    assert UTC == moment.tzinfo


def test_to_sleep_is_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)

    sleep(0.5)

    assert [0.5] == waits


def test_pauses_between_tries_grow_at_random_up_to_two_seconds(clock: StoppedClock) -> None:
    for tries in range(1, 10):
        back_off(tries)

    bounds = [0.1, 0.2, 0.4, 0.8, 1.6, 2, 2, 2, 2]
    assert all(0 <= pause <= bound for pause, bound in zip(clock.sleeps, bounds, strict=True))
    assert len(bounds) == len(set(clock.sleeps))


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (NOW, "2026-05-27T10:15:30.123Z"),
        (NOW.replace(microsecond=0), "2026-05-27T10:15:30.000Z"),
        (NOW.replace(microsecond=999_999), "2026-05-27T10:15:30.999Z"),
    ],
)
def test_a_time_is_written_with_milliseconds(moment: datetime, text: str) -> None:
    assert text == clock.rfc3339(moment)


@given(moments)
def test_a_time_reads_as_it_was_written(moment: datetime) -> None:
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)

    assert moment == datetime.fromisoformat(clock.rfc3339(moment))


@given(moments, moments)
def test_the_order_of_texts_is_the_order_of_times(one: datetime, other: datetime) -> None:
    assert (one <= other) <= (clock.rfc3339(one) <= clock.rfc3339(other))
