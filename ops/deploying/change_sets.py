"""What a change set would do, in words, and what of it would lose something."""

from collections.abc import Mapping, Sequence
from typing import Any

Change = Mapping[str, Any]
"""A ResourceChange: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChange.html"""

LOSSES = {
    "AWS::DynamoDB::Table": "its items",
    "AWS::SQS::Queue": "the messages in it",
    "AWS::Logs::LogGroup": "its lines, which may be the only record of clicks that could not be queued",
    "AWS::ApiGateway::RestApi": "its address, and with it every link that was given out there",
    "AWS::CloudFront::Distribution": "its address, to which DNS may lead visitors, and links that were given out there",
}
"""What goes with a resource that is replaced or removed, by its type; the others hold nothing."""

_CERTAIN_ONLY = {"AWS::ApiGateway::RestApi", "AWS::CloudFront::Distribution"}
"""Types of which no property asks for a replacement, though a body that refers to functions may look like it."""

_VERBS = {"Add": "add", "Modify": "change", "Remove": "remove", "Import": "import"}


def verb(change: Change) -> str:
    """What happens to the resource: add, change, replace, replace?, remove or import.

    `replace?` is CloudFormation's Conditional: whether it must be replaced will turn out on the way.
    """
    replacement = {"True": "replace", "Conditional": "replace?"}.get(change.get("Replacement", "False"))
    return replacement or _VERBS.get(change["Action"], change["Action"].lower())


def describe(change: Change) -> str:
    """One line about a change: what happens, to what, and which properties are the reason."""
    line = f"{verb(change):8} {change['LogicalResourceId']} ({change['ResourceType']})"
    causes = sorted(_causes(change, "Never", "Conditionally", "Always"))
    return f"{line}: {', '.join(causes)}" if causes else line


def losses(changes: Sequence[Change]) -> list[str]:
    """A sentence about each resource that would be replaced or removed with what it holds."""
    return [_loss(change) for change in changes if _is_loss(change)]


def _is_loss(change: Change) -> bool:
    kind = change["ResourceType"]
    endings = {"replace", "remove"} if kind in _CERTAIN_ONLY else {"replace", "replace?", "remove"}
    return kind in LOSSES and verb(change) in endings


def _loss(change: Change) -> str:
    what = f"{change['LogicalResourceId']} ({change.get('PhysicalResourceId', 'not made yet')})"
    fate = {
        "remove": "would be removed: the template has it no more, or not with these settings",
        "replace": f"would be replaced by a new, empty one, since {_reason(change)} changes",
        "replace?": f"may be replaced by a new, empty one, since {_reason(change)} changes",
    }[verb(change)]
    kept = str(change.get("PolicyAction", "")).endswith("Retain")
    comfort = " The old one is kept, outside of the stack." if kept else ""
    return f"{what} {fate}. At stake: {LOSSES[change['ResourceType']]}.{comfort}"


def _reason(change: Change) -> str:
    return " and ".join(sorted(_causes(change, "Conditionally", "Always"))) or "its type"


def _causes(change: Change, *recreation: str) -> set[str]:
    """The properties, or attributes such as DeletionPolicy, that change, if they ask for a recreation like these."""
    targets = [detail["Target"] for detail in change.get("Details", [])]
    return {
        target.get("Name") or target["Attribute"]
        for target in targets
        if target.get("RequiresRecreation", "Never") in recreation
    }
