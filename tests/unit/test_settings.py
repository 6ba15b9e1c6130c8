"""The options of `python -m ops deploy` that are read off the template's parameters."""

import re
import subprocess
import sys
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from ops import PROJECT
from ops.__main__ import commands
from ops.deploying import deploy
from ops.deploying.settings import offered, variable


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str | None]]:
    """What `deploy` was told to set, each time that it got as far as that."""
    settings: list[dict[str, str | None]] = []

    def note(given: Any, reset: Any) -> None:
        settings.append(chosen(given, reset))
        raise typer.Exit

    chosen = deploy.chosen
    monkeypatch.setattr(deploy, "chosen", note)
    monkeypatch.setattr("ops.deploying.deploy.packaging.package", lambda _: None)
    for name in offered():
        monkeypatch.delenv(variable(name), raising=False)
    return settings


def type_deploy(*arguments: str, columns: int = 200) -> Result:
    return CliRunner().invoke(commands, ["deploy", "--stage", "dev", *arguments], env={"COLUMNS": str(columns)})


@pytest.mark.usefixtures("deployed")
def test_every_setting_is_a_parameter_that_somebody_who_deploys_chooses() -> None:
    parameters = {
        "AccessLogs", "AlarmEmail", "Alarms", "AllowedOrigins", "ApiDomain", "BaseUrl", "BrandName", "BrandText",
        "BrandUrl", "CertificateArn", "ClickRetentionDays", "Dashboard", "DomainName", "Edge", "EdgeFirewallArn",
        "Firewall", "HomeUrl", "InvocationLogs", "LinkBurst", "LinksPerSecond", "NotFoundUrl", "PrivateTargetsAllowed",
        "QuietMinutes", "RecorderWindowSeconds", "RedirectConcurrency", "RegionalCertificateArn", "RequestBurst",
        "RequestsPerAddress", "RequestsPerSecond", "ReserveRecorder", "RunbookUrl", "Tracing",
    }  # fmt: skip

    assert parameters == set(offered())


def test_a_setting_is_given_as_an_option_or_by_the_environment(
    deployed: list[dict[str, str | None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DASHBOARD", "no")
    monkeypatch.setenv("ALARM_EMAIL", "")  # as GitHub sets a variable that the environment does not have

    done = type_deploy("--click-retention-days", "31", "--base-url", "", "--reset", "Tracing")

    assert 0 == done.exit_code, done.output
    assert [{"ClickRetentionDays": "31", "BaseUrl": None, "Dashboard": "no", "Tracing": None}] == deployed


def test_every_default_is_a_value_that_may_be_given(deployed: list[dict[str, str | None]]) -> None:
    defaults = {name: str(described["Default"]) for name, described in offered().items()}
    options = [f"--{variable(name).lower().replace('_', '-')}={default}" for name, default in defaults.items()]

    done = type_deploy(*options)

    assert 0 == done.exit_code, done.output
    assert [{name: default or None for name, default in defaults.items()}] == deployed


@pytest.mark.parametrize(
    ("option", "value", "reason"),
    [
        ("--alarms", "most", "most is not one of none, essential, all"),
        ("--dashboard", "true", "true is not one of yes, no"),
        ("--click-retention-days", "29", "29 is not at least 30"),
        ("--quiet-minutes", "1441", "1441 is not from 0 to 1440"),
        ("--quiet-minutes", "-1", "-1 is not from 0 to 1440"),
        ("--link-burst", "many", "valid integer"),
        ("--base-url", "https://go.example.com/a", "'https://go.example.com/a' does not match (https?://[^/]+)?"),
    ],
)
def test_what_cloudformation_would_refuse_is_refused_before_anything_is_packaged(
    option: str, value: str, reason: str, deployed: list[dict[str, str | None]]
) -> None:
    done = type_deploy(option, value)

    assert 2 == done.exit_code
    assert option in done.stderr
    assert reason in done.stderr
    assert [] == deployed


@pytest.mark.usefixtures("deployed")
def test_options_and_variables_are_explained_whole_at_80_columns() -> None:
    explained = type_deploy("--help", columns=80).stdout

    options = {f"--{variable(name).lower().replace('_', '-')}" for name in offered()}
    assert options <= set(re.findall(r"│ (--[a-z-]+) ", explained))
    assert set(map(variable, offered())) == set(re.findall(r"\[env var: ([A-Z_]+)\]", explained))
    assert "…" not in explained


def test_other_commands_do_not_wait_until_the_template_is_read() -> None:
    program = (
        "import sys; from ops.__main__ import commands; commands(['--help'], standalone_mode=False); "
        "sys.exit('samtranslator' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=False)

    assert 0 == done.returncode, done.stderr
