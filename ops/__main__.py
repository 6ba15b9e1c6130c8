"""`python -m ops`: everything that is done to a stack from the keyboard."""

import logging
import os
import sys
from collections.abc import Callable, Sequence

import httpx
import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from chalicelib.observability import logger
from ops.data import blocklist, keys, links
from ops.deploying import deploy, deploy_policy, destroy, smoke
from ops.deploying.settings import CommandWithSettings
from ops.local import demo, doctor, reference, robots, run
from ops.repairing import accident, clicks, consumers, dlq, redirects, restore
from ops.shared.errors import OperatorError
from ops.watching import load, logs, measure, status

ROOMS: dict[str, dict[str, Callable[..., None] | typer.Typer]] = {
    "On this machine": {
        "run": run.run,
        "demo": demo.demo,
        "doctor": doctor.examine,
        "reference": reference.write,
        "robots": robots.take_over,
    },
    "Deploying": {
        "deploy": deploy.deploy,
        "smoke": smoke.smoke,
        "destroy": destroy.destroy,
        "deploy-policy": deploy_policy.show_deploy_policy,
    },
    "Keys, blocked domains, links": {
        "keys": keys.commands,
        "blocklist": blocklist.commands,
        "links": links.commands,
    },
    "Watching": {
        "status": status.show_status,
        "logs": logs.show_logs,
        "load": load.send,
        "measure": measure.measure,
    },
    "Repairing": {
        "dlq": dlq.commands,
        "clicks": clicks.commands,
        "pause": consumers.pause,
        "resume": consumers.resume,
        "redirects": redirects.commands,
        "restore": restore.commands,
    },
    "Practising": {
        "accident": accident.commands,
    },
}
"""What there is to type, by its purpose: a command, or several under one name."""

CLASSES = {"deploy": CommandWithSettings}
"""Of commands that have more options than their functions have parameters."""

commands = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False)
for purpose, members in ROOMS.items():
    for name, member in members.items():
        if isinstance(member, typer.Typer):
            commands.add_typer(member, name=name, rich_help_panel=purpose)
        else:
            commands.command(name=name, rich_help_panel=purpose, cls=CLASSES.get(name))(member)

EXPECTED = (BotoCoreError, ClientError, httpx.HTTPError, OperatorError)
"""Errors whose sentence says what to do; a traceback would only hide it."""


def require_utf8(arguments: Sequence[str]) -> None:
    """Refuse bytes that are not UTF-8, which Python lets pass (PEP 383), and nothing stores or shows.

    Raises OperatorError.
    """
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError as error:
            raise OperatorError(f"What is typed must be UTF-8, and {os.fsencode(argument)!r} is not.") from error


if __name__ == "__main__":
    logger.setLevel(logging.WARNING)  # what the app's modules tell of their work is for its log, not for a terminal
    try:
        require_utf8(sys.argv)
        commands()
    except EXPECTED as error:
        Console(stderr=True).print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(1)
