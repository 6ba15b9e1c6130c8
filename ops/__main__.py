"""`python -m ops`: everything that is done to a stack from the keyboard."""

import json
import sys
from enum import StrEnum
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from ops import PROJECT, aws, blocklist, clicks, consumers, dlq, doctor, emulator, keys, links, local, logs, stages, status
from ops import deploy as deployment
from ops import package as packaging

commands = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False)
commands.add_typer(keys.commands, name="keys")
commands.add_typer(blocklist.commands, name="blocklist")
commands.add_typer(links.commands, name="links")
commands.add_typer(restore.commands, name="restore")
commands.add_typer(clicks.commands, name="clicks")
commands.add_typer(dlq.commands, name="dlq")


def real_stage(stage: str) -> str:
    """Refuse a stage that nobody has described, and the one that only `make run` deploys."""
    known = json.loads((PROJECT / ".chalice" / "config.json").read_text())["stages"].keys() - {stages.LOCAL}
    if stage not in known:
        raise typer.BadParameter(f"the stages that can be deployed are: {', '.join(sorted(known))}")
    return stage


class Alarms(StrEnum):
    """Which alarms a stage has; what each choice costs is in docs/cost.md."""

    NONE = "none"
    ESSENTIAL = "essential"
    ALL = "all"


Deployed = Annotated[str, typer.Option(callback=real_stage, help="A stage of .chalice/config.json.")]


@commands.command()
def run(
    port: Annotated[int, typer.Option(envvar="PORT", help="Where HTTP is served.")] = 8000,
    aws_port: Annotated[int, typer.Option(envvar="AWS_PORT", help="Where the emulated AWS listens.")] = 4566,
) -> None:
    """Run everything on this machine, until Ctrl-C."""
    local.run(port, aws_port)


@commands.command()
def deploy(
    stage: Deployed,
    base_url: Annotated[str, typer.Option(envvar="BASE_URL", help="Where visitors follow links.")] = "",
    allowed_origins: Annotated[str, typer.Option(envvar="ALLOWED_ORIGINS", help="Sites that may call the API.")] = "",
    click_retention_days: Annotated[int, typer.Option(envvar="CLICK_RETENTION_DAYS", min=30)] = 90,
    alarms: Annotated[Alarms, typer.Option(envvar="ALARMS", help="Which alarms there are.")] = Alarms.ESSENTIAL,
    alarm_email: Annotated[str, typer.Option(envvar="ALARM_EMAIL", help="Who is told when an alarm goes off.")] = "",
    runbook_url: Annotated[
        str, typer.Option(envvar="RUNBOOK_URL", help="Where whoever is told finds the runbook.")
    ] = "docs/runbook.md",
    quiet_minutes: Annotated[
        int, typer.Option(envvar="QUIET_MINUTES", min=0, max=1440, help="Alarm after so long without a redirect.")
    ] = 0,
    dashboard: Annotated[bool, typer.Option(envvar="DASHBOARD", help="Whether there is a dashboard.")] = True,
    private_targets_allowed: Annotated[
        bool, typer.Option(envvar="PRIVATE_TARGETS_ALLOWED", help="Let links point at private networks.")
    ] = False,
) -> None:
    """Deploy the checkout to the account and region of the environment."""
    parameters = {
        "BaseUrl": base_url,
        "AllowedOrigins": allowed_origins,
        "ClickRetentionDays": str(click_retention_days),
        "Alarms": alarms.value,
        "AlarmEmail": alarm_email,
        "RunbookUrl": runbook_url,
        "QuietMinutes": str(quiet_minutes),
        "Dashboard": "yes" if dashboard else "no",
        "PrivateTargetsAllowed": "true" if private_targets_allowed else "false",
    }
    for name, value in deployment.deploy(packaging.package(stage), stage, parameters, print).outputs.items():
        print(f"{name}: {value}")


@commands.command()
def destroy(
    stage: Deployed,
    discard_messages: Annotated[bool, typer.Option(help="Delete the queues even if clicks wait in them.")] = False,
) -> None:
    """Delete a stage's stack. Its tables stay; deploying the stage again adopts them."""
    waiting = deployment.waiting_messages(stage)
    if waiting and not discard_messages:
        listed = ", ".join(f"{count} in {name}" for name, count in waiting.items())
        raise deployment.DeploymentFailed(
            f"Clicks would be lost with the queues: {listed}. Let them be recorded first, or add --discard-messages."
        )
    deployment.destroy(stage)
    print(f"The stack linkly-{stage} is gone. Its tables stay: python -m ops deploy --stage {stage} adopts them.")


commands.command(name="logs")(logs.show_logs)
commands.command(name="status")(status.show_status)
commands.command(name="doctor")(doctor.examine)
commands.command()(consumers.pause)
commands.command()(consumers.resume)

EXPECTED = (
    BotoCoreError,
    ClientError,
    aws.NotConnected,
    consumers.SwitchFailed,
    deployment.DeploymentFailed,
    emulator.EmulatorFailed,
    emulator.PortTaken,
    local.AlreadyRunning,
    local.HttpFailed,
    local.PortChanged,
    packaging.PackagingFailed,
    restore.RestoreFailed,
    stages.StageUnknown,
)
"""Errors whose sentence says what to do; a traceback would only hide it."""

if __name__ == "__main__":
    try:
        commands()
    except EXPECTED as error:
        Console(stderr=True).print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(1)
