"""`python -m ops logs`: which lines are shown, once each, and how."""

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from ops.shared import log_lines
from ops.shared.log_lines import Line, Selection, json_lines, pattern
from ops.watching import logs
from ops.watching.logs import as_object, follow_lines, one_line, print_json, print_line

CLICK_ID = "3f0f7d0e-5a43-4c39-9d53-5d3d1c8f7a11"


class Patience(threading.Event):
    """An event that nobody waits for; it knows for how long they would have."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout or 0)
        return self.is_set()


class Cloudwatch:
    """CloudWatch's side of two functions' logs; `trouble` is raised once for each of its entries, in place of answers.

    `arriving` has the lines that arrive between one look and the next.
    """

    def __init__(self, *arriving: list[Line], trouble: list[Exception] | None = None) -> None:
        first, *self.arriving = arriving
        self.there, self.trouble = list(first), list(trouble or [])
        self.requests: list[dict[str, Any]] = []

    def get_paginator(self, operation: str) -> Any:
        return type("Paginator", (), {"paginate": staticmethod(getattr(self, operation))})

    def describe_log_groups(self, logGroupNamePrefix: str) -> Iterator[dict[str, Any]]:  # noqa: N803 (AWS's name)
        names = [f"{logGroupNamePrefix}{name}" for name in ("api_handler", "record_clicks")]
        yield {"logGroups": [{"logGroupName": name} for name in names]}
        if self.requests and self.arriving:
            self.there += self.arriving.pop(0)

    def filter_log_events(self, **request: Any) -> Iterator[dict[str, Any]]:
        self.requests.append(request)
        for line in sorted(self.there, key=lambda line: line.timestamp):
            if line.timestamp >= request["startTime"] and request["logGroupName"].endswith(line.function):
                if self.trouble:
                    raise self.trouble.pop(0)
                yield {"events": [{"timestamp": line.timestamp, "message": line.message, "eventId": line.id}]}


@pytest.fixture
def stop() -> Patience:
    return Patience()


@pytest.fixture
def cloudwatch(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Cloudwatch]:
    def install(*arriving: list[Line], trouble: list[Exception] | None = None) -> Cloudwatch:
        made = Cloudwatch(*arriving, trouble=trouble)
        for module in (logs, log_lines):
            monkeypatch.setattr(module, "client", lambda _: made)
        return made

    return install


def an_answer(code: str, status: int) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "FilterLogEvents")  # type: ignore[typeddict-item]


def followed(stop: Patience, lines: int, selection: Selection = Selection("dev")) -> list[Line]:  # noqa: B008 (frozen)
    """Follow until this many lines are shown, and then for a few looks more."""
    shown: list[Line] = []

    class Enough(Patience):
        looks_left = 40

        def is_set(self) -> bool:
            self.looks_left -= len(shown) >= lines
            return self.looks_left <= 0

    enough = Enough()
    follow_lines(selection, shown.append, enough, since=0)
    stop.waits = enough.waits
    return shown


FIRST = Line("api_handler", 1_000, "first", "1")
SECOND = Line("record_clicks", 2_000, "second", "2")
THIRD = Line("api_handler", 3_000, "third", "3")


def test_the_lines_of_all_functions_come_in_the_order_of_time_each_once(
    cloudwatch: Callable[..., Cloudwatch], stop: Patience
) -> None:
    cloudwatch([THIRD, FIRST, SECOND])

    assert [FIRST, SECOND, THIRD] == followed(stop, 3)


def test_a_line_that_comes_late_is_shown_and_nothing_twice(
    cloudwatch: Callable[..., Cloudwatch], stop: Patience
) -> None:
    cloudwatch([SECOND, THIRD], [FIRST])

    assert [SECOND, THIRD, FIRST] == followed(stop, 3)


def test_two_lines_alike_in_the_same_millisecond_are_both_shown(
    cloudwatch: Callable[..., Cloudwatch], stop: Patience
) -> None:
    twin = Line(FIRST.function, FIRST.timestamp, FIRST.message, "another")
    cloudwatch([FIRST, twin])

    assert [FIRST, twin] == followed(stop, 2)


def test_only_what_is_new_is_asked_for(cloudwatch: Callable[..., Cloudwatch], stop: Patience) -> None:
    asked = cloudwatch([Line("api_handler", 50_000, "now", "1")])

    followed(stop, 1)

    starts = {request["startTime"] for request in asked.requests if request["logGroupName"].endswith("api_handler")}
    assert {0, 40_000} == starts


@pytest.mark.parametrize(
    "trouble",
    [
        an_answer("ThrottlingException", 400),
        an_answer("ServiceUnavailableException", 503),
        an_answer("ResourceNotFoundException", 400),
        EndpointConnectionError(endpoint_url="https://logs"),
    ],
)
def test_following_goes_on_over_trouble_that_passes_after_pauses_that_double(
    cloudwatch: Callable[..., Cloudwatch], stop: Patience, trouble: Exception
) -> None:
    cloudwatch([FIRST, SECOND], [THIRD], trouble=[trouble] * 7)

    assert [FIRST, SECOND, THIRD] == followed(stop, 3)
    assert [1, 2, 4, 8, 16, 30, 30] == [wait for wait in stop.waits if wait >= 1]


def test_trouble_that_does_not_pass_is_told(cloudwatch: Callable[..., Cloudwatch], stop: Patience) -> None:
    cloudwatch([FIRST], trouble=[an_answer("AccessDeniedException", 400)])

    with pytest.raises(ClientError, match="AccessDenied"):
        followed(stop, 1)


def test_one_function_and_one_text_are_asked_for_and_held_to(
    cloudwatch: Callable[..., Cloudwatch], stop: Patience
) -> None:
    found = Line("api_handler", 2_000, f'{{"click_id": "{CLICK_ID}"}}', "4")
    asked = cloudwatch([FIRST, SECOND, found])

    shown = followed(stop, 1, Selection("dev", "api_handler", CLICK_ID))

    assert [found] == shown
    assert {("/aws/lambda/linkly-dev-api_handler", f'"{CLICK_ID}"')} == {
        (request["logGroupName"], request["filterPattern"]) for request in asked.requests
    }


def test_json_lines_are_those_that_are_json_objects(
    cloudwatch: Callable[..., Cloudwatch], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "SECONDS_BETWEEN_CALLS", 0)
    texts = ['{"a": "failures"}', "failures", '["failures"]', '{"b": 1}']
    cloudwatch([Line("api_handler", number, text, str(number)) for number, text in enumerate(texts)])

    lines = list(json_lines("dev", "api_handler", 0, "failures"))

    assert [{"a": "failures"}] == lines


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (CLICK_ID, f'"{CLICK_ID}"'),
        ("unqueued_click", '"unqueued_click"'),
        ('"code": "my-link"', '"my-link"'),
        ("-dash-", '"dash"'),
        ("déjà vu", '"vu"'),
        ('"', ""),
        ("", ""),
    ],
)
def test_a_filter_pattern_is_the_longest_part_that_cloudwatch_takes_by_its_letters(text: str, expected: str) -> None:
    assert expected == pattern(text)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            '{"level": "INFO", "message": "clicks recorded", "service": "linkly", "recorded": 3}',
            "INFO clicks recorded recorded=3",
        ),
        ("START RequestId: 1\tVersion: 2\n", "START RequestId: 1 Version: 2"),
        ('{"level": "INFO"}', '{"level": "INFO"}'),
        ("[1, 2]", "[1, 2]"),
        ("a\x1b[31mred\u202e", "a\\x1b[31mred\\u202e"),
        (json.dumps({"level": "INFO", "message": "a\nb\x07"}), "INFO a\\nb\\x07"),
    ],
)
def test_a_line_is_shown_on_one_line_with_nothing_that_a_terminal_would_obey(message: str, expected: str) -> None:
    assert expected == one_line(message)


def test_a_line_as_json_has_its_function_and_its_own_fields(capsys: pytest.CaptureFixture[str]) -> None:
    print_json(Line("record_clicks", 1, '{"message": "clicks recorded", "recorded": 3}'))

    assert {"function": "record_clicks", "message": "clicks recorded", "recorded": 3} == json.loads(
        capsys.readouterr().out
    )
    assert {"function": "record_clicks", "timestamp": 1, "message": "START"} == as_object(
        Line("record_clicks", 1, "START")
    )


def test_lines_stand_in_one_column_without_colours_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    print_line(Line("record_clicks", 1, '{"level": "ERROR", "message": "[red]no[/red]", "code": "x"}'))
    print_line(Line("publish_link_events", 1, "START " + "x" * 200))

    assert [
        'record_clicks       | ERROR [red]no[/red] code="x"',
        f"publish_link_events | START {'x' * 200}",
    ] == capsys.readouterr().out.splitlines()
