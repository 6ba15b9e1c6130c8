"""The app, packaged as for a deployment: what Chalice, the merge and SAM's translator make of it."""

import zipfile
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any

import pytest

from app import app
from ops.deploying.package import Package
from tests.packages import packaged

Resources = Mapping[str, Mapping[str, Any]]

FUNCTIONS = {
    "api_handler",
    *(each.name for each in app.event_sources),
    *(each.name for each in app.pure_lambda_functions),
}
"""The functions of app.py: all routes are one."""


def of_type(resources: Resources, kind: str) -> dict[str, Mapping[str, Any]]:
    """The properties of every resource of a kind, by its name."""
    return {name: each["Properties"] for name, each in resources.items() if each["Type"] == kind}


@pytest.fixture(scope="session", autouse=True)
def region() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        yield


@pytest.fixture(scope="session")
def dev_package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    return packaged("dev", tmp_path_factory)


@pytest.fixture(scope="session")
def template(dev_package: Package) -> Mapping[str, Any]:
    return dev_package.template("some-bucket")


@pytest.fixture(scope="session")
def resources(template: Mapping[str, Any]) -> Resources:
    resources: Resources = template["Resources"]
    return resources


@pytest.fixture(scope="session")
def zip_file(dev_package: Package) -> zipfile.ZipFile:
    return zipfile.ZipFile(BytesIO(dev_package.code))
