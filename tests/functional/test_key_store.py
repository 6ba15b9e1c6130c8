"""API keys in their table."""

from datetime import timedelta

import pytest

from chalicelib import aws
from chalicelib.access.keys import ApiKey, Role, Token, hash_secret
from chalicelib.access.store import KeyNotFound, find_key, list_keys, put_key, revoke_key
from tests import infrastructure
from tests.builders import NOW, TOKEN, a_key

ANOTHER = Token("B" * 12, "t" * 32)


@pytest.mark.parametrize(
    "key",
    [
        a_key(),
        a_key(owner="root", role=Role.ADMIN),
        a_key(expires_at=NOW + timedelta(days=30)),
        a_key(revoked=True),
    ],
    ids=["user", "admin", "expires", "revoked"],
)
def test_a_key_comes_back_as_it_was_put(key: ApiKey) -> None:
    put_key(key)

    assert key == find_key(key.id)


def test_only_a_hash_of_the_secret_is_stored() -> None:
    put_key(a_key(TOKEN, expires_at=NOW + timedelta(days=1)))

    assert [
        {
            "id": TOKEN.id,
            "hash": hash_secret(TOKEN.secret),
            "owner": "ada",
            "role": "user",
            "created_at": "2026-05-27T10:15:30.123Z",
            "expires_at": "2026-05-28T10:15:30.123Z",
            "revoked": False,
        }
    ] == infrastructure.items("API_KEYS_TABLE")


def test_an_unknown_key_is_not_found() -> None:
    assert find_key(TOKEN.id) is None


def test_an_id_is_given_out_once() -> None:
    put_key(a_key(TOKEN, owner="ada"))

    with pytest.raises(aws.dynamodb().exceptions.ConditionalCheckFailedException):
        put_key(a_key(TOKEN, owner="mallory"))

    assert a_key(TOKEN, owner="ada") == find_key(TOKEN.id)


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
