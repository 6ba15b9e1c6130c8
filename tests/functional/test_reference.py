"""The reference pages in docs/ are what the code, the template and the commands say."""

import re
from pathlib import Path

import pytest
import typer

from chalicelib.links.codes import RESERVED
from ops import PROJECT
from ops.__main__ import commands
from ops.local import reference

PAGES = reference.pages(typer.main.get_group(commands))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_a_reference_page_is_what_the_code_says(path: Path) -> None:
    assert PAGES[path] == path.read_text(), "regenerate it: .venv/bin/python -m ops reference"


def test_the_environment_variable_of_a_setting_is_found_by_the_name_of_its_option() -> None:
    rows = [line.split(" | ")[:3] for line in reference.describe_settings(typer.main.get_group(commands)).splitlines()]

    assert ["| `ClickRetentionDays`", "`CLICK_RETENTION_DAYS`", "`90`"] in rows
    assert ["| `PurgeDelaySeconds`", "", "`900`"] in rows


def test_a_command_is_listed_with_what_it_does_and_shown_with_what_it_takes() -> None:
    page = reference.describe_commands(typer.main.get_group(commands))

    assert "\n| [`keys revoke`](#keys-revoke) | Make a key useless, from now on and for ever. |\n" in page
    assert (
        "\n## keys revoke\n\nMake a key useless, from now on and for ever.\n\n"
        "```\n.venv/bin/python -m ops keys revoke [OPTIONS] {ID}\n```\n\n"
        "| argument or option | meaning |\n| --- | --- |\n| `ID <str>` | As `list` shows it. [required] |\n"
    ) in page


def test_who_may_call_a_route_follows_from_what_it_refuses() -> None:
    lines = PAGES[PROJECT / "docs" / "api.md"].splitlines()

    assert [
        ("GET /me", "anyone with a key"),
        ("GET /analytics/links", "an admin"),
        ("GET /stats/{code}", "the link's owner, or an admin"),
        ("GET /stats", "the link's owner, or an admin"),
        ("POST /links", "anyone with a key"),
        ("GET /links", "anyone with a key"),
        ("GET /links/{code}", "the link's owner, or an admin"),
        ("PUT /links/{code}", "the link's owner, or an admin"),
        ("PATCH /links/{code}", "the link's owner, or an admin"),
        ("DELETE /links/{code}", "the link's owner, or an admin"),
        ("GET /ui", "anyone"),
        ("GET /ui/{version}/{file}", "anyone"),
        ("GET /links/{code}/qr.svg", "anyone"),
        ("GET /{code}", "anyone"),
        ("HEAD /{code}", "anyone"),
        ("POST /unlock/{code}", "anyone"),
        ("GET /unlock/{code}", "anyone"),
        ("GET /{code}+", "anyone"),
        ("GET /", "anyone"),
        ("GET /health", "anyone"),
        ("GET /robots.txt", "anyone"),
        ("GET /openapi.json", "anyone"),
    ] == list(
        zip(
            [line.removeprefix("#### `").removesuffix("`") for line in lines if line.startswith("#### ")],
            [line.removeprefix("- Who: ") for line in lines if line.startswith("- Who: ")],
            strict=True,
        )
    )


def test_every_reserved_code_is_listed() -> None:
    [listed] = re.findall(r"these are reserved: (.*?)\.\n", PAGES[PROJECT / "docs" / "api.md"], re.DOTALL)

    assert set(re.findall(r"`([a-z]+)`", listed)) == RESERVED
