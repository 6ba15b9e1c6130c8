"""An operator's terminal: commands, as they are typed there."""

from collections.abc import Callable
from types import ModuleType

import pytest
from typer.testing import CliRunner, Result

Type = Callable[..., Result]


def terminal(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Type:
    """Types a module's commands, about this AWS; wide enough for their tables."""
    monkeypatch.setattr(module, "connect", lambda stage: stage)
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *arguments: CliRunner().invoke(module.commands, [*arguments, "--stage", "test"])
