"""`python -m ops keys`: make, list, rotate and revoke API keys."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console

from chalicelib import clock
from chalicelib.access import store
from chalicelib.access.keys import ApiKey, Role, Token, hash_secret, new_token
from chalicelib.links.link import LONGEST_OWNER
from ops.shared.durations import duration
from ops.shared.listing import AsJson, minute, print_list
from ops.shared.stages import Stage, connect

commands = typer.Typer(no_args_is_help=True, help="Make, list, rotate and revoke API keys.")

OVERLAP = timedelta(hours=24)
"""How long a key that was rotated still works, unless somebody says otherwise."""


ID = Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it.")]


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
    if len(owner) > LONGEST_OWNER:
        raise typer.BadParameter(f"an owner's name has at most {LONGEST_OWNER} characters", param_hint="--owner")
    connect(stage)
    expires_at = clock.now() + expires if expires else None
    print(make_key(owner, role, expires_at))


@commands.command(name="list")
def list_(as_json: AsJson = False, stage: Stage = None) -> None:
    """List the keys. Their secrets are not known to anyone but their holders."""
    connect(stage)
    now = clock.now()
    rows = [
        {
            "id": key.id,
            "owner": key.owner,
            "role": key.role,
            "created_at": key.created_at,
            "expires_at": key.expires_at,
            "last_used_at": key.last_used_at,
            "state": _state(key, now),
        }
        for key in sorted(store.list_keys(), key=lambda key: key.created_at)
    ]
    print_list(rows, as_json=as_json, nothing="There are no keys. Make one: python -m ops keys create", absent="never")


def _overlap(text: str) -> timedelta:
    return timedelta(0) if text == "0" else duration(text)


@commands.command()
def rotate(
    key_id: ID,
    overlap: Annotated[
        timedelta | None,
        typer.Option(parser=_overlap, metavar="DURATION", help="How long the old key still works: 24h unless said; 0."),
    ] = None,
    expires: Annotated[
        timedelta | None, typer.Option(parser=duration, metavar="DURATION", help="As the old key does, unless said.")
    ] = None,
    stage: Stage = None,
) -> None:
    """Make a key in place of another and show it, this once; the old one works until the overlap ends.

    Interrupted in between, it leaves two keys that work. Again is safe: a key is replaced once.
    """
    connect(stage)
    now = clock.now()
    old = store.find_key(key_id)
    if old is None:
        raise _no_such_key(key_id)
    if old.replaced_by is not None:
        raise typer.BadParameter(f"{key_id} was replaced by {old.replaced_by}; rotate that one", param_hint="ID")
    if not old.is_valid(now):
        raise typer.BadParameter(f"{key_id} is {_state(old, now)}; make a new one: keys create", param_hint="ID")
    new = make_key(old.owner, old.role, now + expires if expires else old.expires_at)
    print(new)
    left = OVERLAP if overlap is None else overlap
    end = min(now + left, old.expires_at or datetime.max.replace(tzinfo=UTC)) if left else None
    try:
        store.replace_key(key_id, new.id, end)
    except store.KeyNotReplaced as error:
        store.revoke_key(new.id)
        raise typer.BadParameter(
            f"{key_id} was revoked or rotated by somebody else just now, so {new.id} is revoked too", param_hint="ID"
        ) from error
    Console(stderr=True).print(f"{key_id} " + (f"works until {minute(end)} UTC" if end else "is revoked"))


@commands.command()
def revoke(key_id: ID, stage: Stage = None) -> None:
    """Make a key useless, from now on and for ever."""
    connect(stage)
    try:
        store.revoke_key(key_id)
    except store.KeyNotFound as error:
        raise _no_such_key(key_id) from error
    print(f"revoked {key_id}")


def _no_such_key(key_id: str) -> typer.BadParameter:
    return typer.BadParameter(f"there is no key {key_id!r}; see: python -m ops keys list", param_hint="ID")


def _state(key: ApiKey, now: datetime) -> str:
    if key.revoked:
        return "revoked"
    if not key.is_valid(now):
        return "expired"
    return f"replaced by {key.replaced_by}" if key.replaced_by else "valid"
