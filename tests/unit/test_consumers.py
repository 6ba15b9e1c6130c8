"""`python -m ops pause` and `resume`: a mapping on its way from one state to another."""

from typing import Any

import pytest

from ops.repairing import consumers
from ops.repairing.consumers import Consumer, SwitchFailed, switch

CONSUMER = Consumer("record_clicks", "an-id", "arn:aws:sqs:eu-central-1:123456789012:linkly-dev-clicks", "Enabled", "")


class Lambda:
    """AWS Lambda's side of one mapping, which is in one of these states after the other, and then in the last."""

    def __init__(self, *states: str) -> None:
        self.states, self.asked = list(states), list[bool]()

    def get_event_source_mapping(self, **_: Any) -> dict[str, str]:
        return {"State": self.states.pop(0) if len(self.states) > 1 else self.states[0]}

    def update_event_source_mapping(self, UUID: str, Enabled: bool) -> None:  # noqa: N803 (AWS's names)
        assert UUID == CONSUMER.mapping_id
        self.asked.append(Enabled)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "_SECONDS_BETWEEN_LOOKS", 0)


@pytest.mark.parametrize(
    ("on", "states", "asked"),
    [
        (False, ["Enabled", "Disabling", "Disabling", "Disabled"], [False]),
        (True, ["Disabled", "Enabling", "Enabled"], [True]),
        (False, ["Disabled"], []),
        (True, ["Enabled"], []),
        (False, ["Updating", "Updating", "Enabled", "Disabled"], [False]),
        (True, ["Disabling", "Disabled", "Enabled"], [True]),
    ],
)
def test_a_consumer_is_switched_once_when_it_can_be_and_waited_for(
    monkeypatch: pytest.MonkeyPatch, on: bool, states: list[str], asked: list[bool]
) -> None:
    functions = Lambda(*states)
    monkeypatch.setattr(consumers, "client", lambda _: functions)

    switch(CONSUMER, on=on)

    assert (asked, states[-1:]) == (functions.asked, functions.states)


def test_a_consumer_that_does_not_stop_in_time_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "client", lambda _: Lambda("Disabling"))
    monkeypatch.setattr(consumers, "SECONDS_TO_SWITCH", 0)

    with pytest.raises(SwitchFailed, match="record_clicks is still disabling after 0 seconds"):
        switch(CONSUMER, on=False)
