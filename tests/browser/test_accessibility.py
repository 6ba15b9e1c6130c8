"""The owners' page for whoever uses no mouse, needs contrast, or hears it; axe's rules find nothing in any screen."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import findings
from tests.browser.owners import Owner, answering
from tests.builders import FIREFOX
from tests.deployed import Linkly, eventually

LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": {"width": 1280, "height": 900}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1280, "height": 900}},
    "small": {"color_scheme": "light", "viewport": {"width": 375, "height": 780}},
    "small and dark": {"color_scheme": "dark", "viewport": {"width": 375, "height": 780}},
}


@pytest.fixture(scope="session")
def followed(linkly: Linkly) -> str:
    """A link of alice's with something of everything."""
    code: str = linkly.alice.post(
        "/links",
        json={
            "url": "https://example.com/a?b=c", "title": "Everything", "tags": ["one", "two"], "max_clicks": 100,
            "starts_at": "2026-01-01T00:00:00Z", "expires_at": "2036-01-01T00:00:00Z", "password": "secret",
            "expired_url": "https://example.com/over",
        },
    ).json()["code"]  # fmt: skip
    plain = linkly.create()
    assert linkly.visitor.get(f"/{plain}", headers={"User-Agent": FIREFOX}).status_code == 302
    linkly.alice.post("/links", json={"url": "https://example.com/", "enabled": False, "tags": ["three"]})
    eventually(lambda: linkly.total(plain) == 1)
    return f"{code} {plain}"


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing_in_any_screen(  # noqa: PLR0915 (as many as there are screens)
    linkly: Linkly, admin: Owner, followed: str, look: str
) -> None:
    everything, plain = followed.split()
    page = admin.look_at(**LOOKS[look])
    found = {}

    def see(name: str, address: str, ready: str) -> None:
        page.goto(f"{linkly.url}/ui{address}")
        expect(page.locator(ready).first).to_be_visible()
        expect(page.locator("h1").first).to_be_visible()
        found[name] = findings(page)

    see("no links", "#/", ".notice")
    see("links", "#/?owner=alice", ".links .badge")
    see("no match", "#/?owner=alice&q=nothing-like-it", ".notice")
    see("a link", f"#/link/{plain}", ".shares td")
    page.get_by_text("As a table").click()
    found["as a table"] = findings(page)
    see("everything", f"#/link/{everything}", ".chart")
    see("by hour", f"#/link/{plain}?days=7&by=hour", ".chart rect.unfinished")
    see("QR code", f"#/link/{plain}/qr", "dialog img")
    see("deletion", f"#/link/{plain}/delete", "dialog form")
    page.get_by_role("button", name="Delete for good").click()
    expect(page.locator("dialog .problem")).to_be_visible()
    found["deletion refused"] = findings(page)
    see("new", "#/new", "form.edit")
    page.get_by_role("button", name="Create link").click()
    expect(page.locator(".problem")).to_be_visible()
    found["refused"] = findings(page)
    see("edit", f"#/link/{everything}/edit", "form.edit")
    page.get_by_label("Title").fill("Mine")
    linkly.alice.patch(f"/links/{everything}", json={"title": f"Theirs, {look}"}).raise_for_status()
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".versions")).to_be_visible()
    found["two versions"] = findings(page)
    see("days", "#/days", ".chart")
    see("not found", "#/link/never-there", ".notice")
    see("nowhere", "#/no/such/view", ".notice")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    found["keys"] = findings(page)
    page.keyboard.press("Escape")
    answering(page, "**/links?*", 500)
    see("a fault", "#/?q=x", ".notice")
    page.unroute_all()
    page.context.set_offline(True)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".banner")).to_be_visible()
    found["offline"] = findings(page)
    page.context.set_offline(False)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Your API key")).to_be_visible()
    found["sign in"] = findings(page)
    page.keyboard.press("Enter")
    expect(page.locator(".problem")).to_be_visible()
    found["sign in refused"] = findings(page)

    assert {name: [] for name in found} == found


def test_nothing_is_wider_than_a_small_screen(linkly: Linkly, owner: Owner) -> None:
    owner.create(
        title="W" * 200, url=f"https://example.com/{'w' * 500}", code=f"{'c' * 40}-{owner.name[-12:]}", tags=["t" * 50]
    )
    code = owner.api.get("/links").json()["items"][0]["code"]
    page = owner.look_at(viewport={"width": 375, "height": 780})

    wide = []
    for address in ("#/", f"#/link/{code}", f"#/link/{code}/edit", "#/new", f"#/link/{code}/delete"):
        page.goto(f"{linkly.url}/ui{address}")
        expect(page.locator("main :is(.link .number, .chart, form)").first).to_be_visible()
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wide.append(address)

    assert [] == wide


def tab_to(page: Page, name: str) -> None:
    """Press Tab until what is called so has the focus, which must be seen."""
    for _ in range(60):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            """() => {
                const at = document.activeElement;
                const name = at.labels?.[0]?.innerText ?? at.getAttribute("aria-label") ?? at.innerText ?? "";
                return [name.trim(), getComputedStyle(at).outlineStyle];
            }"""
        )
        if focused[0] == name:
            assert focused[1] != "none"
            return
    raise AssertionError(f"{name} cannot be reached")


def test_from_signing_in_to_a_saved_change_a_keyboard_is_enough(owner: Owner, linkly: Linkly) -> None:
    first, second = (owner.create(title=title)["code"] for title in ("First", "Second"))
    page = owner._visit(f"{linkly.url}/ui")  # noqa: SLF001 (nobody is signed in yet)
    expect(page.get_by_label("Your API key")).to_be_focused()
    press, kind = page.keyboard.press, page.keyboard.type

    kind(owner.key)
    press("Enter")
    expect(page.locator(".links a.to")).to_have_text([second, first])
    press("j")
    press("j")
    press("k")
    press("j")
    expect(page.get_by_role("link", name=first, exact=True)).to_be_focused()
    press("Enter")
    expect(page.get_by_role("heading", name="First", level=1)).to_be_focused()
    tab_to(page, "Edit")
    press("Enter")
    expect(page.get_by_label("Leads to", exact=True)).to_be_focused()
    tab_to(page, "Title")
    press("Control+A")
    kind("Typed")
    tab_to(page, "Times, limits and more")
    press("Enter")
    tab_to(page, "Clicks at most")
    kind("12")
    tab_to(page, "Save")
    press("Enter")

    expect(page.get_by_role("heading", name="Typed", level=1)).to_be_visible()
    expect(page.get_by_role("status")).to_have_text("Saved")
    link = owner.api.get(f"/links/{first}").json()
    assert ("Typed", 12) == (link["title"], link["max_clicks"])


def test_c_creates_esc_goes_back_and_keys_are_letters_where_one_types(owner: Owner) -> None:
    page = owner.look_at()
    expect(page.get_by_role("heading", name="Your first link")).to_be_visible()

    page.keyboard.press("c")
    expect(page.get_by_label("Leads to", exact=True)).to_be_focused()
    page.keyboard.type("c/?jk")
    expect(page.get_by_label("Leads to", exact=True)).to_have_value("c/?jk")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")

    expect(page.get_by_role("heading", name="Your first link")).to_be_visible()


def test_whoever_wants_no_motion_gets_none(owner: Owner) -> None:
    code = owner.create()["code"]
    page = owner.look_at(f"#/link/{code}", reduced_motion="reduce")
    expect(page.locator(".live")).to_be_visible()

    assert 0 == page.evaluate("document.getAnimations().length")
