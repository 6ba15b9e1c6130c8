"""What the owners' page lets nobody do, whatever links are called."""

import json
import re

from playwright.sync_api import Browser, expect

from ops.local.openapi import PATH
from tests.browser.owners import Owner, requests_of
from tests.builders import FIREFOX
from tests.deployed import Linkly, eventually

EVIL = "<img src=x onerror=\"document.title='evil'\"><script>document.title='evil'</script>{{7*7}}${7*7}"


def test_titles_tags_and_addresses_are_text_whatever_is_in_them(linkly: Linkly, owner: Owner) -> None:
    link = owner.create(title=EVIL, tags=[EVIL[:20]], url=f"https://example.com/?q={EVIL}")
    code = link["code"]
    answer = linkly.visitor.get(f"/{code}", params={"utm_source": EVIL[:60]}, headers={"User-Agent": FIREFOX})
    assert answer.status_code == 302
    eventually(lambda: owner.api.get(f"/stats/{code}").json()["total"] == 1)

    page = owner.look_at()
    expect(page.locator(".links .title")).to_have_text(EVIL)
    page.locator(".links a.to").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(EVIL)
    expect(page.get_by_role("table", name="Sources")).to_contain_text("<img src=x onerror")
    page.get_by_role("link", name="Edit").click()
    expect(page.get_by_label("Title")).to_have_value(EVIL)

    assert 0 == page.locator("main img, main script").count()
    assert "evil" not in page.title()


def test_what_is_injected_does_not_run(linkly: Linkly, browser: Browser) -> None:
    """In a window of its own: the browser complains of each in the console."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{linkly.url}/ui")
    expect(page.get_by_label("Your API key")).to_be_visible()

    def blocked(script: str) -> bool:
        """Whether it did not do what it would: name the window."""
        append = "const append = (name) => document.body.appendChild(document.createElement(name));"
        page.evaluate(f"async () => {{ delete window.evil; {append} try {{ {script} }} catch {{ }} }}")
        page.wait_for_timeout(50)
        return page.evaluate("window.evil") is None

    attempts = {
        "an inline script": "append('script').append('window.evil = 1');",
        "a script from elsewhere": "append('script').src = 'data:text/javascript,window.evil=1';",
        "markup": "document.body.innerHTML = '<img src=x onerror=\"window.evil = 1\">';",
        "a frame": "append('iframe').srcdoc = '<script>parent.evil = 1</script>';",
        # Out of the reach of the browser's own tools, for which a policy makes an exception.
        "text as code": "await new Promise((done) => setTimeout(() => {"
        "try { window.evil = eval('1'); } catch {} finally { done(); } }));",
        "an attribute": "document.body.setAttribute('onclick', 'window.evil = 1'); document.body.click();",
        "an inline style": "document.body.setAttribute('style', 'color: rgb(1, 2, 3)');"
        "if (getComputedStyle(document.body).color === 'rgb(1, 2, 3)') window.evil = 1;",
        "another site": "await fetch('https://example.com/', { mode: 'no-cors' }); window.evil = 1;",
        "another policy": "window.evil = trustedTypes.createPolicy('mine', { createHTML: (text) => text });",
    }

    assert dict.fromkeys(attempts, True) == {name: blocked(script) for name, script in attempts.items()}
    context.close()


def test_nothing_comes_from_elsewhere_and_of_the_api_only_what_is_described(linkly: Linkly, owner: Owner) -> None:
    code = owner.create()["code"]
    page = owner.look_at()
    asked = requests_of(page)

    for address in ("#/", "#/new", f"#/link/{code}/qr", f"#/link/{code}/edit"):
        page.goto(f"{owner.url}/ui{address}")
        page.reload()
        expect(page.locator("main :is(h1, h2)").first).to_be_attached()

    described = [re.sub(r"\{\w+\}", "[^/]+", path) for path in json.loads(PATH.read_text())["paths"]]
    paths = [url.removeprefix(linkly.url).partition("?")[0] for url in asked]
    assert len(asked) > 20
    assert [] == [path for path in paths if not any(re.fullmatch(each, path) for each in described)]
    assert [] == [url for url in asked if not url.startswith(linkly.url)]
    assert [] == [url for url in asked if owner.key in url]
