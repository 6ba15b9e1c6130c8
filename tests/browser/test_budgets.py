"""How much of the owners' page goes over the wire, and how soon it is of use."""

import gzip
import time

from playwright.sync_api import expect

from chalicelib.pages.page import files, shell
from tests.browser.owners import Owner

MOST_BYTES = 30 * 1024
MOST_REQUESTS = 6
SECONDS = 1.5
TRIES = 20


def test_the_whole_page_has_thirty_kilobytes_as_api_gateway_compresses_it() -> None:
    texts = [shell("/ui"), *(file.text for file in files().values())]

    assert sum(len(gzip.compress(text.encode())) for text in texts) <= MOST_BYTES


def test_the_list_is_of_use_after_six_requests(owner: Owner) -> None:
    owner.create()
    page = owner.look_at()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    page.reload()
    expect(page.locator(".links a.to")).to_have_count(1)

    # A browser fetches a tab's icon when it likes, and nothing waits for it.
    static = [url for url in asked if "/ui" in url and not url.endswith("/icon.svg")]
    assert len(static) <= MOST_REQUESTS, static


def test_the_list_is_of_use_soon_over_a_slow_network_and_on_a_slow_machine(owner: Owner) -> None:
    """Slow 4G as browsers' tools have it, and a quarter of the processor. The best of a few: others work here too."""
    owner.create_many(50)
    page = owner.look_at()
    tools = page.context.new_cdp_session(page)
    tools.send("Network.enable")
    tools.send("Network.setCacheDisabled", {"cacheDisabled": True})
    slow = {"offline": False, "latency": 150, "downloadThroughput": 1_600_000 / 8, "uploadThroughput": 750_000 / 8}
    tools.send("Network.emulateNetworkConditions", slow)
    tools.send("Emulation.setCPUThrottlingRate", {"rate": 4})

    taken: list[float] = []
    while len(taken) < TRIES and min(taken, default=SECONDS + 1) > SECONDS:
        started = time.monotonic()
        page.reload(wait_until="commit")
        page.locator(".links a.to").nth(49).wait_for()
        taken.append(time.monotonic() - started)

    assert min(taken) <= SECONDS, taken
