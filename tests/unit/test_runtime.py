"""Which versions of Python the functions can run on."""

from types import SimpleNamespace
from typing import Any

import botocore.session
import chalice.config
import pytest

from ops.deploying import package as packaging

KNOWN = [(3, minor) for minor in range(packaging.OLDEST_PYTHON[1], packaging.NEWEST_PYTHON[1] + 1)]


def test_the_newest_that_packages_is_the_newest_that_lambda_has() -> None:
    runtimes: Any = botocore.session.get_session().get_service_model("lambda").shape_for("Runtime")
    pythons = [each.removeprefix("python").split(".") for each in runtimes.enum if each.startswith("python")]

    assert packaging.NEWEST_PYTHON == max((int(major), int(minor)) for major, minor in pythons)


@pytest.mark.parametrize("version", KNOWN, ids=str)
def test_a_function_runs_on_what_packaged_it(monkeypatch: pytest.MonkeyPatch, version: tuple[int, int]) -> None:
    monkeypatch.setattr(chalice.config, "sys", SimpleNamespace(version_info=(*version, 0)))

    assert "python{}.{}".format(*version) == chalice.config.Config().lambda_python_version


@pytest.mark.parametrize("version", [(3, 10), (3, 16), (4, 0)], ids=str)
def test_what_lambda_does_not_have_is_refused_with_what_it_has(
    monkeypatch: pytest.MonkeyPatch, version: tuple[int, int]
) -> None:
    monkeypatch.setattr(packaging, "sys", SimpleNamespace(version_info=(*version, 0)))

    with pytest.raises(packaging.PackagingFailed) as refused:
        packaging.package("dev")

    assert (
        "Lambda has Python 3.11 to 3.15, and .venv has {}.{}. "
        "Choose one of those: rm -rf .venv .venv-aws && make run PYTHON=python3.13".format(*version)
    ) == str(refused.value)
