"""Unit tests: plain functions, no AWS, no socket."""

import pytest

from tests.builders import StoppedClock


@pytest.fixture(autouse=True)
def unit(offline: None, clock: StoppedClock) -> None:
    """Every unit test runs offline, with a clock that stands still."""
