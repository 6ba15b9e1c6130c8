"""The zip that Lambda runs."""

import json
import re
import subprocess
import sys
import zipfile
from email import message_from_bytes
from importlib.metadata import distribution
from io import BytesIO
from pathlib import Path

import pytest

from ops import PROJECT
from ops.deploying.bytecode import NOT_IMPORTED, add_bytecode
from ops.deploying.package import Package


def test_the_zip_is_small(dev_package: Package) -> None:
    assert len(dev_package.code) < 6_000_000


def test_the_zip_holds_the_app_its_requirements_and_nothing_else(zip_file: zipfile.ZipFile) -> None:
    expected = {
        "__pycache__", "app.py", "chalice", "chalicelib",
        "ada_url", "aws_lambda_powertools", "cachetools", "cffi", "jmespath", "msgspec", "pycparser",
        "typing_extensions.py",
    }  # fmt: skip

    top = {Path(name).parts[0] for name in zip_file.namelist()}

    assert expected == {
        name for name in top if not re.search(r"\.dist-info$|\.data$|^_cffi_backend\..*\.so$|^docs$", name)
    }


def test_of_what_packages_leave_beside_themselves_nothing_is_new(zip_file: zipfile.ZipFile) -> None:
    """A file of ada-url's documentation, and the command of jmespath, which nothing imports."""
    beside = {name for name in zip_file.namelist() if re.match(NOT_IMPORTED, name)}

    assert {"docs/conf.py", "jmespath-<version>.data/scripts/jp.py"} == {
        re.sub(r"-[\d.]+\.data", "-<version>.data", name) for name in beside
    }


def test_of_ours_every_file_ships_and_nothing_else(zip_file: zipfile.ZipFile) -> None:
    files = {path for path in (PROJECT / "chalicelib").rglob("*") if path.is_file() and path.suffix != ".pyc"}

    assert {"app.py", *(str(path.relative_to(PROJECT)) for path in files)} == {
        name for name in sources(zip_file) if re.match(r"app\.py|chalicelib/", name)
    }


def sources(zip_file: zipfile.ZipFile) -> set[str]:
    """The names of what is in the zip, but for what is compiled from it."""
    return {name for name in zip_file.namelist() if not name.endswith(".pyc")}


def test_every_licence_that_ships_is_listed_and_its_text_ships_too(zip_file: zipfile.ZipFile) -> None:
    rows = re.findall(r"^\| (\S+) \| (\S+) \|$", (PROJECT / "docs" / "licences.md").read_text(), re.MULTILINE)
    shipped = {}
    for name in zip_file.namelist():
        if name.endswith(".dist-info/METADATA"):
            metadata = message_from_bytes(zip_file.read(name))
            licence = metadata["License-Expression"] or metadata["License"]
            shipped[metadata["Name"].replace("_", "-")] = licence.replace(" ", "-")
            directory = name.removesuffix("METADATA")
            assert any(re.match(rf"{re.escape(directory)}(licenses/)?LICENSE", each) for each in zip_file.namelist())

    # Chalice ships two modules without their metadata.
    shipped["chalice"] = "Apache-2.0" if distribution("chalice").metadata["License"] == "Apache License 2.0" else "?"
    assert shipped == dict(row for row in rows if row != ("package", "licence") and not row[0].startswith("-"))


def test_every_pinned_requirement_is_in_the_zip_in_its_version(zip_file: zipfile.ZipFile) -> None:
    pins = re.findall(r"^([\w-]+)==([\w.]+)", (PROJECT / "requirements.txt").read_text(), re.MULTILINE)
    expected = {f"{name.replace('-', '_')}-{version}.dist-info" for name, version in pins}

    assert expected == {
        Path(name).parts[0] for name in zip_file.namelist() if Path(name).parts[0].endswith(".dist-info")
    }


@pytest.fixture(scope="module")
def modules_at_a_cold_start(zip_file: zipfile.ZipFile, tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """What has been imported before the first request comes, in Lambda's surroundings: boto3 and nothing else."""
    directory = tmp_path_factory.mktemp("task")
    zip_file.extractall(directory)
    done = subprocess.run(
        [PROJECT / ".venv-aws" / "bin" / "python", "-c", "import app, sys, json; print(json.dumps([*sys.modules]))"],
        cwd=directory,
        env={
            "AWS_DEFAULT_REGION": "eu-central-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_LAMBDA_FUNCTION_NAME": "linkly-dev-api_handler",
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert (0, "") == (done.returncode, done.stderr)
    return set(json.loads(done.stdout))


def test_a_cold_start_imports_these_packages_and_no_other(modules_at_a_cold_start: set[str]) -> None:
    shipped_or_lambdas = {
        "app", "chalice", "chalicelib",
        "aws_lambda_powertools", "cachetools", "jmespath", "msgspec", "typing_extensions",
        "botocore", "dateutil", "six", "urllib3",
    }  # fmt: skip

    # Modules whose names begin with an underscore are made by the start-up of a virtual environment, or compiled.
    packages = {name.partition(".")[0] for name in modules_at_a_cold_start if not name.startswith("_")}

    assert shipped_or_lambdas == packages - sys.stdlib_module_names - {"cython_runtime"}


def test_of_ours_a_cold_start_imports_what_a_redirect_needs_and_no_more(modules_at_a_cold_start: set[str]) -> None:
    every_room = {
        "addresses", "aws", "base58", "browsers", "clock", "config", "middleware", "observability", "parameters",
        "problems",
    }  # fmt: skip
    routes = {f"{feature}.routes" for feature in ("analytics", "clicks", "links", "redirects", "service")}
    redirect = {
        "clicks.click", "clicks.queue",
        "links.codes", "links.link", "links.store",
        "redirects.cache", "redirects.follow",
    }  # fmt: skip
    rooms = {"analytics", "clicks", "links", "redirects", "service"}

    assert every_room | routes | redirect | rooms == {
        name.removeprefix("chalicelib.") for name in modules_at_a_cold_start if name.startswith("chalicelib.")
    }


def test_a_cold_start_imports_no_more_modules_than_it_did(modules_at_a_cold_start: set[str]) -> None:
    # 427 of them, with Python 3.11; whatever makes them many more must be worth it.
    assert len(modules_at_a_cold_start) < 450


def test_every_module_comes_compiled_as_lambda_cannot_keep_what_it_compiles(zip_file: zipfile.ZipFile) -> None:
    names = zip_file.namelist()
    expected = {name for name in names if name.endswith(".py") and not re.match(NOT_IMPORTED, name)}

    compiled = {
        str(Path(name).parent.parent / Path(name).name.split(".")[0]) + ".py"
        for name in names
        if name.endswith(f".{sys.implementation.cache_tag}.pyc")
    }

    assert expected == compiled


def test_what_is_compiled_is_the_same_every_time() -> None:
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w") as source:
        source.writestr("module.py", "NAMES = frozenset({'a', 'b', 'c'})\n")

    assert add_bytecode(archive.getvalue()) == add_bytecode(archive.getvalue())


def test_the_code_is_for_the_runtime_that_the_template_names(dev_package: Package) -> None:
    runtime = f"python{sys.version_info.major}.{sys.version_info.minor}"

    assert runtime == dev_package.template("some-bucket")["Resources"]["APIHandler"]["Properties"]["Runtime"]
