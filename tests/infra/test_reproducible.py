"""The same commit gives the same package, and says which commit it is."""

import json
import os
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from ops.deploying.package import Package, reproducible, version
from tests.checkout import copy_checkout


def packaged(checkout: Path) -> dict[str, Any]:
    """What packaging a checkout gives: the code's hash, which is in its name, and the template."""
    program = (
        "import json; from ops.deploying.package import package; made = package('dev'); "
        "print(json.dumps({'code': made.code_key, 'template': made.template('some-bucket')}))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=checkout, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_two_checkouts_in_different_folders_give_the_same_package_and_nothing_is_left_in_them_for_the_next_one(
    dev_package: Package, tmp_path: Path
) -> None:
    there = copy_checkout(tmp_path)
    for file in (there / "app.py", *(there / "chalicelib").rglob("*.py")):
        os.utime(file, (1_000_000_000, 1_000_000_000))
        file.chmod(0o600)
    (there / "chalicelib" / "__pycache__").mkdir()
    (there / "chalicelib" / "__pycache__" / "old.cpython-311.pyc").write_bytes(b"compiled in some folder")

    before = files_in(there)

    found = packaged(there)

    template = dev_package.template("some-bucket")
    template["Outputs"]["Version"]["Value"] = "unknown"  # the copy is in no repository
    assert {"code": dev_package.code_key, "template": template} == found
    assert before == files_in(there)


def files_in(checkout: Path) -> set[Path]:
    """What is in a checkout, but for what Python compiles of it."""
    return {path for path in checkout.rglob("*") if path.is_file() and path.suffix != ".pyc"}


def test_a_zip_is_put_in_order(tmp_path: Path) -> None:
    given = tmp_path / "given.zip"
    with zipfile.ZipFile(given, "w") as made:
        for name in ("b/two.py", "a/__pycache__/one.pyc", "a/one.py", "b/"):
            made.writestr(zipfile.ZipInfo(name, (2026, 5, 27, 12, 0, 0)), name)

    code = reproducible(given.read_bytes())

    entries = [
        (entry.filename, entry.date_time, entry.external_attr >> 16)
        for entry in zipfile.ZipFile(BytesIO(code)).infolist()
    ]
    assert [("a/one.py", (1980, 1, 1, 0, 0, 0), 0o100644), ("b/two.py", (1980, 1, 1, 0, 0, 0), 0o100644)] == entries
    assert code == reproducible(code)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit, and a folder in it."""
    (tmp_path / "inside").mkdir()
    (tmp_path / "file").write_text("first")
    for command in (["init"], ["add", "file"], ["commit", "--message", "first"]):
        git(tmp_path, *command)
    return tmp_path


def git(repository: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *identity, *arguments], cwd=repository, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_version_names_the_commit_and_its_tag_and_tells_of_changes(repository: Path) -> None:
    commit = git(repository, "rev-parse", "HEAD")

    untagged = version(repository)
    git(repository, "tag", "v1.2.0")
    tagged = version(repository)
    (repository / "file").write_text("changed")
    changed = version(repository)

    assert (commit[:12], "v1.2.0", "v1.2.0-dirty") == (untagged, tagged, changed)


def test_a_folder_that_is_no_repository_of_its_own_has_no_version(repository: Path) -> None:
    assert "unknown" == version(repository / "inside")


def test_without_git_the_version_is_unknown(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repository))

    assert "unknown" == version(repository)
