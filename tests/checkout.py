"""A copy of the checkout, to run or to change."""

import shutil
from pathlib import Path

from ops import PROJECT

BROKEN_QUEUE = """
  BrokenQueue:
    Type: AWS::SQS::Queue
    DependsOn: APIHandler  # so that what was changed before has to be changed back
    Properties: {QueueName: the-name-of-a-fifo-queue-ends-otherwise, FifoQueue: true}
"""
"""To be added to infra/template.yaml, so that a deployment fails."""

_PARTS = ("app.py", "chalicelib", "infra", "ops", "Makefile", ".chalice")


def copy_checkout(to: Path) -> Path:
    """Copy what the app is made of, and link to the same environments; gives the copy's root."""
    copy = to / "linkly"
    copy.mkdir()
    for source in (*(PROJECT / name for name in _PARTS), *PROJECT.glob("requirements*")):
        if source.is_dir():
            shutil.copytree(source, copy / source.name, ignore=shutil.ignore_patterns("__pycache__", "deployments"))
        else:
            shutil.copy2(source, copy / source.name)
    for environment in (".venv", ".venv-aws"):
        (copy / environment).symlink_to(PROJECT / environment)
    return copy
