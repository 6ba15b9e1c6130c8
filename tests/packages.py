"""The checkout, packaged once for all processes of a test run: each time takes as long as many tests."""

import fcntl
import os
import pickle

import pytest

from ops.deploying.package import Package, package


def packaged(stage: str, factory: pytest.TempPathFactory) -> Package:
    """What `package` makes of the checkout for a stage."""
    folder = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # each process has a folder of its own in that of the run
    file = folder / f"package-{stage}.pickle"
    with (folder / "package.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not file.exists():
            unfinished = file.with_suffix(".tmp")
            unfinished.write_bytes(pickle.dumps(package(stage)))
            unfinished.rename(file)
    made: Package = pickle.loads(file.read_bytes())  # noqa: S301 (our own, of a minute ago)
    return made
