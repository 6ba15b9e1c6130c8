"""Making and changing links on the owners' page."""

from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.owners import Owner, a_code

SHOWN = ("url", "title", "tags", "enabled", "starts_at", "expires_at", "expired_url", "max_clicks", "forward_query")


def values(link: dict[str, Any]) -> dict[str, Any]:
    return {name: link[name] for name in (*SHOWN, "has_password")}


def more(page: Page) -> None:
    page.get_by_text("Times, limits and more").click()


def test_every_field_of_a_link_can_be_given(owner: Owner) -> None:
    code = a_code()
    page = owner.look_at("#/new")
    page.get_by_label("Leads to", exact=True).fill("https://example.com/spring")
    page.get_by_label("Code").fill(code)
    page.get_by_label("Title").fill("Spring")
    page.get_by_label("Tags").fill("Sale, print,")
    more(page)
    page.get_by_label("Paused").check()
    page.get_by_label("Starts").fill("2026-01-01T08:00")
    page.get_by_label("Expires").fill("2036-01-31T20:30")
    page.get_by_label("Afterwards leads to").fill("https://example.com/over")
    page.get_by_label("Clicks at most").fill("500")
    page.get_by_label("Password").fill("secret")
    page.get_by_label("Pass on the query").check()

    page.get_by_role("button", name="Create link").click()

    expect(page.get_by_role("heading", name="Spring", level=1)).to_be_visible()
    assert {
        "url": "https://example.com/spring",
        "title": "Spring",
        "tags": ["sale", "print"],
        "enabled": False,
        "starts_at": "2026-01-01T08:00:00.000Z",
        "expires_at": "2036-01-31T20:30:00.000Z",
        "expired_url": "https://example.com/over",
        "max_clicks": 500,
        "forward_query": True,
        "has_password": True,
    } == values(owner.api.get(f"/links/{code}").json())


def test_every_field_can_be_taken_away_again(owner: Owner) -> None:
    code = owner.create(
        title="Spring",
        tags=["sale"],
        enabled=False,
        starts_at="2026-01-01T08:00:00Z",
        expires_at="2036-01-31T20:30:00Z",
        expired_url="https://example.com/over",
        max_clicks=500,
        forward_query=True,
        password="secret",
    )["code"]
    page = owner.look_at(f"#/link/{code}/edit")
    for name in ("Title", "Tags", "Starts", "Expires", "Afterwards leads to", "Clicks at most"):
        page.get_by_label(name, exact=True).fill("")
    for name in ("Paused", "Pass on the query"):
        page.get_by_label(name).uncheck()
    page.get_by_label("Ask for no password any more").check()

    page.get_by_role("button", name="Save").click()

    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    nothing: dict[str, Any] = {
        **dict.fromkeys(SHOWN),
        "tags": [],
        "enabled": True,
        "forward_query": False,
        "has_password": False,
    }
    assert {**nothing, "url": "https://example.com/target"} == values(owner.api.get(f"/links/{code}").json())


def test_what_is_not_changed_stays_to_the_millisecond_and_the_password_too(owner: Owner) -> None:
    link = owner.create(expires_at="2036-01-31T20:30:15.123Z", password="secret", max_clicks=3)
    page = owner.look_at(f"#/link/{link['code']}/edit")

    page.get_by_label("Title").fill("Only this")
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_role("heading", name="Only this")).to_be_visible()
    assert {**values(link), "title": "Only this"} == values(owner.api.get(f"/links/{link['code']}").json())


TAKEN = "taken-by-somebody"

REFUSED = {
    "Leads to": ("", "The url is empty. Give the address to redirect to."),
    "Code": ("a b", "A code has 3 to 64 of the characters A-Z, a-z, 0-9, '_' and '-'."),
    "Title": ("x" * 201, "The body does not fit: Expected `str` of length <= 200 - at `$.title`."),
    "Tags": ("y" * 51, "The body does not fit: Expected `str` of length <= 50 - at `$.tags[0]`."),
    "Expires": (
        "2025-12-31T00:00",
        "A link starts before it expires: 'starts_at' must be earlier than 'expires_at'.",
    ),
    "Afterwards leads to": (
        "javascript:alert(1)",
        "expired_url: The url's scheme is 'javascript:'. Only http: and https: are redirected to.",
    ),
    "Clicks at most": ("many", "The body does not fit: Expected `int | null`, got `str` - at `$.max_clicks`."),
}


@pytest.mark.parametrize("field", REFUSED)
def test_the_apis_sentence_stands_beside_the_field_that_it_means(owner: Owner, field: str) -> None:
    value, sentence = REFUSED[field]
    page = owner.look_at("#/new")
    page.get_by_label("Leads to", exact=True).fill("https://example.com/")
    more(page)
    page.get_by_label("Starts").fill("2026-01-01T00:00")
    about = page.get_by_label(field, exact=True)
    about.fill(value)

    page.get_by_role("button", name="Create link").click()

    expect(about).to_have_attribute("aria-invalid", "true")
    expect(about).to_be_focused()
    assert sentence in page.locator(".problem").all_inner_texts()
    expect(page.locator("[aria-invalid=true]")).to_have_count(1)


def test_a_code_that_is_taken_is_said_beside_it_and_another_one_does(owner: Owner) -> None:
    taken, free = owner.create()["code"], a_code()
    page = owner.look_at("#/new?url=https://example.com/")
    page.get_by_label("Code").fill(taken)
    page.get_by_role("button", name="Create link").click()
    expect(page.locator("#code-problem")).to_have_text(
        f"The code '{taken}' is taken. Choose another one, or leave it out to be given one."
    )

    page.get_by_label("Code").fill(free)
    expect(page.locator("#code-problem")).to_have_count(0)
    page.keyboard.press("Enter")

    expect(page.locator("#clicks")).to_have_text("0")
    assert page.url.endswith(f"#/link/{free}")


def test_a_link_whose_answer_was_lost_is_made_once(owner: Owner) -> None:
    page = owner.look_at("#/new?url=https://example.com/")

    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route("**/links", lose, times=1)
    page.get_by_role("button", name="Create link").click()
    expect(page.get_by_role("heading", name="No connection")).to_be_visible()

    page.locator("form .notice").get_by_role("button", name="Try again").click()

    expect(page.locator("#clicks")).to_have_text("0")
    assert 1 == len(owner.api.get("/links").json()["items"])


@pytest.fixture
def crossed(owner: Owner) -> tuple[Page, str]:
    """A form whose link somebody else has changed meanwhile, when it was to be saved."""
    code: str = owner.create(title="Before", tags=["old"])["code"]
    page = owner.look_at(f"#/link/{code}/edit")
    page.get_by_label("Title").fill("Mine")
    owner.api.patch(f"/links/{code}", json={"title": "Theirs", "tags": ["new"]}).raise_for_status()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="It has been changed meanwhile")).to_be_focused()
    return page, code


def test_after_a_change_by_somebody_else_both_versions_stand_side_by_side(crossed: tuple[Page, str]) -> None:
    page, _ = crossed

    rows = [row.split("\t") for row in page.locator(".versions tbody tr").all_inner_texts()]

    assert [["Title", "Mine", "Theirs"], ["Tags", "old", "new"]] == rows


def test_saving_ones_own_version_changes_only_what_one_has_changed(owner: Owner, crossed: tuple[Page, str]) -> None:
    page, code = crossed

    page.get_by_role("button", name="Save mine over it").click()

    expect(page.get_by_role("heading", name="Mine", level=1)).to_be_visible()
    link = owner.api.get(f"/links/{code}").json()
    assert ("Mine", ["new"], 3) == (link["title"], link["tags"], link["version"])


def test_taking_theirs_leads_back_to_the_form_with_it(crossed: tuple[Page, str]) -> None:
    page, _ = crossed

    page.get_by_role("button", name="Take theirs").click()

    expect(page.get_by_label("Title")).to_have_value("Theirs")


def test_what_was_typed_outlives_a_reload_but_for_the_password(owner: Owner) -> None:
    page = owner.look_at("#/new")
    page.get_by_label("Title").fill("Half done")
    more(page)
    page.get_by_label("Password").fill("secret")

    page.reload()

    expect(page.get_by_label("Title")).to_have_value("Half done")
    expect(page.locator("#password")).to_have_value("")
    assert "secret" not in page.evaluate("JSON.stringify(sessionStorage)")
