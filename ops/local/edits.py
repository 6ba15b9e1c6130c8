"""What `run --watch` does about an edit of the code that ships: find it, try it, put it onto the emulated Lambda."""

import base64
import hashlib
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from io import BytesIO
from pathlib import Path

from ops import PROJECT
from ops.shared import emulation
from ops.shared.aws import client

SECONDS_TO_IMPORT = 30

_OURS = re.compile(r"(__pycache__/)?app\.|chalicelib/")
"""What of a zip is made from the checkout's own code: sources, and what is compiled from them."""

# All of it, as a trigger's feature is imported only when it is called; and the routes, as `chalice local` does.
_TRIAL = """
import importlib, pkgutil
import chalicelib
from app import app
from chalice.deploy.validate import validate_routes
for module in pkgutil.walk_packages(chalicelib.__path__, "chalicelib."):
    importlib.import_module(module.name)
validate_routes(app.routes)
"""


def look() -> Mapping[Path, int]:
    """The files that ship, and when each was changed, in nanoseconds."""
    found = {}
    for path in (PROJECT / "app.py", *(PROJECT / "chalicelib").rglob("*")):
        try:
            if path.is_file() and path.suffix != ".pyc":
                found[path] = path.stat().st_mtime_ns
        except FileNotFoundError:  # an editor has put another in its place, which is seen the next time
            continue
    return found


def differences(before: Mapping[Path, int], after: Mapping[Path, int]) -> list[str]:
    """The names of the files that were changed, made or removed between two looks."""
    changed = {path for path, _ in before.items() ^ after.items()}
    return sorted(str(path.relative_to(PROJECT)) for path in changed)


def fault() -> str | None:
    """What keeps the code from being imported, in a line; None if nothing does."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    try:
        done = subprocess.run(
            [sys.executable, "-c", _TRIAL],
            cwd=PROJECT,
            env={**environment, "AWS_DEFAULT_REGION": emulation.REGION},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS_TO_IMPORT,
            start_new_session=True,  # so that Ctrl-C is not taken for a fault
        )
    except subprocess.TimeoutExpired:
        return f"the import takes longer than {SECONDS_TO_IMPORT} seconds"
    if done.returncode == 0:
        return None
    [*_, what] = done.stderr.strip().splitlines() or [f"the import ended with exit code {done.returncode}"]
    ours = re.findall(rf'File "{re.escape(str(PROJECT))}/((?:app|chalicelib)\b.*)", (line \d+)', done.stderr)
    return ", ".join([*(ours[-1] if ours else ()), what])


def inject(code: bytes) -> bytes:
    """The zip `code` with the checkout's own files in place of its own.

    Without bytecode of them: Lambda takes that as it is and never looks whether it belongs to the source.
    """
    packed = BytesIO()
    with zipfile.ZipFile(BytesIO(code)) as given, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as made:
        for entry in given.infolist():
            if not _OURS.match(entry.filename):
                made.writestr(entry, given.read(entry))
        for path in sorted(look()):
            entry = zipfile.ZipInfo(str(path.relative_to(PROJECT)))  # dated 1980, so that it depends on the code only
            entry.external_attr = 0o100644 << 16
            with suppress(FileNotFoundError):  # removed since; the next look tells
                made.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def put_code(code: bytes) -> None:
    """Have every function on the emulated AWS run this zip, unless it does."""
    functions = client("lambda")
    wanted = base64.b64encode(hashlib.sha256(code).digest()).decode()
    for function in functions.list_functions()["Functions"]:
        if function["CodeSha256"] != wanted:
            functions.update_function_code(FunctionName=function["FunctionName"], ZipFile=code)
