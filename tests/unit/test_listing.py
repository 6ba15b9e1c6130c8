"""What is listed is whole, and says what is stored: whatever that is, and however narrow the terminal."""

import json
from datetime import UTC, datetime

import pytest

from ops.shared.listing import print_list

SINCE = datetime(2026, 5, 27, 10, 15, 30, 123000, tzinfo=UTC)


def test_a_table_is_as_wide_as_what_is_in_it_however_narrow_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")

    print_list([{"id": "x" * 60, "reason": "why " * 30, "since": SINCE, "clicks": 5}])

    head, row = (line for line in capsys.readouterr().out.splitlines() if "│" in line or "┃" in line)
    assert ["x" * 60, ("why " * 30).strip(), "2026-05-27 10:15", "5"] == cells(row)
    assert ["id", "reason", "since", "clicks"] == [cell.strip() for cell in head.split("┃")[1:-1]]


def test_a_terminal_that_is_too_narrow_gets_the_same_without_a_frame(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("FORCE_COLOR", "1")  # which makes rich take what it prints to for a terminal
    monkeypatch.setenv("NO_COLOR", "1")

    print_list([{"id": "x" * 60, "owner": "y" * 60}, {"id": "x", "owner": "y"}])

    assert [f" id{' ' * 60}owner", f" {'x' * 60}  {'y' * 60}", f" x{' ' * 61}y"] == capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[/x]", "[/x]"),
        ("[bold]ada", "[bold]ada"),
        (":warning: Zoë", ":warning: Zoë"),
        ("a\nb", r"a\nb"),
        ("\x1b[2J", r"\x1b[2J"),
    ],
)
def test_a_cell_shows_what_is_stored(capsys: pytest.CaptureFixture[str], text: str, shown: str) -> None:
    print_list([{"owner": text}])

    _, row = (line for line in capsys.readouterr().out.splitlines() if "│" in line or "┃" in line)
    assert [shown] == cells(row)


def test_as_json_every_value_is_what_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    print_list([{"owner": "[bold]a\n", "since": SINCE, "reason": None, "waiting": 5}], as_json=True, absent="never")

    assert [{"owner": "[bold]a\n", "since": "2026-05-27T10:15:30.123Z", "reason": None, "waiting": 5}] == json.loads(
        capsys.readouterr().out
    )


def test_an_empty_list_is_a_sentence_for_people_and_an_empty_array_for_programs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_list([], nothing="No domain [is] blocked.")
    told = capsys.readouterr()
    print_list([], as_json=True, nothing="No domain is blocked.")
    written = capsys.readouterr()

    assert ("", "No domain [is] blocked.\n") == told
    assert ("[]\n", "") == written


def cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.split("│")[1:-1]]
