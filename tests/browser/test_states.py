"""What the owners' page says when something is in the way, and how it goes on."""

import pytest
from playwright.sync_api import expect

from tests.browser.owners import Owner, answering
from tests.browser.test_links import shows
from tests.deployed import Linkly


@pytest.mark.parametrize("address", ["#/", "#/link/nowhere-1/edit", "#/link/nowhere-1", "#/days"])
def test_a_fault_of_ours_is_told_in_our_words_and_can_be_tried_again(owner: Owner, address: str) -> None:
    page = owner.look_at("#/new")
    for path in ("links?*", "links/*", "stats/*", "analytics/*"):
        answering(page, f"**/{path}", 503)

    page.goto(f"{owner.url}/ui{address}")

    notice = page.locator("main .notice").first
    expect(notice).to_contain_text("The API's own sentence.")
    expect(notice.get_by_role("heading", name="Something went wrong")).to_be_visible()
    expect(notice.get_by_role("button", name="Try again")).to_be_visible()
    page.unroute_all()
    notice.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("The API's own sentence.")).to_have_count(0)


def test_too_many_requests_are_waited_for_as_long_as_the_answer_says(owner: Owner) -> None:
    code = owner.create()["code"]
    page = owner.look_at("#/new")
    answering(page, "**/links?*", 429, Retry_After="2", **{"Retry-After": "2"})

    page.goto(f"{owner.url}/ui#/")
    expect(page.get_by_text("Trying again in 2 s.")).to_be_visible()
    page.unroute_all()

    shows(page, [code])


def test_without_a_connection_what_was_there_stays_and_comes_up_to_date_again(owner: Owner) -> None:
    kept, other = (owner.create(title=title)["code"] for title in ("Kept", "Other"))
    page = owner.look_at()
    shows(page, [other, kept])

    page.context.set_offline(True)
    page.get_by_role("searchbox").fill("kept")
    expect(page.get_by_text("What you see is from before.")).to_be_visible()
    shows(page, [other, kept])
    page.context.set_offline(False)

    shows(page, [kept])
    expect(page.get_by_text("What you see is from before.")).to_have_count(0)


def test_a_links_numbers_stay_without_a_connection_and_grow_after_it(linkly: Linkly, owner: Owner) -> None:
    code = owner.create()["code"]
    page = owner.look_at(f"#/link/{code}")
    expect(page.locator("#clicks")).to_have_text("0")

    page.context.set_offline(True)
    expect(page.get_by_text("What you see is from before.")).to_be_visible()
    expect(page.locator("#clicks")).to_have_text("0")
    linkly.follow(code)
    page.context.set_offline(False)

    expect(page.locator("#clicks")).to_have_text("1")


def test_somebody_elses_link_is_refused_in_the_apis_words(owner: Owner, admin: Owner) -> None:
    code = admin.create()["code"]
    page = owner.look_at(f"#/link/{code}")

    expect(page.get_by_role("heading", name="Not yours to see")).to_be_visible()
    expect(page.get_by_text("This link belongs to somebody else.")).to_be_visible()
    page.get_by_role("link", name="All links").click()
    expect(page.get_by_role("heading", name="Your first link")).to_be_visible()


@pytest.mark.parametrize("part", ["", "/edit"])
def test_a_link_that_is_not_there_or_not_any_more_is_said_to_be(owner: Owner, part: str) -> None:
    code = owner.create()["code"]
    owner.api.delete(f"/links/{code}")

    page = owner.look_at(f"#/link/{code}{part}")
    expect(page.get_by_role("heading", name="Gone")).to_be_visible()
    page.goto(f"{owner.url}/ui#/link/never-there{part}")

    expect(page.get_by_role("heading", name="Not found")).to_be_visible()


def test_an_admins_view_is_refused_to_others(owner: Owner) -> None:
    page = owner.look_at("#/days")

    expect(page.get_by_text("Only an admin's key may ask for this.")).to_be_visible()


def test_an_address_that_is_none_leads_back_to_the_links(owner: Owner) -> None:
    page = owner.look_at("#/no/such/view")

    page.get_by_role("link", name="All links").click()

    expect(page.get_by_role("heading", name="Your first link")).to_be_visible()


def test_a_part_of_the_page_that_cannot_be_loaded_can_be_loaded_again(owner: Owner) -> None:
    page = owner.look_at()
    page.route("**/edit.js", lambda route: route.fulfill(status=404))

    page.get_by_role("link", name="New link").click()
    expect(page.get_by_role("heading", name="This part of the page could not be loaded")).to_be_visible()
    page.unroute_all()
    page.get_by_role("button", name="Load the page again").click()

    expect(page.get_by_label("Leads to", exact=True)).to_be_visible()
