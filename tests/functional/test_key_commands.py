"""`python -m ops keys`, as typed."""

import json
import re
from datetime import datetime, timedelta

import pytest

from chalicelib.access.keys import ApiKey, Role, parse_token
from chalicelib.access.store import KeyNotReplaced, find_key, list_keys, note_use, put_key, revoke_key
from chalicelib.clock import rfc3339
from ops.data import keys
from tests import infrastructure
from tests.builders import NOW, TOKEN, StoppedClock, a_key
from tests.functional.terminal import Type, terminal

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def type_(monkeypatch: pytest.MonkeyPatch) -> Type:
    """Type a command about the keys."""
    return terminal(keys, monkeypatch)


def test_a_key_is_replaced_by_one_of_the_same_owner_and_role_and_works_for_a_day_more(type_: Type) -> None:
    put_key(a_key(TOKEN, owner="ada", role=Role.ADMIN))

    done = type_("rotate", TOKEN.id)

    new = parse_token(done.stdout.strip())
    assert new
    key = find_key(new.id)
    assert key
    assert (0, f"{TOKEN.id} works until 2026-05-28 10:15 UTC\n") == (done.exit_code, done.stderr)
    assert ("ada", Role.ADMIN, None, NOW, True) == (
        key.owner,
        key.role,
        key.expires_at,
        key.created_at,
        key.admits(new.secret, NOW),
    )
    assert a_key(TOKEN, owner="ada", role=Role.ADMIN, expires_at=NOW + DAY, replaced_by=new.id) == find_key(TOKEN.id)


@pytest.mark.parametrize(
    ("options", "old", "old_then", "new_then"),
    [
        ((), None, NOW + DAY, None),
        ((), NOW + 30 * DAY, NOW + DAY, NOW + 30 * DAY),
        ((), NOW + HOUR, NOW + HOUR, NOW + HOUR),
        (("--overlap", "2h"), NOW + 30 * DAY, NOW + 2 * HOUR, NOW + 30 * DAY),
        (("--overlap", "40d"), NOW + 30 * DAY, NOW + 30 * DAY, NOW + 30 * DAY),
        (("--expires", "90d"), None, NOW + DAY, NOW + 90 * DAY),
        (("--expires", "90d"), NOW + HOUR, NOW + HOUR, NOW + 90 * DAY),
    ],
)
def test_no_life_is_longer_than_it_was_unless_the_new_keys_is_asked_for(
    type_: Type, options: tuple[str, ...], old: datetime | None, old_then: datetime, new_then: datetime | None
) -> None:
    put_key(a_key(TOKEN, expires_at=old))

    done = type_("rotate", TOKEN.id, *options)

    ends = {key.id: key.expires_at for key in list_keys()}
    assert {TOKEN.id: old_then, done.stdout.split("_")[1]: new_then} == ends


def test_without_an_overlap_the_old_key_is_revoked(type_: Type) -> None:
    put_key(a_key(TOKEN))

    done = type_("rotate", TOKEN.id, "--overlap", "0")

    new_id = done.stdout.split("_")[1]
    assert (0, f"{TOKEN.id} is revoked\n") == (done.exit_code, done.stderr)
    assert a_key(TOKEN, revoked=True, replaced_by=new_id) == find_key(TOKEN.id)


def test_a_key_is_replaced_once(type_: Type) -> None:
    put_key(a_key(TOKEN))
    new_id = type_("rotate", TOKEN.id).stdout.split("_")[1]
    before = infrastructure.items("API_KEYS_TABLE")

    again = type_("rotate", TOKEN.id)

    assert (2, True) == (again.exit_code, f"{TOKEN.id} was replaced by {new_id}" in again.stderr)
    assert before == infrastructure.items("API_KEYS_TABLE")


@pytest.mark.parametrize(
    ("key", "key_id", "reason"),
    [
        (a_key(TOKEN, revoked=True), TOKEN.id, f"{TOKEN.id} is revoked; make a new one"),
        (a_key(TOKEN, expires_at=NOW), TOKEN.id, f"{TOKEN.id} is expired; make a new one"),
        (a_key(TOKEN), "nothing", "there is no key 'nothing'"),
    ],
    ids=["revoked", "expired", "unknown"],
)
def test_what_admits_nobody_is_not_replaced(type_: Type, key: ApiKey, key_id: str, reason: str) -> None:
    put_key(key)
    before = infrastructure.items("API_KEYS_TABLE")

    done = type_("rotate", key_id)

    assert (2, True) == (done.exit_code, reason in done.stderr)
    assert before == infrastructure.items("API_KEYS_TABLE")


def test_a_key_that_is_revoked_while_it_is_replaced_takes_the_new_one_with_it(
    type_: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_key(a_key(TOKEN))

    def revoked_meanwhile(key_id: str, *_: object) -> None:
        revoke_key(key_id)
        raise KeyNotReplaced(key_id)

    monkeypatch.setattr("chalicelib.access.store.replace_key", revoked_meanwhile)

    done = type_("rotate", TOKEN.id)

    assert 2 == done.exit_code
    assert [True, True] == [key.revoked for key in list_keys()]


def test_the_list_says_when_a_key_was_last_used_and_what_became_of_it(type_: Type, clock: StoppedClock) -> None:
    token = parse_token(type_("create", "--owner", "ada", "--role", "user", "--expires", "90d").stdout.strip())
    assert token
    unused = type_("list").stdout
    note_use(token.id, NOW + HOUR)
    used = type_("list").stdout
    new = parse_token(type_("rotate", token.id).stdout.strip())
    assert new
    replaced = type_("list").stdout
    clock.time += 2 * DAY
    in_the_end = type_("list").stdout

    made = (token.id, "ada", "user", "2026-05-27 10:15")
    assert (*made, "2026-08-25 10:15", "never", "valid") in rows(unused)
    assert (*made, "2026-08-25 10:15", "2026-05-27 11:15", "valid") in rows(used)
    assert (*made, "2026-05-28 10:15", "2026-05-27 11:15", f"replaced by {new.id}") in rows(replaced)
    assert (*made, "2026-05-28 10:15", "2026-05-27 11:15", "expired") in rows(in_the_end)
    assert not [secret for secret in (token.secret, new.secret) if secret in unused + used + replaced + in_the_end]


def test_a_list_for_programs_has_what_is_known_of_each_key_but_its_hash(type_: Type) -> None:
    put_key(a_key(TOKEN, owner="[/x]", expires_at=NOW + DAY))

    listed = type_("list", "--json")

    times = {"created_at": rfc3339(NOW), "expires_at": rfc3339(NOW + DAY), "last_used_at": None}
    assert [{"id": TOKEN.id, "owner": "[/x]", "role": "user", **times, "state": "valid"}] == json.loads(listed.stdout)


def test_where_there_is_no_key_the_list_says_so(type_: Type) -> None:
    listed = type_("list")

    assert (0, "", "There are no keys. Make one: python -m ops keys create\n") == (
        listed.exit_code,
        listed.stdout,
        listed.stderr,
    )


def rows(table: str) -> list[tuple[str, ...]]:
    return [tuple(cell.strip() for cell in re.split("[│┃]", line)[1:-1]) for line in table.splitlines()]
