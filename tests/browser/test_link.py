"""A link on the owners' page: who follows it, and what is done with it."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.owners import Owner, a_code
from tests.builders import FIREFOX, GOOGLEBOT
from tests.deployed import Linkly, eventually


def share(page: Page, heading: str) -> list[str]:
    """The rows of a breakdown."""
    table = page.get_by_role("table", name=heading)
    return [re.sub(r"\s+", " ", row).strip() for row in table.locator("tbody tr").all_inner_texts()]


def follow(linkly: Linkly, code: str, **headers: str) -> None:
    answer = linkly.visitor.get(f"/{code}", headers={name.replace("_", "-"): value for name, value in headers.items()})
    assert answer.status_code == 302


def test_a_link_is_made_in_the_page_and_its_number_grows_when_it_is_followed(linkly: Linkly, owner: Owner) -> None:
    code = a_code()
    page = owner.look_at("#/new")
    page.get_by_label("Leads to", exact=True).fill("example.com/made-in-the-page")
    page.get_by_label("Code").fill(code)
    page.keyboard.press("Enter")
    expect(page.locator("#clicks")).to_have_text("0")

    follow(linkly, code)
    expect(page.locator("#clicks")).to_have_text("1")
    linkly.follow(code, times=2)

    expect(page.locator("#clicks")).to_have_text("3")
    expect(page.locator("#total")).to_have_text("3")


@pytest.fixture
def followed(linkly: Linkly, owner: Owner) -> str:
    """The code of a link that a robot and three people have followed, two of whom came from a page."""
    code: str = owner.create(title="Followed")["code"]
    for _ in range(2):
        follow(
            linkly,
            code,
            user_agent=FIREFOX,
            referer="https://news.ycombinator.com/item",
            cloudfront_viewer_country="DE",
        )
    follow(linkly, f"{code}?utm_source=mail", user_agent=FIREFOX)
    follow(linkly, code, user_agent=GOOGLEBOT)
    eventually(lambda: owner.api.get(f"/stats/{code}").json()["total"] == 4)
    return code


def test_it_says_how_many_people_came_from_where(owner: Owner, followed: str) -> None:
    page = owner.look_at(f"#/link/{followed}?days=7")
    expect(page.locator("#clicks")).to_have_text("4")

    assert ["Clicks 4", "People 3", "Robots 1", "Of all time 4"] == [
        re.sub(r"\s+", " ", each) for each in page.locator(".numbers > div").all_inner_texts()
    ]
    assert ["news.ycombinator.com 66.7 % 2", "Direct, or unknown 33.3 % 1"] == share(page, "Referrers")
    assert ["mail 33.3 % 1", "No source 66.7 % 2"] == share(page, "Sources")
    assert ["Firefox 100.0 % 3"] == share(page, "Browsers")
    assert ["Linux 100.0 % 3"] == share(page, "Systems")
    assert ["Computer 100.0 % 3"] == share(page, "Devices")


def test_days_and_hours_are_drawn_and_told_as_a_table_and_their_choice_outlives_a_reload(
    owner: Owner, followed: str
) -> None:
    page = owner.look_at(f"#/link/{followed}")
    expect(page.locator(".chart rect")).to_have_count(30)

    page.get_by_role("button", name="7 days").click()
    expect(page.locator(".chart rect")).to_have_count(7)
    page.get_by_role("button", name="By hour").click()
    expect(page.locator(".chart rect")).to_have_count(7 * 24)
    page.reload()
    expect(page.locator(".chart rect")).to_have_count(7 * 24)
    page.get_by_text("As a table").click()

    numbers = page.locator(".chart td").all_inner_texts()
    assert 4 == sum(map(int, numbers))
    assert page.url.endswith(f"#/link/{followed}?days=7&by=hour")


def test_a_range_of_ones_own_is_kept_in_the_address(owner: Owner, followed: str) -> None:
    today = datetime.now(UTC).date()
    page = owner.look_at(f"#/link/{followed}")
    expect(page.locator("#clicks")).to_have_text("4")

    page.get_by_label("From").fill((today - timedelta(days=3)).isoformat())
    expect(page.locator(".chart rect")).to_have_count(4)
    page.get_by_label("To").fill((today - timedelta(days=2)).isoformat())

    expect(page.locator("#clicks")).to_have_text("0")
    assert page.url.endswith(f"?from={today - timedelta(days=3)}&to={today - timedelta(days=2)}")


def test_a_range_that_is_too_long_is_answered_in_the_apis_words(owner: Owner, followed: str) -> None:
    page = owner.look_at(f"#/link/{followed}?from=2026-01-01&to=2026-06-30")

    expect(page.get_by_text("The range has 181 days; what is asked for is told of at most 92.")).to_be_visible()
    page.get_by_role("button", name="7 days").click()
    expect(page.locator("#clicks")).to_have_text("4")


def test_the_numbers_are_saved_as_csv(owner: Owner, followed: str, tmp_path: Path) -> None:
    page = owner.look_at(f"#/link/{followed}?days=7")
    expect(page.locator("#clicks")).to_have_text("4")

    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    download.value.save_as(tmp_path / "file.csv")

    lines = (tmp_path / "file.csv").read_text().splitlines()
    assert ["dimension,value,clicks", "total,,4", "people,,3", "bots,,1"] == lines[:4]
    assert re.fullmatch(rf"{followed}-\d{{4}}-\d\d-\d\d-\d{{4}}-\d\d-\d\d\.csv", download.value.suggested_filename)


def test_a_qr_code_is_shown_at_an_address_of_its_own_and_saved(owner: Owner, tmp_path: Path) -> None:
    code = owner.create()["code"]
    page = owner.look_at(f"#/link/{code}/qr")
    image = page.get_by_role("img", name="QR code of")
    expect(image).to_be_visible()
    assert image.evaluate("image => image.decode().then(() => image.naturalWidth > 0)")

    with page.expect_download() as download:
        page.get_by_role("link", name="Save as SVG").click()
    download.value.save_as(tmp_path / "code.svg")
    page.keyboard.press("Escape")

    assert (tmp_path / "code.svg").read_text() == owner.api.get(f"/links/{code}/qr.svg").text
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("link", name="QR code")).to_be_focused()


def test_a_link_is_paused_and_resumed(linkly: Linkly, owner: Owner) -> None:
    code = owner.create()["code"]
    page = owner.look_at(f"#/link/{code}")

    page.get_by_role("button", name="Pause").click()
    expect(page.locator(".short .badge")).to_have_text("Paused")
    eventually(lambda: linkly.visitor.get(f"/{code}").status_code == 404)
    page.get_by_role("button", name="Resume").click()

    expect(page.locator(".short .badge")).to_have_text("Active")
    eventually(lambda: linkly.visitor.get(f"/{code}").status_code == 302)


def test_a_link_is_deleted_only_when_its_code_was_typed(owner: Owner) -> None:
    code = owner.create()["code"]
    page = owner.look_at("#/")
    page.locator(".links a.to").click()
    page.get_by_role("link", name="Delete").click()

    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_role("alert")).to_have_text(f"Type {code} to delete it.")
    page.get_by_role("textbox", name=f"Type {code} to go on").fill(code)
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="Your first link")).to_be_visible()
    assert 410 == owner.api.get(f"/links/{code}").status_code


def test_a_link_with_a_limit_says_how_much_of_it_is_used(linkly: Linkly, owner: Owner) -> None:
    code = owner.create(max_clicks=5)["code"]
    follow(linkly, code, user_agent=FIREFOX)

    page = owner.look_at(f"#/link/{code}")

    expect(page.locator(".facts")).to_contain_text("1 of 5 clicks used")
