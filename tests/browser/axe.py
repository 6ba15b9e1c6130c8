"""axe's rules for whoever needs contrast, uses no mouse, or hears a page: https://github.com/dequelabs/axe-core."""

from importlib.resources import files

from playwright.sync_api import Page

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text()
ANIMATIONS_END = """Promise.allSettled(
    document.getAnimations().filter((each) => each.effect.getTiming().iterations === 1).map((each) => each.finished)
)"""


def findings(page: Page) -> list[str]:
    """What axe finds in what is shown: each rule with the first element that breaks it.

    It is no script of the page's, so no policy blocks it.
    """
    page.evaluate(ANIMATIONS_END)
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    found = page.evaluate("axe.run()")["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html'][:200]} {each['nodes'][0]['failureSummary']}" for each in found]
