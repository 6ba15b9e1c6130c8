"""The zip that Lambda runs."""

import json
import re
import subprocess
import sys
import zipfile
from email import message_from_bytes
from email.message import Message
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
        "ada_url", "aws_lambda_powertools", "cffi", "jmespath", "msgspec", "pycparser", "segno",
        "typing_extensions.py", "ua_parser", "ua_parser_builtins",
    }  # fmt: skip

    top = {Path(name).parts[0] for name in zip_file.namelist()}

    assert expected == {
        name for name in top if not re.search(r"\.dist-info$|\.data$|^_cffi_backend\..*\.so$|^docs$|^REVISION$", name)
    }


def test_of_what_packages_leave_beside_themselves_nothing_is_new(zip_file: zipfile.ZipFile) -> None:
    """A file of ada-url's documentation, and the commands of jmespath and segno, which nothing imports."""
    beside = {name for name in zip_file.namelist() if re.match(NOT_IMPORTED, name)}

    assert {
        "docs/conf.py",
        "jmespath-<version>.data/scripts/jp.py",
        "segno-<version>.data/data/share/man/man1/segno.1",
    } == {re.sub(r"-[\d.]+\.data", "-<version>.data", name) for name in beside}


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
    shipped, without_text = {}, []
    for name in zip_file.namelist():
        if name.endswith(".dist-info/METADATA"):
            metadata = message_from_bytes(zip_file.read(name))
            licence = metadata["License-Expression"] or metadata["License"] or classified(metadata)
            shipped[metadata["Name"].replace("_", "-")] = licence.replace(" ", "-")
            directory = name.removesuffix("METADATA")
            text = rf"{re.escape(directory)}(licenses/)?LICENSE"
            if not any(re.match(text, each) for each in zip_file.namelist()):
                without_text.append(metadata["Name"])

    # Chalice ships two modules without their metadata.
    shipped["chalice"] = "Apache-2.0" if distribution("chalice").metadata["License"] == "Apache License 2.0" else "?"
    assert ["ua-parser-builtins"] == without_text  # whose text is that of ua-parser
    assert shipped == dict(row for row in rows if row != ("package", "licence") and not row[0].startswith("-"))


def classified(metadata: Message) -> str:
    """The licence of a package that names it among its classifiers only."""
    [licence] = [name for name in metadata.get_all("Classifier", []) if name.startswith("License :: ")]
    return {"License :: OSI Approved :: BSD License": "BSD-3-Clause"}[licence]  # by its text


def test_every_pinned_requirement_is_in_the_zip_in_its_version(zip_file: zipfile.ZipFile) -> None:
    pins = re.findall(r"^([\w-]+)==([\w.]+)", (PROJECT / "requirements.txt").read_text(), re.MULTILINE)
    expected = {f"{name.replace('-', '_')}-{version}.dist-info" for name, version in pins}

    assert expected == {
        Path(name).parts[0] for name in zip_file.namelist() if Path(name).parts[0].endswith(".dist-info")
    }


@pytest.fixture(scope="module")
def modules_of_a_redirect(zip_file: zipfile.ZipFile, tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """What `follow_link` has imported before the first request comes, in Lambda's surroundings."""
    directory = tmp_path_factory.mktemp("task")
    zip_file.extractall(directory)
    program = "import chalicelib.redirects.entry, sys, json; print(json.dumps([*sys.modules]))"
    done = subprocess.run(
        [PROJECT / ".venv-aws" / "bin" / "python", "-c", program],
        cwd=directory,
        env={
            "AWS_LAMBDA_FUNCTION_NAME": "linkly-dev-follow_link",  # without a region, it connects to nothing
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert (0, "") == (done.returncode, done.stderr)
    return set(json.loads(done.stdout))


def test_a_redirect_imports_no_package_but_our_own(modules_of_a_redirect: set[str]) -> None:
    packages = {name.partition(".")[0] for name in modules_of_a_redirect if not name.startswith("_")}

    assert {"chalicelib"} == packages - sys.stdlib_module_names - {"cython_runtime"}


def test_of_pythons_own_a_redirect_imports_none_of_those_that_take_long(modules_of_a_redirect: set[str]) -> None:
    assert not {"asyncio", "dataclasses", "inspect", "logging", "pathlib", "uuid"} & modules_of_a_redirect


def test_of_ours_a_redirect_imports_what_it_needs_and_no_more(modules_of_a_redirect: set[str]) -> None:
    expected = {
        "base58", "browsers", "calls", "clock", "config", "log", "problems", "signature", "signed_calls",
        "clicks", "clicks.message", "clicks.queue",
        "links", "links.codes", "links.status",
        "redirects", "redirects.cache", "redirects.entry", "redirects.follow",
    }  # fmt: skip

    assert expected == {
        name.removeprefix("chalicelib.") for name in modules_of_a_redirect if name.startswith("chalicelib.")
    }


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
