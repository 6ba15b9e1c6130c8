"""`python -m ops keys`: make, list and revoke API keys."""

from datetime import datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from chalicelib import clock
from chalicelib.access import store
from chalicelib.access.keys import ApiKey, Role, Token, hash_secret, new_token
from ops.durations import duration
from ops.stages import Stage, connect

commands = typer.Typer(no_args_is_help=True, help="Make, list and revoke API keys.")


def make_key(owner: str, role: Role, expires_at: datetime | None = None) -> Token:
    """Store a new key and return its token, which cannot be had again."""
    token = new_token()
    store.put_key(ApiKey(token.id, hash_secret(token.secret), owner, role, clock.now(), expires_at))
    return token


@commands.command()
def create(
    owner: Annotated[str, typer.Option(help="Whose links the key's holder sees.")],
    role: Annotated[Role, typer.Option(help="An admin sees everybody's links.")],
    expires: Annotated[timedelta | None, typer.Option(parser=duration, metavar="DURATION", help="Such as 90d.")] = None,
    stage: Stage = None,
) -> None:
    """Make a key and show it, this once."""
    if not owner.strip():
        raise typer.BadParameter("an owner has a name", param_hint="--owner")
    connect(stage)
    expires_at = clock.now() + expires if expires else None
    print(make_key(owner, role, expires_at))


@commands.command(name="list")
def list_(stage: Stage = None) -> None:
    """List the keys. Their secrets are not known to anyone but their holders."""
    connect(stage)
    table = Table("id", "owner", "role", "created", "expires", "state")
    now = clock.now()
    for key in sorted(store.list_keys(), key=lambda key: key.created_at):
        expires = f"{key.expires_at:%Y-%m-%d %H:%M}" if key.expires_at else "never"
        table.add_row(key.id, key.owner, key.role, f"{key.created_at:%Y-%m-%d %H:%M}", expires, _state(key, now))
    Console().print(table)


@commands.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it.")], stage: Stage = None
) -> None:
    """Make a key useless, from now on and for ever."""
    connect(stage)
    try:
        store.revoke_key(key_id)
    except store.KeyNotFound as error:
        raise typer.BadParameter(
            f"there is no key {key_id!r}; see: python -m ops keys list", param_hint="ID"
        ) from error
    print(f"revoked {key_id}")


def _state(key: ApiKey, now: datetime) -> str:
    if key.revoked:
        return "revoked"
    return "expired" if key.expires_at and key.expires_at <= now else "valid"
