"""`python -m ops links export`, as typed: a file that is complete, or a sentence."""

from pathlib import Path
from typing import Any

import pytest

from chalicelib.links.store import insert_link
from ops.data import links
from tests.builders import a_link
from tests.functional.terminal import Type, terminal


@pytest.fixture
def type_(monkeypatch: pytest.MonkeyPatch) -> Type:
    """Type a command about links in files, of a stage with one link."""
    insert_link(a_link(code="my-link"))
    return terminal(links, monkeypatch)


def test_the_file_is_complete_and_the_only_one(type_: Type, tmp_path: Path) -> None:
    done = type_("export", str(tmp_path / "links.csv"))

    assert 0 == done.exit_code, done.output
    assert [tmp_path / "links.csv"] == list(tmp_path.iterdir())
    assert 2 == len((tmp_path / "links.csv").read_text().splitlines())


@pytest.mark.parametrize(("folder", "reason"), [("missing", "No such file or directory"), ("file", "Not a directory")])
def test_a_folder_that_is_none_is_said(folder: str, reason: str, type_: Type, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / folder / "links.csv"

    done = type_("export", str(path))

    assert isinstance(done.exception, links.ExportFailed)
    assert f"{path} cannot be written: {reason}." == str(done.exception)


@pytest.mark.parametrize("path", ["{}", "/"])
def test_a_file_that_is_a_folder_is_refused(path: str, type_: Type, tmp_path: Path) -> None:
    done = type_("export", path.format(tmp_path))

    assert 2 == done.exit_code
    assert "is a directory" in done.stderr
    assert [] == list(tmp_path.iterdir())


def test_a_file_that_cannot_be_completed_is_not_left_behind(
    type_: Type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_out(_: Any, file: Any, __: Any) -> None:
        file.write("half of i")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(links, "write_links", run_out)

    done = type_("export", str(tmp_path / "links.csv"))

    assert f"{tmp_path}/links.csv cannot be written: No space left on device." == str(done.exception)
    assert [] == list(tmp_path.iterdir())
