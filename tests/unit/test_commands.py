"""What is asked and said before and after a deployment."""

from typing import Any

import pytest
import typer

from ops.deploying import deploy, smoke
from ops.deploying.deployment import DeploymentFailed
from ops.deploying.destroy import confirm_deletion

LOSS: Any = {
    "Action": "Remove",
    "LogicalResourceId": "LinksTable",
    "PhysicalResourceId": "linkly-dev-links",
    "ResourceType": "AWS::DynamoDB::Table",
    "PolicyAction": "Retain",
}


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A terminal at which somebody refuses; gives the questions that were asked."""
    asked: list[str] = []

    def refuse(question: str, **_: Any) -> None:
        asked.append(question)
        raise typer.Abort

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("ops.deploying.deploy.typer.confirm", refuse)
    return asked


def review(*changes: Any, dry_run: bool = False, yes: bool = False, force_replacement: bool = False) -> None:
    deploy.review(changes, "dev", dry_run=dry_run, yes=yes, force_replacement=force_replacement)


def test_somebody_at_a_terminal_is_asked(terminal: list[str]) -> None:
    with pytest.raises(typer.Abort):
        review()

    assert ["Deploy this to linkly-dev?"] == terminal


def test_nobody_is_asked_who_has_agreed(terminal: list[str]) -> None:
    review(yes=True)

    assert [] == terminal


def test_nobody_is_asked_without_a_terminal(terminal: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)

    review()

    assert [] == terminal


def test_a_loss_is_forced_and_not_just_agreed_to(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(DeploymentFailed, match="LinksTable"):
        review(LOSS, yes=True)
    review(LOSS, yes=True, force_replacement=True)

    assert capsys.readouterr().out.startswith("CAUTION  LinksTable (linkly-dev-links) would be removed")


def test_a_dry_run_ends_well_whatever_would_be_lost(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended:
        review(LOSS, dry_run=True)

    assert 0 == ended.value.exit_code
    assert capsys.readouterr().out.endswith("Nothing was changed.\n")


@pytest.mark.parametrize(
    ("previous", "advice"),
    [
        ("v1.2.0-3-g0123456789ab", "To go back: git checkout v1.2.0-3-g0123456789ab && make deploy STAGE=dev"),
        ("v1.2.0-dirty", "The version before was v1.2.0-dirty, to which no commit leads back."),
        ("unknown", "The version before was unknown, to which no commit leads back."),
        (None, "The version before was none, to which no commit leads back."),
    ],
)
def test_whoever_sees_a_smoke_test_fail_is_told_how_to_go_back(
    monkeypatch: pytest.MonkeyPatch, previous: str | None, advice: str
) -> None:
    def fail(*_: Any) -> None:
        raise smoke.SmokeTestFailed("follow: no.")

    monkeypatch.setattr("ops.deploying.deploy.stages.connect", lambda _: None)
    monkeypatch.setattr("ops.deploying.deploy.smoke.smoke_test", fail)

    with pytest.raises(smoke.SmokeTestFailed) as failed:
        deploy.try_out("dev", "https://example.org", previous)

    assert f"The smoke test failed, and what was deployed stays. follow: no.\n{advice}" == str(failed.value)


def test_a_setting_is_what_is_given_or_goes_back_or_is_left_alone() -> None:
    given = {"BaseUrl": "", "ClickRetentionDays": 31, "AlarmEmail": None, "Throttle": "9"}

    settings = deploy.chosen(given, ["Throttle"])

    assert {"BaseUrl": None, "ClickRetentionDays": "31", "Throttle": None} == settings


@pytest.mark.parametrize("typed", ["", "prod", "DEV"])
def test_data_is_not_deleted_unless_the_stages_name_is_given(typed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)

    with pytest.raises(typer.BadParameter, match="--yes-delete-the-data dev"):
        confirm_deletion("dev", typed)


@pytest.mark.usefixtures("terminal")
def test_at_a_terminal_the_stages_name_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ops.deploying.destroy.typer.prompt", lambda _: "dev")
    confirm_deletion("dev", "")
    monkeypatch.setattr("ops.deploying.destroy.typer.prompt", lambda _: "yes")

    with pytest.raises(typer.BadParameter):
        confirm_deletion("dev", "")


@pytest.mark.parametrize("deployed", [None, "python3.13"])
def test_a_stage_is_deployed_with_the_python_that_it_runs_on(deployed: str | None) -> None:
    deploy.require_same_runtime("dev", deployed, "python3.13")


def test_a_stage_is_not_deployed_with_another_python_than_it_runs_on() -> None:
    with pytest.raises(DeploymentFailed) as refused:
        deploy.require_same_runtime("dev", "python3.12", "python3.13")

    assert (
        "linkly-dev runs on python3.12, and .venv has python3.13. Deploy it with the same: "
        "rm -rf .venv .venv-aws && make deploy STAGE=dev PYTHON=python3.12\n"
        "If it is to run on another one from now on: --change-runtime"
    ) == str(refused.value)
