"""The package as Lambda unpacks it, and copies of it in which one thing is undone."""

import shutil
import zipfile
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path

from bench.aws import Stub
from ops.deploying.bytecode import add_bytecode
from ops.deploying.package import Package

ROOTS = Path("chalicelib/models/amazon-roots.pem")


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


def no_models(task: Path) -> None:
    """With the data that comes with botocore."""
    for path in list((task / ROOTS.parent).iterdir()):
        if path.is_dir():
            shutil.rmtree(path)
    (task / ROOTS.parent / "endpoints.json").unlink()


def botocores_roots(stub: Stub) -> Callable[[Path], None]:
    """All certificate authorities that botocore knows."""

    def change(task: Path) -> None:
        (task / ROOTS).write_bytes(stub.authorities.read_bytes())

    return change


def garbage_collected(task: Path) -> None:
    """The garbage collector runs during imports too."""
    edit(task / "app.py", "gc.disable()", "pass")


def edit(path: Path, old: str, new: str) -> None:
    """Replace text in a module, and compile it again. Raises LookupError if it is not there."""
    text = path.read_text()
    if old not in text:
        raise LookupError(f"{path.name} has no {old!r} any more: the bench must learn how to undo it")
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w") as source:
        source.writestr(path.name, text.replace(old, new, 1))
    zipfile.ZipFile(BytesIO(add_bytecode(archive.getvalue()))).extractall(path.parent)


def sizes(package: Package) -> Mapping[str, int]:
    """Bytes, zipped and unzipped."""
    entries = zipfile.ZipFile(BytesIO(package.code)).infolist()
    return {"zipped": len(package.code), "unzipped": sum(entry.file_size for entry in entries)}
