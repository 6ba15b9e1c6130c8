"""`chalice local`, as whoever knows Chalice types it. tests/e2e/test_run.py has it with a stack."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.checkout import copy_checkout


@pytest.mark.parametrize("how", ["--autoreload", "--no-autoreload"])
def test_without_a_stack_it_says_what_to_start_and_ends(tmp_path: Path, how: str) -> None:
    checkout = copy_checkout(tmp_path)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}

    done = subprocess.run(
        [checkout / ".venv" / "bin" / "chalice", "local", "--port", "0", how],
        cwd=checkout,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert ("", "The local stack does not run. Start it in another terminal: make run\n") == (done.stdout, done.stderr)
