"""The package as Lambda unpacks it, and copies of it in which one thing is undone."""

import shutil
import zipfile
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path

from bench.aws import Stub
from ops.deploying.package import Package

ROOTS = Path("chalicelib/amazon-roots.pem")


def unpack(package: Package, stub: Stub, directory: Path) -> Path:
    """Unpack the code into `directory`, where the stub's certificate is then as good as Amazon's."""
    zipfile.ZipFile(BytesIO(package.code)).extractall(directory)
    with (directory / ROOTS).open("ab") as roots:
        roots.write(stub.certificate)
    return directory


def undo(task: Path, name: str, change: Callable[[Path], None]) -> Path:
    """A copy of an unpacked package without something."""
    copy = task.with_name(name)
    shutil.copytree(task, copy)
    change(copy)
    return copy


def no_bytecode(task: Path) -> None:
    """As Chalice packages it."""
    for compiled in list(task.rglob("__pycache__")):
        shutil.rmtree(compiled)


def botocores_roots(stub: Stub) -> Callable[[Path], None]:
    """All certificate authorities that botocore knows."""

    def change(task: Path) -> None:
        (task / ROOTS).write_bytes(stub.authorities.read_bytes())

    return change


def sizes(package: Package) -> Mapping[str, int]:
    """Bytes, zipped and unzipped."""
    entries = zipfile.ZipFile(BytesIO(package.code)).infolist()
    return {"zipped": len(package.code), "unzipped": sum(entry.file_size for entry in entries)}
