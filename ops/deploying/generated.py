"""What follows from app.py: of functions by infra/functions.yaml, of paths by infra/edge.yaml, written out for each.

So whoever adds a function to app.py cannot forget its name, its alarms, its place on the dashboard, its log; whoever
adds a route, where CloudFront sends it.
"""

import json
import re
from collections.abc import Collection, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from chalicelib.middleware import PUBLIC
from ops.shared.errors import OperatorError

PATTERNS = ("EachFunction", "EachTrigger", "EachPath")
"""The sections of infra/functions.yaml and infra/edge.yaml that are no sections of a template."""

LINKS = "/{code}"
"""What is the redirect's own URL's at the edge, as is `/`: no pattern can say that a path has one segment."""


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
    text, names = body["Fn::Sub"]
    body["Fn::Sub"] = [text.replace("${GigabyteSecondsOfFunctions}", rows), names]
    paths = resources["RestAPI"]["Properties"]["DefinitionBody"]["paths"]
    distribution = resources["Distribution"]["Properties"]["DistributionConfig"]
    distribution["CacheBehaviors"] = behaviours(paths, PUBLIC, patterns["EachPath"])


def behaviours(
    paths: Mapping[str, Mapping[str, Any]], public: Collection[tuple[str, str]], patterns: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """The behaviours of a distribution that sends our own paths to the API: a pair for each first segment.

    `paths` has the methods of each path, as OpenAPI does, `public` the pairs of method and path that need no key,
    `patterns` what a behaviour is by who asks. /x* would be one for both, and take links that begin like it.
    """
    found: list[dict[str, Any]] = []
    for segment, ours in groupby(sorted(paths.keys() - {"/", LINKS}), key=lambda path: path.split("/")[1]):
        same = list(ours)
        methods = {(method.upper(), path) for path in same for method in paths[path]}
        asks_for_a_key = any(each not in public for each in methods if each[0] != "OPTIONS")
        pattern = patterns["Owners" if asks_for_a_key else "Visitors"]
        below = patterns["Versioned"] if any(path.startswith(f"/{segment}/{{version}}/") for path in same) else pattern
        found += [{"PathPattern": f"/{segment}", **pattern}, {"PathPattern": f"/{segment}/*", **below}]
    return found


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
