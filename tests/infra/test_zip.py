"""The zip that Lambda runs."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

from ops import PROJECT
from ops.package import Package


def test_the_zip_is_small(dev_package: Package) -> None:
    assert len(dev_package.code) < 6_000_000


def test_the_zip_holds_the_app_its_requirements_and_nothing_else(zip_file: zipfile.ZipFile) -> None:
    expected = {
        "app.py", "chalice", "chalicelib",
        "ada_url", "aws_lambda_powertools", "cachetools", "cffi", "jmespath", "msgspec", "pycparser",
        "typing_extensions.py",
    }  # fmt: skip

    top = {Path(name).parts[0] for name in zip_file.namelist()}

    assert expected == {
        name for name in top if not re.search(r"\.dist-info$|\.data$|^_cffi_backend\..*\.so$|^docs$", name)
    }


def test_every_pinned_requirement_is_in_the_zip_in_its_version(zip_file: zipfile.ZipFile) -> None:
    pins = re.findall(r"^([\w-]+)==([\w.]+)", (PROJECT / "requirements.txt").read_text(), re.MULTILINE)
    expected = {f"{name.replace('-', '_')}-{version}.dist-info" for name, version in pins}

    assert expected == {
        Path(name).parts[0] for name in zip_file.namelist() if Path(name).parts[0].endswith(".dist-info")
    }


def test_the_app_starts_from_the_zip_with_nothing_but_boto3_beside_it(
    zip_file: zipfile.ZipFile, tmp_path: Path
) -> None:
    zip_file.extractall(tmp_path)
    beside = PROJECT / ".venv-aws" / "bin" / "python"

    done = subprocess.run(
        [
            beside,
            "-c",
            "import app, sys; print(*(name for name in ('boto3', 'ada_url', 'moto') if name in sys.modules))",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    # Neither boto3's upper layers nor the URL parser are needed for a redirect.
    assert (done.returncode, done.stdout, done.stderr) == (0, "\n", "")


def test_the_code_is_for_the_runtime_that_the_template_names(dev_package: Package) -> None:
    runtime = f"python{sys.version_info.major}.{sys.version_info.minor}"

    assert runtime == dev_package.template("some-bucket")["Resources"]["APIHandler"]["Properties"]["Runtime"]
