"""API keys in their table."""

from datetime import datetime, timedelta

import pytest

from chalicelib import aws
from chalicelib.access.keys import ApiKey, Role, Token, hash_secret
from chalicelib.access.store import (
    KeyNotFound,
    KeyNotReplaced,
    find_key,
    list_keys,
    note_use,
    put_key,
    replace_key,
    revoke_key,
)
from tests import infrastructure
from tests.builders import NOW, TOKEN, a_key
from tests.faults import Faults, lost_once

ANOTHER = Token("B" * 12, "t" * 32)


@pytest.mark.parametrize(
    "key",
    [
        a_key(),
        a_key(owner="root", role=Role.ADMIN),
        a_key(expires_at=NOW + timedelta(days=30)),
        a_key(revoked=True),
        a_key(replaced_by=ANOTHER.id),
        a_key(last_used_at=NOW),
    ],
    ids=["user", "admin", "expires", "revoked", "replaced", "used"],
)
def test_a_key_comes_back_as_it_was_put(key: ApiKey) -> None:
    put_key(key)

    assert key == find_key(key.id)


def test_only_a_hash_of_the_secret_is_stored() -> None:
    put_key(a_key(TOKEN, expires_at=NOW + timedelta(days=1)))

    [item] = infrastructure.items("API_KEYS_TABLE")
    assert {
        "id": TOKEN.id,
        "hash": hash_secret(TOKEN.secret),
        "owner": "ada",
        "role": "user",
        "created_at": "2026-05-27T10:15:30.123Z",
        "expires_at": "2026-05-28T10:15:30.123Z",
        "revoked": False,
        "write_id": item["write_id"],
    } == item


def test_an_unknown_key_is_not_found() -> None:
    assert find_key(TOKEN.id) is None


def test_an_id_is_given_out_once() -> None:
    put_key(a_key(TOKEN, owner="ada"))

    with pytest.raises(aws.dynamodb().exceptions.ConditionalCheckFailedException):
        put_key(a_key(TOKEN, owner="mallory"))

    assert a_key(TOKEN, owner="ada") == find_key(TOKEN.id)


def test_a_key_whose_answer_was_lost_once_is_not_taken_for_somebody_elses(faults: Faults) -> None:
    faults.plan(lost_once(), operation="PutItem")

    put_key(a_key(TOKEN))

    assert a_key(TOKEN) == find_key(TOKEN.id)


def test_all_keys_are_listed() -> None:
    put_key(a_key(TOKEN))
    put_key(a_key(ANOTHER, revoked=True))

    assert [a_key(TOKEN), a_key(ANOTHER, revoked=True)] == sorted(list_keys(), key=lambda key: key.id)


@pytest.mark.usefixtures("one_item_a_page")
def test_keys_are_listed_to_the_last_page() -> None:
    put_key(a_key(TOKEN))
    put_key(a_key(ANOTHER))

    assert {TOKEN.id, ANOTHER.id} == {key.id for key in list_keys()}


def test_a_revoked_key_keeps_all_else() -> None:
    put_key(a_key(TOKEN))
    put_key(a_key(ANOTHER))

    revoke_key(TOKEN.id)

    assert a_key(TOKEN, revoked=True) == find_key(TOKEN.id)
    assert a_key(ANOTHER) == find_key(ANOTHER.id)


def test_revoking_twice_is_revoking_once() -> None:
    put_key(a_key(TOKEN))
    revoke_key(TOKEN.id)

    revoke_key(TOKEN.id)

    assert a_key(TOKEN, revoked=True) == find_key(TOKEN.id)


def test_a_key_that_does_not_exist_cannot_be_revoked() -> None:
    with pytest.raises(KeyNotFound):
        revoke_key(TOKEN.id)

    assert [] == list(list_keys())


SOON, LATER = NOW + timedelta(hours=1), NOW + timedelta(hours=2)


@pytest.mark.parametrize("before", [None, SOON, LATER], ids=["never", "then", "later"])
def test_a_key_that_is_replaced_expires_then(before: datetime | None) -> None:
    put_key(a_key(TOKEN, expires_at=before))

    replace_key(TOKEN.id, ANOTHER.id, SOON)

    assert a_key(TOKEN, expires_at=SOON, replaced_by=ANOTHER.id) == find_key(TOKEN.id)


def test_a_key_that_is_replaced_at_once_is_revoked() -> None:
    put_key(a_key(TOKEN, expires_at=SOON))

    replace_key(TOKEN.id, ANOTHER.id, None)

    assert a_key(TOKEN, expires_at=SOON, revoked=True, replaced_by=ANOTHER.id) == find_key(TOKEN.id)


@pytest.mark.parametrize("end", [None, SOON], ids=["at once", "soon"])
def test_a_replacement_whose_answer_was_lost_once_is_made(faults: Faults, end: datetime | None) -> None:
    put_key(a_key(TOKEN))
    faults.plan(lost_once(), operation="UpdateItem")

    replace_key(TOKEN.id, ANOTHER.id, end)

    key = find_key(TOKEN.id)
    assert key
    assert (ANOTHER.id, end, end is None) == (key.replaced_by, key.expires_at, key.revoked)


@pytest.mark.parametrize(
    ("key", "end"),
    [
        (a_key(TOKEN, revoked=True), None),
        (a_key(TOKEN, revoked=True), LATER),
        (a_key(TOKEN, replaced_by="C" * 12), None),
        (a_key(TOKEN, replaced_by="C" * 12), LATER),
        (a_key(TOKEN, expires_at=SOON), LATER),
    ],
    ids=["revoked", "revoked, later", "replaced", "replaced, later", "ends sooner"],
)
def test_a_key_whose_end_is_decided_keeps_it(key: ApiKey, end: datetime | None) -> None:
    put_key(key)

    with pytest.raises(KeyNotReplaced):
        replace_key(TOKEN.id, ANOTHER.id, end)

    assert key == find_key(TOKEN.id)


def test_what_happens_to_a_key_that_does_not_exist_makes_none() -> None:
    with pytest.raises(KeyNotReplaced):
        replace_key(TOKEN.id, ANOTHER.id, SOON)
    note_use(TOKEN.id, NOW)

    assert [] == list(list_keys())
