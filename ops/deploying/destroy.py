"""`python -m ops destroy`: a stage's stack is deleted, and its data too if that is wanted."""

import sys
from typing import Annotated

import typer

from ops.deploying import deployment, leftovers
from ops.deploying.deployment import DeploymentFailed
from ops.shared.queues import waiting_messages
from ops.shared.stages import Deployed


def destroy(
    stage: Deployed,
    discard_messages: Annotated[bool, typer.Option(help="Delete the queues even if clicks wait in them.")] = False,
    delete_tables: Annotated[
        bool, typer.Option("--delete-tables", help="Delete all data as well: tables, logs, what was deployed.")
    ] = False,
    yes_delete_the_data: Annotated[
        str, typer.Option(metavar="STAGE", help="The stage's name once more, where nobody can be asked.")
    ] = "",
) -> None:
    """Delete a stage's stack. Its tables stay, unless told otherwise; deploying the stage again adopts them."""
    waiting = waiting_messages(stage)
    if waiting and not discard_messages:
        listed = ", ".join(f"{count} in {name}" for name, count in waiting.items())
        raise DeploymentFailed(
            f"Clicks would be lost with the queues: {listed}. Let them be recorded first, or add --discard-messages."
        )
    if delete_tables:
        confirm_deletion(stage, yes_delete_the_data)
    deployment.destroy(stage, print)
    if delete_tables:
        leftovers.delete(stage, print)
        print(f"The stack linkly-{stage} is gone, and all of its data.")
    else:
        print(f"The stack linkly-{stage} is gone. Its tables stay: python -m ops deploy --stage {stage} adopts them.")


def confirm_deletion(stage: str, typed: str) -> None:
    """Have the stage's name typed, unless it was, before its data is deleted. Raises BadParameter."""
    if not typed and sys.stdin.isatty():
        typed = typer.prompt(f"All links, counts and keys of {stage} will be deleted. To go on, type the stage's name")
    if typed != stage:
        raise typer.BadParameter(
            f"all links, counts and keys of {stage} would be deleted; if they should be: --yes-delete-the-data {stage}"
        )
