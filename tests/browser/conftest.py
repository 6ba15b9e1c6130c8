"""A real Chromium, which looks at the app deployed to an emulated AWS."""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from chalicelib.access.keys import Role
from tests.deployed import Linkly
from tests.stack import aws_endpoint, deployment, linkly

if TYPE_CHECKING:
    from tests.browser.owners import Owner

__all__ = ["aws_endpoint", "deployment", "linkly"]

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
NO_BROWSER = (
    "No Chromium was found, so nothing was looked at in a browser. Install one (Debian: apt-get install chromium), or "
    "say in BROWSER_PATH where it is."
)

MOST_WAITED = 30_000
"""Milliseconds. What is waited for comes within one of these seconds, unless the machine has much else to do."""

expect.set_options(timeout=MOST_WAITED)

Visit = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The browser, started once. Where there is none, the tests are skipped; with CI in the environment, they fail."""
    path = os.environ.get("BROWSER_PATH") or next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        if os.environ.get("CI"):
            pytest.fail(NO_BROWSER)
        pytest.skip(NO_BROWSER)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Open an address in a new window, of which `options` are Playwright's; gives its page. `script` runs first.

    The browser does not say that it is headless, since it would be taken for a robot, which guarded links tell nothing.

    At the end of the test no script may have failed, and nothing may have been complained of in the console, but for
    answers that say what is wrong with a request.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []
    person = (
        f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{browser.version} Safari/537.36"
    )

    def note(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not message.text.startswith("Failed to load resource"):
            complaints.append(message.text)

    def visit(url: str, script: str = "", **options: object) -> Page:
        context = browser.new_context(**{"user_agent": person, **options})  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.add_init_script(script)
        page.set_default_timeout(MOST_WAITED)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", note)
        page.goto(url)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert [] == complaints


@pytest.fixture
def owner(linkly: Linkly, visit: Visit) -> "Iterator[Owner]":
    """A user without links."""
    from tests.browser.owners import Owner  # noqa: PLC0415 (which imports this module)

    with Owner.of(linkly.url, visit) as owner:
        yield owner


@pytest.fixture
def admin(linkly: Linkly, visit: Visit) -> "Iterator[Owner]":
    """An admin without links."""
    from tests.browser.owners import Owner  # noqa: PLC0415 (likewise)

    with Owner.of(linkly.url, visit, Role.ADMIN) as admin:
        yield admin
