"""From the checkout to what CloudFormation deploys: a zip and a plain template.

Chalice makes a SAM template from app.py and merges infra/template.yaml into it. SAM's own translator, which AWS runs
as the transform AWS::Serverless-2016-10-31, is then run here: so the template that was tested is, to the letter, the
one that AWS gets, and an emulation needs to know nothing of SAM.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from samtranslator.translator.transform import transform

from ops import PROJECT

WHEELS = PROJECT / ".venv" / "wheels"


class PackagingFailed(Exception):
    """Chalice could not package the app; the message is what it printed."""


@dataclass(frozen=True)
class Package:
    """What is deployed: the code, and a SAM template that does not know yet where the code will lie."""

    code: bytes
    sam: Mapping[str, Any]

    @property
    def code_key(self) -> str:
        """A name for the code, which changes when the code does."""
        return f"{hashlib.sha256(self.code).hexdigest()}.zip"

    def template(self, bucket: str) -> dict[str, Any]:
        """The plain CloudFormation template, for code that lies in `bucket` under `code_key`."""
        sam = json.loads(json.dumps(self.sam))  # the translator changes what it is given
        for resource in sam["Resources"].values():
            if resource["Type"] == "AWS::Serverless::Function":
                resource["Properties"]["CodeUri"] = {"Bucket": bucket, "Key": self.code_key}
        template: dict[str, Any] = transform(sam, {}, _NoManagedPolicies())
        return template


def package(stage: str) -> Package:
    """Package the checkout for a stage of .chalice/config.json. Raises PackagingFailed."""
    with tempfile.TemporaryDirectory() as directory:
        chalice = str(Path(sys.executable).with_name("chalice"))
        command = [chalice, "package", "--stage", stage, "--merge-template", "infra/template.yaml", directory]
        done = subprocess.run(
            command,
            cwd=PROJECT,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        # A wheel that is missing only makes it warn.
        if done.returncode or "Could not install dependencies" in done.stdout + done.stderr:
            raise PackagingFailed(f"{done.stdout}{done.stderr}")
        code = (Path(directory) / "deployment.zip").read_bytes()
        sam = yaml.safe_load((Path(directory) / "sam.yaml").read_text())
    del sam["Parameters"]["Stage"]
    return Package(code, _with_stage(sam, stage))


def _with_stage(node: Any, stage: str) -> Any:
    """The template with the parameter Stage written out.

    CloudFormation adopts a table that an earlier stack left behind only if its name is a literal, and not the result
    of a function.
    """
    match node:
        case {"Ref": "Stage"}:
            return stage
        case {"Fn::Sub": str(text)}:
            text = text.replace("${Stage}", stage)
            return {"Fn::Sub": text} if "${" in text else text
        case dict():
            return {key: _with_stage(value, stage) for key, value in node.items()}
        case list():
            return [_with_stage(value, stage) for value in node]
        case _:
            return node


def _environment() -> dict[str, str]:
    # Chalice imports the app, which needs a region and no more, and has pip collect the wheels.
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "AWS_DEFAULT_REGION": os.environ.get("AWS_DEFAULT_REGION", "eu-central-1"),
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(WHEELS),
    }


class _NoManagedPolicies:
    """The translator asks for AWS's managed policies by name; we name none."""

    def load(self) -> dict[str, str]:
        return {}
