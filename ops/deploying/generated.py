"""What a function has because it is one or because of its trigger, written out for each from infra/functions.yaml.

So whoever adds a function to app.py cannot forget its name, its alarms, its place on the dashboard, its log.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ops.shared.errors import OperatorError

PATTERNS = ("EachFunction", "EachTrigger")
"""The sections of infra/functions.yaml, which are no sections of a template."""


class Incomplete(OperatorError):
    """A function lacks something, or something lacks its function; the message names the file."""


def write_out(sam: Mapping[str, Any], patterns: Mapping[str, Any], policies: Path) -> None:
    """Complete the functions of a SAM template by `patterns`; the policy of each is in the folder `policies`.

    Raises Incomplete.
    """
    resources = sam["Resources"]
    for name, each in resources.items():
        if "Type" not in each:
            raise Incomplete(f"infra/template.yaml says something of {name}, which nothing in app.py makes")
    functions = {name: each for name, each in resources.items() if each["Type"] == "AWS::Serverless::Function"}
    gigabyte_seconds = []
    for resource, each in functions.items():
        properties = each["Properties"]
        function = _name(resource)
        pattern = _filled_in(patterns, function, resource)
        _add(properties, pattern["EachFunction"]["Properties"])
        _add(resources, pattern["EachFunction"]["Resources"])
        [policy] = resources[properties["Role"]["Fn::GetAtt"][0]]["Properties"]["Policies"]
        shared = _filled_in(policy["PolicyDocument"], function, resource)
        statements = [*_own_policy(policies, function)["Statement"], *shared["Statement"]]
        for event in properties.get("Events", {}).values():
            by_trigger = pattern["EachTrigger"].get(event["Type"], {})
            _add(event["Properties"], by_trigger.get("Event", {}))
            _add(properties, by_trigger.get("Function", {}))
            statements += [each for each in by_trigger.get("Statement", []) if each not in statements]
        policy["PolicyDocument"] = {**shared, "Statement": statements}
        gigabyte_seconds += _gigabyte_seconds(function, resource, properties["MemorySize"])
    body = resources["PipelineDashboard"]["Properties"]["DashboardBody"]
    rows = ",\n                ".join(json.dumps(row) for row in gigabyte_seconds)
    body["Fn::Sub"] = body["Fn::Sub"].replace("${GigabyteSecondsOfFunctions}", rows)


def _name(resource: str) -> str:
    """A function's name in app.py, of which Chalice makes the resource's: CountCreatedLinks of count_created_links."""
    return "api_handler" if resource == "APIHandler" else re.sub(r"(?<!^)(?=[A-Z])", "_", resource).lower()


def _filled_in(pattern: Any, function: str, resource: str) -> Any:
    return json.loads(json.dumps(pattern).replace("${Function}", function).replace("${Resource}", resource))


def _add(to: dict[str, Any], what: Mapping[str, Any]) -> None:
    """Add what is not there yet. Nothing is merged: of two of CloudFormation's functions, both would stay."""
    for key, value in what.items():
        to.setdefault(key, value)


def _own_policy(policies: Path, function: str) -> Any:
    file = policies / f"policy-{function}.json"
    try:
        return json.loads(file.read_text())
    except FileNotFoundError:
        raise Incomplete(f"Say what {function} may do, in {policies.name}/{file.name}") from None


def _gigabyte_seconds(function: str, resource: str, megabytes: int) -> list[list[Any]]:
    """Rows of the dashboard: how long a function ran, in milliseconds, and what that is with the memory that it has."""
    duration = ["AWS/Lambda", "Duration", "FunctionName", f"${{{resource}}}", {"id": function, "visible": False}]
    return [duration, [{"expression": f"{function} / 1000 * {megabytes} / 1024", "label": function}]]
