"""`python -m ops dlq` and `clicks reconcile` with 100,000 dead letters: they end, and lose nothing."""

from collections import Counter
from typing import Any

import pytest

from chalicelib.clicks.click import encode
from ops.repairing import dlq, reconcile
from ops.shared import queues as queues_module
from ops.shared.queues import RECEIVERS, LookFailed, looked_at
from tests.builders import TODAY, a_click
from tests.functional.large_queue import LargeQueues
from tests.functional.terminal import Type, terminal

MANY = 100_000
A_TENTH = 0.1
"""Seconds that a call takes from far away."""


def queues_of(monkeypatch: pytest.MonkeyPatch, *bodies: str, seconds_a_call: float = A_TENTH) -> LargeQueues:
    """Queues in place of SQS, whose dead-letter queue has these messages."""
    queues = LargeQueues(bodies, seconds_a_call)
    for module in (dlq, queues_module):
        monkeypatch.setattr(module, "client", lambda _: queues)
    monkeypatch.setattr(queues_module, "time", queues)
    return queues


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Type:
    monkeypatch.setattr(dlq, "_reasons", lambda *_: {})
    return terminal(dlq, monkeypatch)


def numbered(number: int) -> list[str]:
    return [f"dead letter {nth}" for nth in range(number)]


def test_reconcile_knows_every_dead_click_and_puts_them_back(monkeypatch: pytest.MonkeyPatch) -> None:
    queues = queues_of(monkeypatch, *(encode(a_click()) for _ in range(MANY)))

    dead = reconcile._dead()  # noqa: SLF001 (the rest of the report would ask DynamoDB for each of them)

    assert Counter({TODAY: MANY}) == Counter(dead.values())
    assert MANY == queues.visible
    assert queues.calls.count("receive_message") <= MANY / 10 + RECEIVERS


def test_a_look_that_takes_longer_than_messages_stay_hidden_ends_and_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    queues = queues_of(monkeypatch, *numbered(MANY), seconds_a_call=2)

    with looked_at("https://sqs.example/linkly-test-clicks-dlq") as looking, pytest.raises(LookFailed) as failed:
        list(looking.messages())

    assert (
        "linkly-test-clicks-dlq holds more messages than can be looked through, which is 110,000 at once, or as many "
        "as come in 14 minutes: 42,000 were seen. Send some of them back first: python -m ops dlq redrive"
    ) == str(failed.value)
    assert MANY == queues.visible


def test_a_look_ends_where_messages_are_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    queues = queues_of(monkeypatch, *numbered(95))
    receive = queues.receive_message
    monkeypatch.setattr(queues, "receive_message", lambda **request: receive(**{**request, "VisibilityTimeout": 0}))

    with looked_at("https://sqs.example/linkly-test-clicks-dlq") as looking:
        seen = Counter(message["Body"] for message in looking.messages())

    assert 1 == max(seen.values())


def test_a_look_at_more_messages_than_sqs_hides_at_once_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    queues = queues_of(monkeypatch, *numbered(130_000), seconds_a_call=0.01)

    with looked_at("https://sqs.example/linkly-test-clicks-dlq") as looking, pytest.raises(LookFailed):
        list(looking.messages())

    assert 130_000 == queues.visible


def test_a_hundred_are_shown_and_how_many_more_there_are(monkeypatch: pytest.MonkeyPatch, run: Type) -> None:
    queues = queues_of(monkeypatch, *numbered(MANY))

    shown = run("show", "clicks")
    fewer = run("show", "clicks", "--limit", "25")

    assert (0, 0) == (shown.exit_code, fewer.exit_code)
    assert [200 + 1, 50 + 1] == [len(each.stdout.splitlines()) for each in (shown, fewer)]
    assert "and 99900 more; --limit shows more of them" == shown.stdout.splitlines()[-1]
    assert 10 + 3 == queues.calls.count("receive_message")
    assert MANY == queues.visible


def test_listing_reads_no_message(monkeypatch: pytest.MonkeyPatch, run: Type) -> None:
    queues = queues_of(monkeypatch, *numbered(MANY))

    listed = run("list")

    assert 0 == listed.exit_code
    assert [] == queues.calls
    [line] = [line for line in listed.stdout.splitlines() if "│ clicks " in line]
    assert ["clicks", "100000", "0"] == [cell.strip() for cell in line.strip("│").split("│")]


def test_all_are_sent_back_ten_at_a_time(monkeypatch: pytest.MonkeyPatch, run: Type) -> None:
    queues = queues_of(monkeypatch, *numbered(MANY))

    redriven = run("redrive", "clicks")

    assert (0, f"{MANY} messages sent back to clicks\n") == (redriven.exit_code, redriven.stdout)
    assert {} == queues.bodies
    assert Counter(numbered(MANY)) == queues.sent
    assert {"send_message_batch": MANY / 10, "delete_message_batch": MANY / 10} == {
        name: number for name, number in Counter(queues.calls).items() if name.startswith(("send", "delete"))
    }


def test_what_comes_back_at_once_is_not_sent_twice(monkeypatch: pytest.MonkeyPatch, run: Type) -> None:
    queues = queues_of(monkeypatch, *numbered(1_000))
    queues.poison = set(numbered(300))

    redriven = run("redrive", "clicks")

    assert Counter(numbered(1_000)) == queues.sent
    assert [
        "1000 messages sent back to clicks",
        "300 came back meanwhile, and stay. See why: python -m ops dlq show clicks --stage test",
    ] == redriven.stdout.splitlines()
    assert (300, 300) == (len(queues.bodies), queues.visible)


def test_what_is_not_accepted_is_said_and_stays(monkeypatch: pytest.MonkeyPatch, run: Type) -> None:
    queues = queues_of(monkeypatch, *numbered(1_000))
    queues.refused = set(numbered(3))

    redriven = run("redrive", "clicks")

    assert 1 == redriven.exit_code
    assert [
        "997 messages sent back to clicks",
        "3 were not accepted, and stay: InternalError Try again",
    ] == redriven.stdout.splitlines()
    assert set(numbered(3)) == set(queues.bodies.values())
    assert 3 == queues.visible


def test_what_could_not_be_deleted_is_said(monkeypatch: pytest.MonkeyPatch, run: Type) -> None:
    queues = queues_of(monkeypatch, *numbered(15))
    undeleted = {"Successful": [], "Failed": [{"Id": "0", "Code": "InternalError"}]}
    monkeypatch.setattr(queues, "delete_message_batch", lambda **_: undeleted)

    redriven = run("redrive", "clicks")

    assert [
        "15 messages sent back to clicks",
        "2 of them could not be deleted: they are sent once more the next time, and count once",
    ] == redriven.stdout.splitlines()
    assert (15, 15) == (queues.sent.total(), queues.visible)


def test_a_message_that_sqs_hands_out_twice_is_seen_once(monkeypatch: pytest.MonkeyPatch) -> None:
    queues = queues_of(monkeypatch, *numbered(95))
    receive, handed_out = queues.receive_message, list[Any]()

    def twice(**request: Any) -> Any:
        answer = receive(**request)
        handed_out.extend(answer["Messages"])
        return {"Messages": answer["Messages"] + handed_out[: len(answer["Messages"]) // 2]}

    monkeypatch.setattr(queues, "receive_message", twice)

    with looked_at("https://sqs.example/linkly-test-clicks-dlq") as looking:
        seen = Counter(message["Body"] for message in looking.messages())

    assert Counter(numbered(95)) == seen
    assert 95 == queues.visible


@pytest.mark.parametrize("operation", ["receive_message", "send_message_batch", "delete_message_batch"])
def test_an_interruption_loses_nothing(monkeypatch: pytest.MonkeyPatch, run: Type, operation: str) -> None:
    queues = queues_of(monkeypatch, *numbered(1_000))
    call = getattr(queues, operation)

    def interrupted(**request: Any) -> Any:
        if queues.calls.count(operation) >= 35:
            raise KeyboardInterrupt
        return call(**request)

    monkeypatch.setattr(queues, operation, interrupted)

    stopped = run("redrive", "clicks")
    left = Counter(queues.bodies.values())

    assert 0 != stopped.exit_code
    assert set(numbered(1_000)) == {*queues.sent, *left}
    assert left.total() == queues.visible > 0


def test_no_more_are_sent_back_than_was_asked_for(monkeypatch: pytest.MonkeyPatch, run: Type) -> None:
    queues = queues_of(monkeypatch, *numbered(1_000))

    redriven = run("redrive", "clicks", "--limit", "25")

    assert "25 messages sent back to clicks\n" == redriven.stdout
    assert (25, 975) == (queues.sent.total(), queues.visible)
