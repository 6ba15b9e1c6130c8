"""What `make` does before its first command, with a Python that installs nothing."""

import os
import shutil
import subprocess
from pathlib import Path

from ops import PROJECT

PYTHON = """#!/bin/sh
if [ "$2" = venv ]; then mkdir -p "$3/bin" && cp "$0" "$3/bin/python"; fi
"""


def test_the_first_call_says_what_it_installs_and_the_next_one_installs_nothing(tmp_path: Path) -> None:
    for file in (PROJECT / "Makefile", *PROJECT.glob("requirements*.txt")):
        shutil.copy2(file, tmp_path)
    python = tmp_path / "python"
    python.write_text(PYTHON)
    python.chmod(0o755)
    install = ["make", f"PYTHON={python}", "run"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}

    first, second = (
        subprocess.run(install, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
        for _ in range(2)
    )

    assert [
        "Installing what runs, builds and tests Linkly into .venv: 880 MB, about a minute and a half",
        "Downloading what ships with it into .venv/wheels: 3 MB, some seconds",
        "Installing the emulated AWS into .venv-aws: 110 MB, about twenty seconds",
    ] == first.stdout.splitlines()
    assert ("", "") == (second.stdout, second.stderr)
