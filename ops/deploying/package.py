"""From the checkout to what CloudFormation deploys: a zip and a plain template.

Chalice makes a SAM template from app.py and merges the files of infra/ into it; ops/deploying/generated.py adds what
follows from the functions' names. SAM's own translator, which AWS runs as the transform AWS::Serverless-2016-10-31, is
then run here: so the template that was tested is, to the letter, the one that AWS gets, and an emulation needs to know
nothing of SAM.

The same commit gives the same zip, whoever packages it and wherever, with the same version of Python: so a deployment
that changes no code uploads and replaces none, and what runs can be compared with what a checkout makes.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from ops import PROJECT
from ops.deploying.bytecode import add_bytecode
from ops.deploying.generated import PATTERNS, write_out
from ops.shared.errors import OperatorError

WHEELS = PROJECT / ".venv" / "wheels"

OLDEST_PYTHON, NEWEST_PYTHON = (3, 11), (3, 15)
"""The oldest that Linkly runs on, and the newest that Lambda has and Chalice knows. A zip is for one of them: its
bytecode, and whatever of it is compiled. https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
"""


class PackagingFailed(OperatorError):
    """The app cannot be packaged; the message says why, or is what Chalice printed."""


@dataclass(frozen=True)
class Package:
    """What is deployed: the code, and a SAM template that does not know yet where the code will lie.

    `version` names the commit, such as `v1.2.0-3-g0123456789ab`; see `version()`.
    """

    code: bytes
    sam: Mapping[str, Any]
    version: str

    @property
    def runtime(self) -> str:
        """What the functions run on, such as `python3.13`: the Python version that packaged them."""
        runtime: str = self.sam["Resources"]["APIHandler"]["Properties"]["Runtime"]
        return runtime

    @property
    def code_key(self) -> str:
        """A name for the code, which changes when the code does."""
        return f"{hashlib.sha256(self.code).hexdigest()}.zip"

    def template(self, bucket: str) -> dict[str, Any]:
        """The plain CloudFormation template, for code that lies in `bucket` under `code_key`."""
        # Imported here because it takes a third of a second, which every other command would wait for.
        from samtranslator.translator.transform import transform  # noqa: PLC0415

        sam = json.loads(json.dumps(self.sam))  # the translator changes what it is given
        for resource in sam["Resources"].values():
            if resource["Type"] == "AWS::Serverless::Function":
                resource["Properties"]["CodeUri"] = {"Bucket": bucket, "Key": self.code_key}
        template: dict[str, Any] = transform(sam, {}, _NoManagedPolicies())
        # Or the API could answer before it may call what answers, and the alarms take the deployment back.
        template["Resources"]["RestAPIapiStage"]["DependsOn"] = _permissions_of_the_api(template["Resources"])
        # An output and no tag of the stack: CloudFormation hands a stack's tags on to every resource, so each
        # deployment would change all of them.
        template["Outputs"]["Version"] = {"Description": "The commit that was deployed", "Value": self.version}
        return template


def _permissions_of_the_api(resources: Mapping[str, Any]) -> list[str]:
    """What lets API Gateway call functions."""
    return sorted(
        name
        for name, each in resources.items()
        if each["Type"] == "AWS::Lambda::Permission" and each["Properties"]["Principal"] == "apigateway.amazonaws.com"
    )


def package(stage: str) -> Package:
    """Package the checkout for a stage of .chalice/config.json. Raises PackagingFailed or Incomplete."""
    _require_a_python_of_lambda(sys.version_info[:2])
    template = merged_infra()
    patterns = {section: template.pop(section) for section in PATTERNS}
    with tempfile.TemporaryDirectory() as directory:
        chalice = str(Path(sys.executable).with_name("chalice"))
        project = _copy_what_ships(Path(directory) / "project")
        infra = Path(directory) / "infra.json"
        infra.write_text(json.dumps(template))
        command = [chalice, "package", "--stage", stage, "--merge-template", str(infra), directory]
        done = subprocess.run(
            command,
            cwd=project,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        # A wheel that is missing only makes it warn.
        if done.returncode or "Could not install dependencies" in done.stdout + done.stderr:
            raise PackagingFailed(f"{done.stdout}{done.stderr}".replace(str(project), str(PROJECT)))
        code = (Path(directory) / "deployment.zip").read_bytes()
        sam = json.loads((Path(directory) / "sam.json").read_text())
    del sam["Parameters"]["Stage"]
    write_out(sam, patterns, PROJECT / ".chalice")
    for resource in sam["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            del resource["Properties"]["Tracing"]  # Chalice writes the default, which would hide that of Globals
    return Package(add_bytecode(reproducible(code)), _with_stage(sam, stage), version(PROJECT))


def _copy_what_ships(to: Path) -> Path:
    """Copy what Chalice reads of the checkout, and give the copy's root.

    Chalice keeps each zip in the project, under .chalice/deployments, and takes it for whole the next time: one that
    two packagings write at once, or that one leaves unfinished, would spoil all that follow.
    """
    to.mkdir()
    for name in ("app.py", "requirements.txt"):
        shutil.copy2(PROJECT / name, to)
    for name in ("chalicelib", ".chalice"):
        shutil.copytree(PROJECT / name, to / name, ignore=shutil.ignore_patterns("__pycache__", "deployments"))
    return to


def _require_a_python_of_lambda(version: tuple[int, int]) -> None:
    """Chalice would name the nearest one that it knows, which could not run the zip."""
    oldest, newest, ours = (".".join(map(str, each)) for each in (OLDEST_PYTHON, NEWEST_PYTHON, version))
    if not OLDEST_PYTHON <= version <= NEWEST_PYTHON:
        raise PackagingFailed(
            f"Lambda has Python {oldest} to {newest}, and .venv has {ours}. "
            "Choose one of those: rm -rf .venv .venv-aws && make run PYTHON=python3.13"
        )


def reproducible(code: bytes) -> bytes:
    """A zip with the same files, that depends on their names and contents only.

    In the order of their names, all as old as a zip can say, and readable for everybody, as Lambda asks:
    https://docs.aws.amazon.com/lambda/latest/dg/python-package.html
    """
    packed = BytesIO()
    with zipfile.ZipFile(BytesIO(code)) as given, zipfile.ZipFile(packed, "w") as made:
        for name in sorted(given.namelist()):
            if "__pycache__" not in Path(name).parts and not name.endswith("/"):
                entry = zipfile.ZipInfo(name)  # of 1 January 1980
                entry.create_system = 3  # Unix, wherever we are
                entry.external_attr = 0o100644 << 16
                made.writestr(entry, given.read(name), zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def version(checkout: Path) -> str:
    """What `git describe` calls a checkout's commit, or `unknown` if it is in no repository of its own.

    A tag, or a tag and the commits since, or the first 12 digits of the commit; `-dirty` if files were changed. The
    digits are given since git's own number of them grows with the repository, and would differ between clones.
    """
    describe = ("describe", "--always", "--tags", "--dirty", "--abbrev=12")
    own = (f"--git-dir={checkout / '.git'}", f"--work-tree={checkout}")  # not that of a folder around it
    try:
        done = subprocess.run(["git", *own, *describe], cwd=checkout, capture_output=True, text=True, check=False)
    except FileNotFoundError:  # no git
        return "unknown"
    return done.stdout.strip() if done.returncode == 0 else "unknown"


def merged_infra() -> dict[str, Any]:
    """The files of infra/ as one template: Chalice merges a single one. Each resource is in one of them, whole."""
    from samtranslator.yaml_helper import yaml_parse  # noqa: PLC0415 (as above)

    merged: dict[str, Any] = {}
    for path in sorted((PROJECT / "infra").glob("*.yaml")):
        for section, content in yaml_parse(path.read_text()).items():
            merged[section] = {**merged.get(section, {}), **content} if isinstance(content, dict) else content
    return merged


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
        case {"Fn::Sub": [str(text), names]}:
            return {"Fn::Sub": [text.replace("${Stage}", stage), _with_stage(names, stage)]}
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
