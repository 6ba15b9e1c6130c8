"""Every answer of the deployed API is one that its description (/openapi.json) gives, whatever is asked."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.deployed import Linkly

SETTINGS = Path(__file__).with_name("schemathesis.toml")


@pytest.mark.parametrize(
    ("caller", "phases"),
    [("admin", "examples,coverage,fuzzing,stateful"), ("visitor", "examples,fuzzing")],
)
def test_schemathesis_finds_no_answer_that_is_not_described(
    linkly: Linkly, tmp_path: Path, caller: str, phases: str
) -> None:
    key = getattr(linkly, caller).headers.get("Authorization")

    done = subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"),
            f"--config-file={SETTINGS}",
            "run",
            f"{linkly.url}/openapi.json",
            f"--url={linkly.url}",
            f"--phases={phases}",
            *([f"--header=Authorization: {key}"] if key else []),
        ],
        cwd=tmp_path,  # where it leaves a cache
        capture_output=True,
        text=True,
        check=False,
    )

    assert 0 == done.returncode, done.stdout + done.stderr
