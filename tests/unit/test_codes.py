"""What may be a code."""

import pytest

from chalicelib.base58 import ALPHABET, random_text
from chalicelib.links.codes import RESERVED, check_code, generate_code, is_code
from chalicelib.problems import InvalidCode


@pytest.mark.parametrize("code", ["abc", "ABC", "123", "a-b", "a_b", "---", "___", "a" * 64])
def test_a_code_has_3_to_64_letters_digits_hyphens_and_underscores(code: str) -> None:
    check_code(code)

    assert is_code(code)


@pytest.mark.parametrize(
    "text", ["", "ab", "a" * 65, "a b", "a.b", "a/b", "a%20", "abc\n", "\nabc", "ümlaut", "абв", "١٢٣", "a\x00b", "a+b"]
)
def test_nothing_else_is_a_code(text: str) -> None:
    with pytest.raises(InvalidCode, match="A code has 3 to 64 of the characters"):
        check_code(text)

    assert not is_code(text)


@pytest.mark.parametrize("code", [*sorted(RESERVED), "Links", "STATS"])
def test_a_reserved_code_is_not_given_to_a_link(code: str) -> None:
    with pytest.raises(InvalidCode, match=f"The code '{code}' is reserved"):
        check_code(code)


def test_first_segments_that_are_promised_are_reserved() -> None:
    assert {
        "links", "stats", "analytics", "health",
        "unlock", "preview", "api", "admin", "app", "login", "tags", "domains", "keys", "static", "ping", "sping",
    } == RESERVED  # fmt: skip


@pytest.mark.parametrize("code", ["link", "mylinks", "statsx", "health-check", "apis"])
def test_a_code_that_only_resembles_a_reserved_one_is_free(code: str) -> None:
    check_code(code)


def test_a_generated_code_is_seven_characters_of_base_58() -> None:
    codes = [generate_code() for _ in range(200)]

    assert {7} == {len(code) for code in codes}
    assert set("".join(codes)) <= set(ALPHABET)
    assert 200 == len(set(codes))


def test_base_58_has_no_characters_that_are_mistaken_for_others() -> None:
    assert 58 == len(set(ALPHABET)) == len(ALPHABET)
    assert set("0OIl").isdisjoint(ALPHABET)


def test_chance_is_an_argument() -> None:
    letters = iter("abc")

    assert "abc" == random_text(3, choice=lambda _: next(letters))
