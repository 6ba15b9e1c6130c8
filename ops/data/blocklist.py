"""`python -m ops blocklist`: domains that no link may point at."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, track

from chalicelib import aws, clock, config
from chalicelib.links import blocklist
from chalicelib.links.hosts import with_parents
from chalicelib.links.store import links_with
from chalicelib.redirects.corrections import block_redirect, unblock_redirect
from ops.shared.errors import OperatorError
from ops.shared.listing import AsJson, print_list
from ops.shared.stages import Stage, connect

commands = typer.Typer(no_args_is_help=True, help="Domains that no link may point at.")

LONGEST_REQUEST = 12
"""Seconds. A request that asked the list before a domain was on it has written its link, or never will: the API's
function is stopped after 10."""


class Interrupted(OperatorError):
    """Somebody pressed Ctrl-C; the message says how things stand."""


def _domain(text: str) -> str:
    try:
        return blocklist.normalise_domain(text)
    except blocklist.NotADomain as error:
        raise typer.BadParameter(str(error)) from error


Domain = Annotated[
    str, typer.Argument(parser=_domain, metavar="DOMAIN", help="Such as evil.example: all that is in it.")
]


@commands.command()
def add(
    domain: Domain,
    reason: Annotated[str | None, typer.Option(help="A note for whoever reads the list.")] = None,
    stage: Stage = None,
) -> None:
    """Refuse new links to a domain, and have those that there are answer 410.

    Takes a quarter of a minute, and as long as reading all links does, twice. If it is interrupted, run it again.
    """
    connect(stage)
    with _interrupted(f"{domain} may be on the list by now, and some links into it may still redirect."):
        blocklist.put_domain(domain, reason)
        blocked = _settle(domain, "blocking links")[0]
        for _ in track(range(LONGEST_REQUEST), "waiting for requests that began before", console=Console(stderr=True)):
            clock.sleep(1)
        blocked |= _settle(domain, "blocking what they wrote")[0]
    print(f"{domain} is blocked: {len(blocked)} links answer 410")


@commands.command()
def remove(domain: Domain, stage: Stage = None) -> None:
    """Allow links to a domain again, and have those that were blocked redirect. If it is interrupted, run it again."""
    connect(stage)
    with _interrupted(f"{domain} may be off the list by now, and some links into it may still answer 410."):
        blocklist.remove_domain(domain)
        unblocked = _settle(domain, "unblocking links")[1]
    print(f"{domain} is not blocked: {len(unblocked)} links redirect again")


@commands.command(name="list")
def list_(as_json: AsJson = False, stage: Stage = None) -> None:
    """Show which domains are blocked, since when, and why."""
    connect(stage)
    rows = [
        {"domain": each.domain, "since": each.since, "reason": each.reason}
        for each in sorted(blocklist.list_domains(), key=lambda each: each.domain)
    ]
    print_list(rows, as_json=as_json, nothing="No domain is blocked.")


@contextmanager
def _interrupted(state: str) -> Iterator[None]:
    """Say how things stand when somebody presses Ctrl-C. Raises Interrupted."""
    try:
        yield
    except KeyboardInterrupt as interruption:
        raise Interrupted(f"Interrupted. {state} Run it again.") from interruption


def _settle(domain: str, doing: str) -> tuple[set[str], set[str]]:
    """Have every link into a domain answer as the list says now; returns the codes of those blocked and unblocked.

    The list is asked again for each link, so that two of these commands at once do not leave what neither wanted.
    """
    blocked, unblocked = set(), set()
    expected = aws.dynamodb().describe_table(TableName=config.links_table())["Table"]["ItemCount"]
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task(doing, total=expected or None)  # some hours old, so only about right
        for looked_at, links in links_with(domain):
            for link in links:
                if not any(domain in with_parents(host) for host in blocklist.hosts_of(link)):
                    continue
                if blocklist.is_blocked(link):
                    if block_redirect(link):
                        blocked.add(link.code)
                elif unblock_redirect(link):
                    unblocked.add(link.code)
            progress.advance(task, looked_at)
    return blocked, unblocked
