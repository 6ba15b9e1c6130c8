"""`python -m ops doctor`, with the emulated AWS on one of the ports and in place of AWS."""

import re

import pytest

from tests.deployed import free_port, ops


def test_a_port_that_is_taken_is_told_with_who_takes_it_and_the_account_is_looked_at(
    aws_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = aws_endpoint.rpartition(":")[2]
    monkeypatch.setenv("AWS_PORT", taken)
    monkeypatch.setenv("PORT", str(free_port()))

    examined = ops("doctor")

    lines = examined.stdout.splitlines()
    assert 1 == examined.returncode
    assert any(line.startswith(f"fail  Port {taken} is taken by python") for line in lines)
    assert [] == [line for line in lines if line.startswith("fail") and taken not in line]
    assert any(line.startswith("ok    Region eu-central-1, account 000000000000, as arn:aws:iam") for line in lines)
    assert any(re.search(r"Lambda runs \d+ functions at once", line) for line in lines), examined.stdout
