"""The zip's modules, compiled: where they run, nothing can be written, so Python would compile them at every start.

`unchecked-hash` (PEP 552) has Python take the bytecode as it is, without a look at the source, and makes it the same
whenever and wherever it is compiled. Another Python version would ignore it. docs/benchmarks.md says what it is worth.
"""

import re
import subprocess
import sys
import tempfile
import zipfile
from io import BytesIO
from pathlib import Path

WHERE_IT_RUNS = "/var/task"
"""Lambda's folder, which tracebacks then name."""


NOT_IMPORTED = r"docs/|[^/]*\.data/"
"""Where packages leave modules that nobody imports."""


def add_bytecode(code: bytes) -> bytes:
    """The zip `code`, with all that can be imported compiled too, by the Python version that runs this."""
    zipped = BytesIO(code)
    with tempfile.TemporaryDirectory() as directory, zipfile.ZipFile(zipped, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.extractall(directory)
        subprocess.run(
            [sys.executable, "-m", "compileall", "-qq", "--invalidation-mode", "unchecked-hash",
             "-x", f"^{re.escape(directory)}/({NOT_IMPORTED})", "-s", directory, "-p", WHERE_IT_RUNS, directory],
            check=True,
        )  # fmt: skip
        for compiled in sorted(Path(directory).rglob("*.pyc")):
            entry = zipfile.ZipInfo(str(compiled.relative_to(directory)))  # dated 1980, so that it stays the same
            entry.create_system = 3  # Unix
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, compiled.read_bytes(), zipfile.ZIP_DEFLATED)
    return zipped.getvalue()
