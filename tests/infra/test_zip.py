"""The zip that Lambda runs."""

import re
import subprocess
import sys
import zipfile
from email import message_from_bytes
from importlib.metadata import distribution
from io import BytesIO
from pathlib import Path

from ops import PROJECT
from ops.bytecode import add_bytecode
from ops.package import Package


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
    beside = {name for name in zip_file.namelist() if re.match(r"docs/|[^/]*\.data/", name)}

    assert {"docs/conf.py", "jmespath-<version>.data/scripts/jp.py"} == {
        re.sub(r"-[\d.]+\.data", "-<version>.data", name) for name in beside
    }


def test_of_ours_every_module_ships_and_nothing_else(zip_file: zipfile.ZipFile) -> None:
    modules = {str(path.relative_to(PROJECT)) for path in (PROJECT / "chalicelib").rglob("*.py")}

    assert {"app.py", *modules} == {name for name in zip_file.namelist() if re.match(r"app\.py|chalicelib/", name)}


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


def test_the_app_starts_from_the_zip_and_imports_nothing_that_a_redirect_does_not_need(
    zip_file: zipfile.ZipFile, tmp_path: Path
) -> None:
    zip_file.extractall(tmp_path)
    only_boto3_beside_it = PROJECT / ".venv-aws" / "bin" / "python"
    dear = ("boto3", "ada_url", "aws_lambda_powertools.utilities.idempotency")
    program = f"import app, sys; print([name for name in {dear} if name in sys.modules])"

    done = subprocess.run(
        [only_boto3_beside_it, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert (0, "[]\n", "") == (done.returncode, done.stdout, done.stderr)


def test_every_module_comes_compiled_as_lambda_cannot_keep_what_it_compiles(zip_file: zipfile.ZipFile) -> None:
    names = zip_file.namelist()
    expected = {name for name in names if name.endswith(".py")}

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
