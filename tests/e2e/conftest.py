"""The packaged app, driven over its API Gateway URL."""

import pytest

from tests.stack import aws_endpoint, deployment, linkly

__all__ = ["aws_endpoint", "deployment", "linkly"]

LONGEST = (
    *("drills", "operations", "live_links", "repair", "new_stages", "edge", "run"),
    *("description", "chaos", "permissions", "emulator", "restore"),
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, so that no process is left alone with one at the end."""
    names = [f"test_{name}.py" for name in LONGEST]
    items.sort(key=lambda item: names.index(item.path.name) if item.path.name in names else len(names))
