"""`python -m ops deploy`: the checkout as a stage on AWS, with what is asked before and said afterwards."""

import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from ops.deploying import deployment, smoke
from ops.deploying import package as packaging
from ops.deploying.change_sets import Change, losses
from ops.deploying.deployment import DeploymentFailed
from ops.shared import stages
from ops.shared.stacks import deployed_runtime, deployed_version
from ops.shared.stages import Deployed


def deploy(
    context: typer.Context,
    stage: Deployed,
    reset: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A setting to put back to its default.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask. Without a terminal nobody is asked anyway.")] = False,
    force_replacement: Annotated[
        bool, typer.Option("--force-replacement", help="Lose what tables, queues, logs or the API hold, if need be.")
    ] = False,
    change_runtime: Annotated[
        bool, typer.Option("--change-runtime", help="Have the functions run on another version of Python than now.")
    ] = False,
    watch_minutes: Annotated[
        int,
        typer.Option(min=0, max=180, help="How long an alarm takes the deployment back.", rich_help_panel="Afterwards"),
    ] = 5,
    smoke_test: Annotated[bool, typer.Option(help="Try what was deployed.", rich_help_panel="Afterwards")] = True,
) -> None:
    """Deploy the checkout to the account and region of the environment, and try it."""
    package = packaging.package(stage)
    settings = chosen(context.obj, reset or [])
    previous = deployed_version(stage)
    print(f"linkly-{stage}: version {package.version} on {package.runtime}, in place of {previous or 'none'}")
    if not change_runtime:
        require_same_runtime(stage, deployed_runtime(stage), package.runtime)

    def agree(planned: Sequence[Change]) -> None:
        review(planned, stage, dry_run=dry_run, yes=yes, force_replacement=force_replacement)

    deployed = deployment.deploy(package, stage, settings, print, agree=agree, watch_minutes=watch_minutes)
    for name, value in deployed.outputs.items():
        print(f"{name}: {value}")
    for advice in short_urls(stage, deployed.outputs, stages.function_environment(stage)):
        print(advice)
    if smoke_test:
        try_out(stage, stages.address(deployed.outputs), previous)


def short_urls(stage: str, outputs: Mapping[str, str], environment: Mapping[str, str]) -> list[str]:
    """What is to be done for new short URLs to lead where visitors come in: no function can know that by itself."""
    edge = outputs.get("EdgeURL")
    if not edge or environment["BASE_URL"]:
        return []
    return [f"Short URLs go by API Gateway still. By CloudFront: BASE_URL={edge} make deploy STAGE={stage}"]


def require_same_runtime(stage: str, deployed: str | None, packaged: str) -> None:
    """Have a stage deployed with one version of Python, by whoever and wherever. Raises DeploymentFailed."""
    if deployed not in {None, packaged}:
        raise DeploymentFailed(
            f"linkly-{stage} runs on {deployed}, and .venv has {packaged}. Deploy it with the same: "
            f"rm -rf .venv .venv-aws && make deploy STAGE={stage} PYTHON={deployed}\n"
            "If it is to run on another one from now on: --change-runtime"
        )


def review(planned: Sequence[Change], stage: str, *, dry_run: bool, yes: bool, force_replacement: bool) -> None:
    """Stop a deployment that would lose something, or that is only to be shown, or that somebody at a terminal refuses.

    Raises DeploymentFailed, Exit or Abort.
    """
    lost = losses(planned)
    if lost and not (force_replacement or dry_run):
        raise DeploymentFailed("\n".join([*lost, "If that is what you want: --force-replacement"]))
    for loss in lost:
        print(f"CAUTION  {loss}")
    if dry_run:
        print("Nothing was changed.")
        raise typer.Exit
    if not yes and sys.stdin.isatty():
        typer.confirm(f"Deploy this to linkly-{stage}?", abort=True)


def chosen(given: Mapping[str, Any], reset: Sequence[str]) -> dict[str, str | None]:
    """The settings that are given, by their parameters; None for one that goes back to its default, as an empty one."""
    return {name: str(value) or None for name, value in given.items() if value is not None} | dict.fromkeys(reset)


def try_out(stage: str, url: str, previous: str | None) -> None:
    """Run the smoke test, and say how to go back if it fails."""
    stages.connect(stage)
    print(f"trying {url}")
    try:
        smoke.smoke_test(url, print)
    except smoke.SmokeTestFailed as failed:
        known = previous and previous != "unknown" and not previous.endswith("-dirty")
        advice = (
            f"To go back: git checkout {previous} && make deploy STAGE={stage}"
            if known
            else f"The version before was {previous or 'none'}, to which no commit leads back."
        )
        raise smoke.SmokeTestFailed(
            f"The smoke test failed, and what was deployed stays. {failed}\n{advice}"
        ) from failed
