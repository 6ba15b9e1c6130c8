"""`python -m ops status`: what is wrong, and what to do."""

from dataclasses import replace

import pytest

from ops.watching.status import Alarm, Endpoint, LastHour, Queue, Report, Source, Stack, problems, show

WELL = Report(
    stage="dev",
    at="2026-05-27T10:15:30.123Z",
    endpoint=Endpoint("https://go.example.com", 200, 12),
    stack=Stack("UPDATE_COMPLETE", "2026-05-26T10:15:30.123Z", "v1.0.0"),
    queues=[Queue("clicks", 12, 3), Queue("clicks-dlq", 0, None)],
    consumers=[Source("record_clicks", "Enabled", "OK")],
    alarms=[],
    to_replay=0,
    last_hour=LastHour(12, 800, 2300),
)


def test_a_stage_that_is_well_has_no_problems() -> None:
    assert [] == list(problems(WELL))


@pytest.mark.parametrize("status", ["UPDATE_ROLLBACK_COMPLETE", "CREATE_COMPLETE", "UPDATE_IN_PROGRESS"])
def test_a_deployment_that_was_taken_back_or_goes_on_is_no_problem(status: str) -> None:
    assert [] == list(problems(replace(WELL, stack=replace(WELL.stack, status=status))))


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        (
            replace(WELL, endpoint=Endpoint("https://go.example.com", 503, 12)),
            (
                "https://go.example.com/health does not answer as it should: the status was 503. "
                "See why: python -m ops logs --function follow_link --since 1h --stage dev"
            ),
        ),
        (
            replace(WELL, endpoint=Endpoint("https://go.example.com", None, 12, "timed out")),
            (
                "https://go.example.com/health does not answer as it should: timed out. "
                "See why: python -m ops logs --function follow_link --since 1h --stage dev"
            ),
        ),
        (
            replace(WELL, stack=replace(WELL.stack, status="UPDATE_ROLLBACK_FAILED")),
            (
                "The stack linkly-dev is UPDATE_ROLLBACK_FAILED. "
                "See the reason among its events in CloudFormation, and deploy again: make deploy STAGE=dev"
            ),
        ),
        (
            replace(WELL, queues=[Queue("link-changes", 3, None), Queue("link-changes-dlq", 2, 60)]),
            (
                "Messages wait in link-changes-dlq: 2. See why: python -m ops dlq show link-changes --stage dev; "
                "then send them back: python -m ops dlq redrive link-changes --stage dev"
            ),
        ),
        (
            replace(WELL, consumers=[Source("record_clicks", "Disabled", "OK")]),
            "record_clicks is paused. Let it go on: python -m ops resume record_clicks --stage dev",
        ),
        (
            replace(WELL, consumers=[Source("record_clicks", "Updating", "OK")]),
            "record_clicks is updating. Look again in a minute.",
        ),
        (
            replace(WELL, to_replay=3),
            (
                "Clicks that could not be queued are in the log, which keeps them for 30 days: 3. "
                "Have them counted: python -m ops clicks replay --since 30d --stage dev"
            ),
        ),
        (
            replace(WELL, alarms=[Alarm("linkly-dev-clicks-dlq", "2026-05-27T10:15:30.123Z", "Clicks wait.")]),
            "The alarm linkly-dev-clicks-dlq is on since 2026-05-27T10:15:30.123Z: Clicks wait.",
        ),
    ],
)
def test_each_problem_is_a_sentence_that_says_what_to_do(report: Report, expected: str) -> None:
    assert [expected] == list(problems(report))


def test_a_stack_that_was_never_made_is_a_problem() -> None:
    [problem] = problems(replace(WELL, stack=replace(WELL.stack, status="ROLLBACK_COMPLETE")))

    assert problem.startswith("The stack linkly-dev is ROLLBACK_COMPLETE.")


def test_what_aws_says_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    show(replace(WELL, consumers=[Source("record_clicks", "Enabled", "PROBLEM: [/x] [bold]y")]), [])

    assert "PROBLEM: [/x] [bold]y" in capsys.readouterr().out
