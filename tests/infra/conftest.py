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


def holds(condition: Any, template: Mapping[str, Any], given: Mapping[str, str]) -> bool:
    """Whether a condition of the template, or of one of its rules, holds with these parameters."""
    match condition:
        case {"Condition": name}:
            return holds(template["Conditions"][name], template, given)
        case {"Fn::Not": [inner]}:
            return not holds(inner, template, given)
        case {"Fn::And": parts}:
            return all(holds(each, template, given) for each in parts)
        case {"Fn::Or": parts}:
            return any(holds(each, template, given) for each in parts)
        case {"Fn::Equals": [{"Ref": name}, value]}:
            usual = "eu-central-1" if name == "AWS::Region" else template["Parameters"][name]["Default"]
            return bool(str(given.get(name, usual)) == value)
        case _:
            raise NotImplementedError(f"Does {condition} hold?")


def made(template: Mapping[str, Any], **given: str) -> dict[str, Any]:
    """The resources that CloudFormation makes with these parameters, with nothing in them left to decide."""

    def decided(node: Any) -> Any:
        match node:
            case {"Fn::If": [name, then, otherwise]}:
                return decided(then if holds({"Condition": name}, template, given) else otherwise)
            case dict():
                return {key: decided(value) for key, value in node.items() if decided(value) != {"Ref": "AWS::NoValue"}}
            case list():
                return [decided(value) for value in node if decided(value) != {"Ref": "AWS::NoValue"}]
            case _:
                return node

    return {
        name: decided(each)
        for name, each in template["Resources"].items()
        if "Condition" not in each or holds({"Condition": each["Condition"]}, template, given)
    }


def refusals(template: Mapping[str, Any], given: Mapping[str, str]) -> list[str]:
    """What CloudFormation says to these parameters by the template's rules."""
    return [
        assertion["AssertDescription"]
        for rule in template["Rules"].values()
        if holds(rule["RuleCondition"], template, given)
        for assertion in rule["Assertions"]
        if not holds(assertion["Assert"], template, given)
    ]


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
