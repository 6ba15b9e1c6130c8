"""What an API key is, and when it lets its caller in."""

from datetime import timedelta

import pytest

from chalicelib.access.callers import Caller
from chalicelib.access.keys import Role, hash_secret, new_token, parse_token
from chalicelib.base58 import ALPHABET
from chalicelib.problems import NotYourLink
from tests.builders import NOW, TOKEN, a_key


def test_a_token_reads_as_it_was_written() -> None:
    assert TOKEN == parse_token(str(TOKEN))
    assert f"lk_{'A' * 12}_{'s' * 32}" == str(TOKEN)


def test_new_tokens_can_be_parsed_and_differ() -> None:
    tokens = [new_token() for _ in range(50)]

    assert tokens == [parse_token(str(token)) for token in tokens]
    assert 50 == len({token.id for token in tokens}) == len({token.secret for token in tokens})
    assert set("".join(token.id + token.secret for token in tokens)) <= set(ALPHABET)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "lk_",
        f"{TOKEN}\n",
        f" {TOKEN}",
        f"{TOKEN}s",
        str(TOKEN)[:-1],
        str(TOKEN).upper(),
        str(TOKEN).replace("lk_", "sk_"),
        str(TOKEN).replace("A", "0"),
        str(TOKEN).replace("s", "ſ"),  # noqa: RUF001 (a long s)
        f"lk_{'A' * 12}{'s' * 32}",
    ],
)
def test_what_only_resembles_a_token_is_none(text: str) -> None:
    assert parse_token(text) is None


def test_a_secret_is_stored_as_its_sha_256() -> None:
    # From FIPS 180-2, appendix B.1.
    assert "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" == hash_secret("abc")


def test_a_key_admits_its_own_secret_only() -> None:
    key = a_key(TOKEN)

    assert key.admits(TOKEN.secret, NOW)
    assert not key.admits(TOKEN.secret + "x", NOW)
    assert not key.admits("", NOW)
    assert not key.admits(key.hash, NOW)


@pytest.mark.parametrize(
    ("left", "admitted"),
    [(timedelta(microseconds=1), True), (timedelta(0), False), (timedelta(days=-1), False)],
)
def test_a_key_admits_until_it_expires(left: timedelta, *, admitted: bool) -> None:
    assert admitted is a_key(expires_at=NOW + left).admits(TOKEN.secret, NOW)


def test_a_revoked_key_admits_nobody() -> None:
    assert not a_key(revoked=True, expires_at=NOW + timedelta(days=1)).admits(TOKEN.secret, NOW)


@pytest.mark.parametrize(
    ("caller", "may"),
    [
        (Caller("ada", Role.USER), True),
        (Caller("bob", Role.USER), False),
        (Caller("Ada", Role.USER), False),
        (Caller("bob", Role.ADMIN), True),
    ],
)
def test_a_link_is_seen_by_its_owner_and_by_admins(caller: Caller, *, may: bool) -> None:
    try:
        caller.require_may_see("ada")
        seen = True
    except NotYourLink:
        seen = False

    assert may is seen
