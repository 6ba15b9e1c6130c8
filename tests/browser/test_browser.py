"""That the browser works at all."""

from tests.browser.conftest import Visit
from tests.deployed import Linkly


def test_the_browser_reaches_the_deployed_app(linkly: Linkly, visit: Visit) -> None:
    page = visit(f"{linkly.url}/health")

    assert '{"status":"ok"}' == page.inner_text("body").replace(" ", "")
