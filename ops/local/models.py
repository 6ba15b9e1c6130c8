"""`python -m ops models`: regenerate chalicelib/models, the app's copy of a part of botocore's data.

botocore's own is 400 services, among which it looks for ours by opening each directory, twice for each client; a
megabyte of endpoints; every operation with its documentation; and 126 certificate authorities, all of them parsed again
for each connection. docs/benchmarks.md says what leaving them out is worth at a cold start.
"""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from botocore.httpsession import DEFAULT_CA_BUNDLE
from botocore.loaders import create_loader

from chalicelib.aws import MODELS

OPERATIONS = {
    "dynamodb": (
        "BatchGetItem",
        "DeleteItem",
        "DescribeTable",
        "GetItem",
        "PutItem",
        "Query",
        "Scan",
        "TransactWriteItems",
        "UpdateItem",
    ),
    "sns": ("Publish",),
    "sqs": ("ChangeMessageVisibilityBatch", "SendMessage"),
}
"""What is called, by service, with the clients of chalicelib/aws.py: these have no other methods."""

SOURCES_OF_CREDENTIALS = ("sts", "oidc", "portal.sso")
"""What botocore may call by itself on an operator's machine; it finds all but the endpoints in its own data."""

# https://www.amazontrust.com/repository/: all five, for those who keep a trust store of their own.
ROOTS = (
    "Amazon Root CA 1",
    "Amazon Root CA 2",
    "Amazon Root CA 3",
    "Amazon Root CA 4",
    "Starfield Services Root Certificate Authority - G2",
)


def write() -> None:
    """Regenerate the app's copy of a part of botocore's data, after botocore's version has changed."""
    for name, text in contents().items():
        path = MODELS / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def contents() -> dict[str, str]:
    """The files, by their names below the directory."""
    loader = create_loader()
    files = {"endpoints.json": _json(_endpoints(loader.load_data("endpoints"))), "amazon-roots.pem": _roots()}
    for service, operations in OPERATIONS.items():
        version = loader.determine_latest_version(service, "service-2")
        for kind in ("service-2", "endpoint-rule-set-1", "paginators-1"):
            model = _without_documentation(loader.load_service_model(service, kind, version))
            if kind == "service-2":
                model = _with_only(operations, model)
            files[f"{service}/{version}/{kind}.json"] = _json(model)
    return files


def _with_only(operations: Collection[str], model: dict[str, Any]) -> dict[str, Any]:
    """A model with these operations, and the shapes that they are made of."""
    chosen = {name: model["operations"][name] for name in operations}
    shapes: dict[str, Any] = {}
    named = _shapes_in(chosen)
    while new := named - shapes.keys():
        shapes |= {name: model["shapes"][name] for name in sorted(new)}
        named = _shapes_in([shapes[name] for name in new])
    return {**model, "operations": chosen, "shapes": shapes}


def _shapes_in(node: Any) -> set[str]:
    """The names of the shapes that a part of a model refers to."""
    match node:
        case dict():
            own = {node["shape"]} if isinstance(node.get("shape"), str) else set()
            return own.union(*map(_shapes_in, node.values()))
        case list():
            return set().union(*map(_shapes_in, node))
        case _:
            return set()


def _endpoints(endpoints: dict[str, Any]) -> dict[str, Any]:
    wanted = (*OPERATIONS, *SOURCES_OF_CREDENTIALS)
    partitions = [
        {**partition, "services": {name: each for name, each in partition["services"].items() if name in wanted}}
        for partition in endpoints["partitions"]
    ]
    return {**endpoints, "partitions": partitions}


def _without_documentation(node: Any) -> Any:
    match node:
        case dict():
            return {
                key: _without_documentation(value)
                for key, value in node.items()
                if not (key == "documentation" and isinstance(value, str))
            }
        case list():
            return [_without_documentation(value) for value in node]
        case _:
            return node


def _roots() -> str:
    sections = Path(DEFAULT_CA_BUNDLE).read_text().split("# Label: ")[1:]
    found = {label.strip('"'): text for label, _, text in (section.partition("\n") for section in sections)}
    return "".join(f"# {name}\n{_certificate(found[name])}" for name in ROOTS)


def _certificate(text: str) -> str:
    end = "-----END CERTIFICATE-----\n"
    return text[text.index("-----BEGIN") : text.index(end)] + end


def _json(data: Any) -> str:
    return json.dumps(data, separators=(",", ":")) + "\n"
