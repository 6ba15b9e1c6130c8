"""Owners at their page: each test has one of its own, with no links yet."""

import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
from playwright.sync_api import Page, expect

from chalicelib.access.keys import Role
from ops.data.keys import make_key
from tests.browser.conftest import Visit

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Owner:
    """Somebody with a key, at the API and at the page."""

    name: str
    key: str
    url: str
    api: httpx.Client
    _visit: Visit

    @classmethod
    @contextmanager
    def of(cls, url: str, visit: Visit, role: Role = Role.USER) -> "Iterator[Owner]":
        name = f"owner-{uuid.uuid4()}"
        key = str(make_key(name, role))
        with httpx.Client(base_url=url, timeout=30, headers={"Authorization": f"Bearer {key}"}) as api:
            yield cls(name, key, url, api, visit)

    def create(self, **fields: Any) -> dict[str, Any]:
        """Create a link over HTTP."""
        answer = self.api.post("/links", json={"url": "https://example.com/target", **fields})
        assert answer.status_code == 201, answer.text
        link: dict[str, Any] = answer.json()
        return link

    def create_many(self, number: int) -> None:
        """Create links with one request for each ten, and again those that a busy machine has refused."""
        while number:
            links = [{"url": "https://example.com/", "title": f"Number {each}"} for each in range(min(number, 10))]
            answer = self.api.post("/links", json=links).raise_for_status()
            number -= [each["status"] for each in answer.json()["items"]].count(201)

    def look_at(self, address: str = "#/", **options: object) -> Page:
        """Open a view of the page in a new window, signed in."""
        keep = f"sessionStorage.setItem('linkly-key', '{self.key}')"
        once = f"if (!sessionStorage.begun) {{ sessionStorage.begun = 1; {keep} }}"
        page = self._visit(f"{self.url}/ui{address}", once, **options)
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
