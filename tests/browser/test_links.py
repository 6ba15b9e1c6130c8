"""The list of links on the owners' page."""

from collections.abc import Sequence

import pytest
from playwright.sync_api import Page, expect

from tests.browser.owners import Owner, a_code
from tests.deployed import Linkly, eventually


def codes(page: Page) -> list[str]:
    return page.locator(".links a.to").all_inner_texts()


def shows(page: Page, expected: Sequence[str]) -> None:
    expect(page.locator(".links a.to")).to_have_text([*expected])


@pytest.fixture
def three(owner: Owner) -> list[str]:
    """The codes of an owner's three links, newest first."""
    names = [a_code() for _ in range(3)]
    owner.create(code=names[2], title="Spring sale", tags=["shop"])
    owner.create(code=names[1], url="https://example.org/menu", enabled=False)
    owner.create(code=names[0], tags=["shop", "print"])
    return names


def test_links_are_listed_newest_first_with_where_they_lead_and_their_clicks(
    linkly: Linkly, owner: Owner, three: list[str]
) -> None:
    linkly.follow(three[2], times=3)
    eventually(lambda: owner.api.get(f"/stats/{three[2]}").json()["total"] == 3)

    page = owner.look_at()

    shows(page, three)
    expect(page.locator(".links .target")).to_have_text(
        ["example.com/target", "example.org/menu", "example.com/target"]
    )
    expect(page.locator(".links .number")).to_have_text(["0", "0", "3"])


def test_a_search_narrows_the_list_as_one_types_and_stays_over_a_reload(owner: Owner, three: list[str]) -> None:
    page = owner.look_at()
    shows(page, three)

    page.keyboard.press("/")
    page.keyboard.type("SPRING")

    shows(page, three[2:])
    assert page.url.endswith("#/?q=SPRING")
    page.reload()
    shows(page, three[2:])
    expect(page.get_by_role("searchbox")).to_have_value("SPRING")


def test_tags_and_states_filter_and_back_undoes_it(owner: Owner, three: list[str]) -> None:
    page = owner.look_at()
    shows(page, three)

    page.get_by_role("button", name="shop").first.click()
    shows(page, [three[0], three[2]])
    page.go_back()
    shows(page, three)
    page.get_by_label("State").select_option("Paused")

    shows(page, three[1:2])
    expect(page.locator(".links .badge")).to_have_text("Paused")


def test_where_nothing_matches_one_is_told_and_led_back(owner: Owner, three: list[str]) -> None:
    page = owner.look_at("#/?q=nothing-like-it")

    expect(page.get_by_role("heading", name="No link matches")).to_be_visible()
    page.get_by_role("link", name="Show all").click()
    shows(page, three)


def test_who_has_no_links_is_offered_a_first_one(owner: Owner) -> None:
    page = owner.look_at()

    page.get_by_label("Where it leads").fill("https://example.com/first")
    page.get_by_role("button", name="Shorten").click()

    expect(page.get_by_label("Leads to", exact=True)).to_have_value("https://example.com/first")


def test_more_links_come_as_one_scrolls_and_back_leads_to_where_one_was(owner: Owner) -> None:
    owner.create_many(70)
    page = owner.look_at(viewport={"width": 1280, "height": 700})
    expect(page.locator(".links a.to")).to_have_count(50)

    page.locator(".links a.to").last.scroll_into_view_if_needed()
    expect(page.locator(".links a.to")).to_have_count(70)
    last = page.locator(".links a.to").last
    last.scroll_into_view_if_needed()
    place = page.evaluate("scrollY")
    last.click()
    expect(page.get_by_role("link", name="← Links")).to_be_visible()
    page.go_back()

    expect(page.locator(".links a.to")).to_have_count(70)
    assert place == page.evaluate("scrollY") > 1000


def test_an_address_that_is_pasted_anywhere_opens_the_form_with_it(owner: Owner) -> None:
    page = owner.look_at()
    expect(page.get_by_role("heading", name="Your first link")).to_be_visible()

    page.evaluate(
        """() => {
            const clipboardData = new DataTransfer();
            clipboardData.setData("text", " https://example.com/pasted?a=b ");
            document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }));
        }"""
    )

    expect(page.get_by_label("Leads to", exact=True)).to_have_value("https://example.com/pasted?a=b")


def test_a_link_is_copied_and_that_is_said(owner: Owner) -> None:
    link = owner.create()
    page = owner.look_at(permissions=["clipboard-read", "clipboard-write"])

    page.get_by_role("button", name="Copy").click()

    expect(page.get_by_role("status")).to_contain_text("Copied")
    assert link["short_url"] == page.evaluate("navigator.clipboard.readText()")


def test_an_admin_lists_anybodys_links_and_nobody_else_is_offered_that(owner: Owner, admin: Owner) -> None:
    code = owner.create()["code"]
    page = admin.look_at()
    expect(page.get_by_label("Owner")).to_be_visible()

    page.get_by_label("Owner").fill(owner.name)

    shows(page, [code])
    page.locator(".links a.to").click()
    expect(page.locator(".facts")).to_contain_text(f"by {owner.name}")
    others = owner.look_at()
    shows(others, [code])
    expect(others.get_by_label("Owner")).to_have_count(0)


def test_an_admin_sees_how_many_links_were_made_each_day(admin: Owner) -> None:
    admin.create()
    eventually(lambda: sum(day["links"] for day in admin.api.get("/analytics/links").json()["by_day"]) > 0)
    page = admin.look_at()

    page.get_by_role("link", name="Days", exact=True).click()

    total = sum(day["links"] for day in admin.api.get("/analytics/links").json()["by_day"])
    expect(page.locator(".numbers .main dd")).to_have_text(f"{total:,}")
    assert page.url.endswith("#/days")
