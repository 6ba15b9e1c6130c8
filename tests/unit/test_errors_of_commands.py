"""What goes wrong is told in a sentence, with exit code 1, and never with a traceback."""

import importlib
import pkgutil
import subprocess
import sys
from collections.abc import Iterator

import pytest

import ops
from ops import PROJECT
from ops.__main__ import require_utf8
from ops.data.link_files import NoHeader
from ops.shared.errors import OperatorError


def errors() -> Iterator[type[Exception]]:
    """Every class of an error that ops defines."""
    for module in pkgutil.walk_packages(ops.__path__, "ops."):
        if module.name != "ops.local.emulator_process":  # a program for another environment
            found = vars(importlib.import_module(module.name)).values()
            yield from (each for each in found if isinstance(each, type) and issubclass(each, Exception))


def test_every_error_of_the_commands_is_one_that_an_operator_is_told() -> None:
    own = {each for each in errors() if each.__module__.startswith("ops.")}

    # What NoHeader says is told as what is wrong with the argument.
    assert {NoHeader} == {each for each in own if not issubclass(each, OperatorError)}


@pytest.mark.parametrize("argument", ["a", "é", "🙂"])
def test_what_is_typed_in_utf8_is_taken(argument: str) -> None:
    require_utf8([argument])


def test_what_is_not_utf8_is_refused_in_a_sentence() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ops", "keys", "create", "--owner", b"\xffda", "--role", "user"],
        cwd=PROJECT,
        capture_output=True,
        check=False,
    )

    assert (1, b"What is typed must be UTF-8, and b'\\xffda' is not.\n") == (done.returncode, done.stderr)
