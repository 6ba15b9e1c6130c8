"""Signing in at the owners' page, and being signed out."""

import pytest
from playwright.sync_api import expect

from chalicelib.access import store
from chalicelib.access.keys import Role, parse_token
from ops.data.keys import make_key
from tests.browser.conftest import Visit
from tests.browser.owners import Owner
from tests.deployed import Linkly


def test_a_key_opens_the_view_that_was_asked_for_and_stays_out_of_the_address(owner: Owner, visit: Visit) -> None:
    code = owner.create(title="Mine")["code"]
    page = visit(f"{owner.url}/ui#/link/{code}")

    page.get_by_label("Your API key").fill(f" {owner.key}\n")
    page.get_by_role("button", name="Sign in").click()

    expect(page.get_by_role("heading", name="Mine", level=1)).to_be_visible()
    assert f"{owner.url}/ui#/link/{code}" == page.url


def test_reloading_keeps_one_signed_in_and_another_tab_does_not_know_the_key(owner: Owner) -> None:
    page = owner.look_at()

    page.reload()
    expect(page.get_by_role("heading", name="Your first link")).to_be_visible()
    other = page.context.new_page()
    other.goto(page.url)

    expect(other.get_by_label("Your API key")).to_be_visible()


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        ("", "That is no key. One looks like lk_<id>_<secret>."),
        ("secret", "That is no key. One looks like lk_<id>_<secret>."),
        (
            f"lk_{'a' * 12}_{'b' * 32}",
            "This key is not valid: it is unknown, expired or revoked. Ask the operator for another.",
        ),
    ],
)
def test_what_is_no_key_or_no_good_one_is_told_apart(linkly: Linkly, visit: Visit, key: str, sentence: str) -> None:
    page = visit(f"{linkly.url}/ui")

    page.get_by_label("Your API key").fill(key)
    page.keyboard.press("Enter")

    expect(page.get_by_label("Your API key")).to_have_accessible_description(sentence)
    assert page.evaluate("sessionStorage.length") == 0


def test_whoever_is_signed_out_learns_why_and_comes_back_to_the_same_view(owner: Owner) -> None:
    code = owner.create(title="Mine")["code"]
    page = owner.look_at(f"#/link/{code}/edit")
    expect(page.get_by_label("Title")).to_have_value("Mine")
    token = parse_token(owner.key)
    assert token
    store.revoke_key(token.id)

    page.get_by_label("Title").fill("Changed")
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_text("This key is not valid: it is unknown, expired or revoked.")).to_be_visible()
    page.get_by_label("Your API key").fill(str(make_key(owner.name, Role.USER)))
    page.keyboard.press("Enter")
    expect(page.get_by_label("Title")).to_have_value("Changed")


def test_signing_out_forgets_the_key_and_what_was_typed(owner: Owner) -> None:
    page = owner.look_at("#/new")
    page.get_by_label("Title").fill("Half done")

    page.get_by_role("button", name="Sign out").click()

    expect(page.get_by_label("Your API key")).to_be_visible()
    assert 0 == page.evaluate("sessionStorage.length")


def test_the_page_is_there_with_a_slash_at_its_end_too(owner: Owner, visit: Visit) -> None:
    page = visit(f"{owner.url}/ui/")

    page.get_by_label("Your API key").fill(owner.key)
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="Your first link")).to_be_visible()
