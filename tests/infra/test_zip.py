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


def test_the_code_is_for_the_runtime_that_the_template_names(dev_package: Package) -> None:
    runtime = f"python{sys.version_info.major}.{sys.version_info.minor}"

    assert runtime == dev_package.template("some-bucket")["Resources"]["APIHandler"]["Properties"]["Runtime"]
