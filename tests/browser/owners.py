"""Owners at their page: each test has one of its own, with no links yet."""

import uuid
from dataclasses import dataclass
from typing import Any

import httpx
from playwright.sync_api import Page, expect

from chalicelib.access.keys import Role
from ops.data.keys import make_key
from tests.browser.conftest import Visit

WITHIN = 15_000
"""Milliseconds until a click must be on the page: it is gathered for 2 s, counted, and looked for every 5 s."""


@dataclass(frozen=True)
class Owner:
    """Somebody with a key, at the API and at the page."""

    name: str
    key: str
    url: str
    api: httpx.Client
    _visit: Visit

    @classmethod
    def of(cls, url: str, visit: Visit, role: Role = Role.USER) -> "Owner":
        name = f"owner-{uuid.uuid4()}"
        key = str(make_key(name, role))
        api = httpx.Client(base_url=url, timeout=30, headers={"Authorization": f"Bearer {key}"})
        return cls(name, key, url, api, visit)

    def create(self, **fields: Any) -> dict[str, Any]:
        """Create a link over HTTP."""
        answer = self.api.post("/links", json={"url": "https://example.com/target", **fields})
        assert answer.status_code == 201, answer.text
        link: dict[str, Any] = answer.json()
        return link

    def look_at(self, address: str = "#/", **options: object) -> Page:
        """Open a view of the page in a new window, signed in."""
        page = self._visit(f"{self.url}/ui", **options)
        expect(page.get_by_label("Your API key")).to_be_visible()
        page.evaluate("key => sessionStorage.setItem('linkly-key', key)", self.key)
        page.goto(f"{self.url}/ui{address}")
        expect(page.get_by_role("button", name="Sign out")).to_be_visible()
        return page


def a_code() -> str:
    """A code that no other test has."""
    return f"c-{uuid.uuid4().hex[:10]}"


def answering(page: Page, path: str, status: int, detail: str = "The API's own sentence.", **headers: str) -> None:
    """Have requests to a path, a glob after the API's address, answered with a problem."""
    body = {"type": "urn:linkly:problem:x", "title": "X", "status": status, "detail": detail}
    page.route(path, lambda route: route.fulfill(status=status, json=body, headers=headers))


def requests_of(page: Page) -> list[str]:
    """The addresses that a page asks for, from now on."""
    found: list[str] = []
    page.on("request", lambda request: found.append(request.url))
    return found
