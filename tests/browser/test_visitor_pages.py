"""What people see who follow links that lead nowhere, or not yet, or not without a password."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route

from chalicelib import problems
from chalicelib.visitor_pages import Page as VisitorPage
from chalicelib.visitor_pages import password_page, preview_page, problem_page
from tests.browser.axe import findings
from tests.browser.conftest import Visit
from tests.deployed import Linkly

LONG = f"https://example.com/{'a' * 400}?b=%3Cscript%3E&c=<script>alert(1)</script>"
SCREENS = [(width, scheme) for width in (320, 1280) for scheme in ("light", "dark")]
TARGET = "https://example.com/target"
EARLIER, LATER = "2020-01-01T00:00:00Z", "2100-01-01T00:00:00Z"


def scrolls_sideways(page: Page) -> bool:
    scrolls: bool = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    return scrolls


def made(linkly: Linkly, **link: Any) -> str:
    """The code of a new link."""
    answer = linkly.alice.post("/links", json={"url": TARGET, **link})
    assert answer.status_code == 201, answer.text
    code: str = answer.json()["code"]
    return code


def paths(linkly: Linkly) -> dict[str, str]:
    """A path for each page that visitors meet, by the heading that it should have."""
    deleted, used_up = made(linkly), made(linkly, max_clicks=1)
    linkly.alice.delete(f"/links/{deleted}").raise_for_status()
    linkly.follow(used_up)
    return {
        "There is nothing here": "",
        "There is no such link": "no-such-link",
        "This link is switched off": made(linkly, enabled=False),
        "This link does not work yet": made(linkly, starts_at=LATER),
        "This link has expired": made(linkly, expires_at=EARLIER),
        "This link has been deleted": deleted,
        "This link has been used up": used_up,
        "This link asks for a password": made(linkly, password="open sesame"),
        "This short link leads to": f"{made(linkly)}+",
        "We cannot show where this link leads": f"{made(linkly, max_clicks=1)}+",
    }


@pytest.fixture(scope="module")
def nowhere(linkly: Linkly) -> dict[str, str]:
    linkly.visitor.get("/no-such-link")  # a first request waits until its function has started
    return paths(linkly)


@pytest.mark.parametrize(
    ("title", "status"),
    [
        ("There is nothing here", 404),
        ("There is no such link", 404),
        ("This link is switched off", 404),
        ("This link does not work yet", 404),
        ("This link has expired", 410),
        ("This link has been deleted", 410),
        ("This link has been used up", 410),
        ("This link asks for a password", 403),
        ("This short link leads to", 200),
        ("We cannot show where this link leads", 200),
    ],
)
def test_a_visitor_who_is_not_redirected_is_told_why_in_one_request(
    linkly: Linkly, visit: Visit, nowhere: dict[str, str], title: str, status: int
) -> None:
    page = visit("about:blank")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    answer = page.goto(f"{linkly.url}/{nowhere[title]}")

    assert answer
    assert (status, "no-store", "Accept, Origin") == (
        answer.status,
        answer.headers["cache-control"],
        answer.headers["vary"],
    )
    assert (title, f"{title} · Linkly") == (page.inner_text("h1"), page.title())
    assert [f"{linkly.url}/{nowhere[title]}"] == asked
    assert "rgb(79, 70, 229)" in page.evaluate("getComputedStyle(document.querySelector('main')).boxShadow")


@pytest.mark.parametrize(("width", "scheme"), SCREENS)
def test_it_is_readable_on_every_screen_by_everybody(
    linkly: Linkly, visit: Visit, nowhere: dict[str, str], width: int, scheme: str
) -> None:
    for path in nowhere.values():
        page = visit(f"{linkly.url}/{path}", viewport={"width": width, "height": 568}, color_scheme=scheme)

        assert [] == findings(page)
        assert not scrolls_sideways(page)


def test_a_dark_screen_gets_a_dark_page(linkly: Linkly, visit: Visit) -> None:
    grounds = {
        scheme: visit(f"{linkly.url}/no-such-link", color_scheme=scheme).evaluate(
            "getComputedStyle(document.body).backgroundColor"
        )
        for scheme in ("light", "dark")
    }

    assert {"light": "rgb(246, 247, 249)", "dark": "rgb(17, 19, 24)"} == grounds


# Pages that no address of the deployed app shows by itself: a browser gets them as they would be answered.

Render = Callable[[], VisitorPage]

PAGES: dict[str, Render] = {
    "the form": lambda: problem_page(problems.PasswordRequired("my-link", "utm_source=a&b=c", "https://a.example/")),
    "the form, after a wrong password": lambda: problem_page(problems.WrongPassword("my-link")),
    "no form, after too many": lambda: password_page(None, referrer="", too_many=True),
    "a preview": lambda: preview_page("my-link", LONG, has_password=False, limited=False),
    "a preview without its target": lambda: preview_page("my-link", None, has_password=True, limited=True),
    "a blocked link": lambda: problem_page(problems.LinkBlocked("my-link")),
    "too many requests": lambda: problem_page(problems.TooManyRequests()),
    "unavailable": lambda: problem_page(problems.Unavailable()),
    "broken": lambda: problem_page(problems.InternalError()),
    "for programs": lambda: problem_page(problems.InvalidUrl(f"The url {LONG!r} cannot be used.")),
}
SITE = "http://linkly.test"


@contextmanager
def answered(page: Page, shown: VisitorPage) -> Iterator[list[str]]:
    """Every address shows this page; gives what is asked for, forms with what they send."""
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(f"{route.request.method} {route.request.url} {route.request.post_data or ''}".strip())
        route.fulfill(body=shown.body, headers={**shown.headers})

    page.route("**/*", answer)
    yield asked
    page.unroute("**/*")


@pytest.fixture
def branded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRAND_NAME", "A name that is as long as a name of a place can be")
    monkeypatch.setenv("BRAND_URL", "https://www.example.com/")
    monkeypatch.setenv("BRAND_TEXT", f"Questions? {'links' * 30}@example.com")


@pytest.mark.usefixtures("branded")
@pytest.mark.parametrize("name", PAGES)
def test_every_other_page_is_readable_too_and_asks_for_nothing_more(visit: Visit, name: str) -> None:
    for width, scheme in SCREENS:
        page = visit("about:blank", viewport={"width": width, "height": 568}, color_scheme=scheme)
        with answered(page, PAGES[name]()) as asked:
            page.goto(f"{SITE}/my-link")

            assert [] == findings(page)
            assert not scrolls_sideways(page)
            assert [f"GET {SITE}/my-link"] == asked


def test_a_password_is_typed_at_once_and_sent_with_what_the_visitor_came_with(visit: Visit) -> None:
    page = visit("about:blank")
    with answered(page, PAGES["the form"]()) as asked:
        page.goto(f"{SITE}/api/my-link?utm_source=a&b=c")
        page.locator("input:focus").wait_for()
        page.keyboard.type("s&cret ü")
        page.keyboard.press("Enter")
        page.wait_for_url("**/unlock/**")

    form = "password=s%26cret+%C3%BC&referrer=https%3A%2F%2Fa.example%2F"
    assert f"POST {SITE}/api/unlock/my-link?utm_source=a&b=c {form}" == asked[-1]


def test_the_form_is_followed_to_another_site(visit: Visit) -> None:
    """A policy with form-action would stop it there."""
    page = visit("about:blank")
    shown = PAGES["the form"]()
    page.route(f"{SITE}/my-link", lambda route: route.fulfill(body=shown.body, headers={**shown.headers}))
    page.route(
        f"{SITE}/unlock/**", lambda route: route.fulfill(status=303, headers={"Location": "https://example.com/target"})
    )
    page.route("https://example.com/**", lambda route: route.fulfill(body="arrived", content_type="text/plain"))
    page.goto(f"{SITE}/my-link")

    page.get_by_label("Password").fill("secret")
    page.get_by_role("button", name="Open the link").click()
    page.wait_for_url("https://example.com/target")

    assert "arrived" == page.inner_text("body")


def test_a_wrong_password_is_told_to_who_cannot_see_it_and_the_next_one_goes_to_the_same_address(visit: Visit) -> None:
    page = visit("about:blank")
    with answered(page, PAGES["the form, after a wrong password"]()) as asked:
        page.goto(f"{SITE}/unlock/my-link?b=c")
        field = page.get_by_label("Password")
        tree = field.evaluate("field => document.getElementById(field.getAttribute('aria-describedby')).textContent")
        field.fill("another")
        with page.expect_navigation():
            page.keyboard.press("Enter")

    assert "That is not the password. Check it, and try again." == tree
    assert f"POST {SITE}/unlock/my-link?b=c password=another&referrer=" == asked[-1]


def test_a_preview_shows_the_target_whole_and_follows_the_link_only_when_asked(visit: Visit) -> None:
    page = visit("about:blank")
    with answered(page, PAGES["a preview"]()) as asked:
        page.goto(f"{SITE}/api/my-link+")
        shown = page.inner_text("bdi")
        page.get_by_role("link", name="Open the link").click()
        page.wait_for_url(f"{SITE}/api/my-link")

    assert shown == LONG
    assert [f"GET {SITE}/api/my-link+", f"GET {SITE}/api/my-link"] == asked


def test_no_script_runs_on_a_page_whatever_gets_into_it(browser: Browser) -> None:
    """The policy holds even if escaping failed: of what a page is made to hold, nothing runs and nothing is loaded."""
    shown = PAGES["a preview"]()
    injected = "<script>document.title = 'run'</script><style>main { display: none }</style><img src='/spy'>"
    with browser.new_context() as context:
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.route(
            f"{SITE}/**",
            lambda route: route.fulfill(
                body=shown.body.replace("</h1>", f"</h1>{injected}"), headers={**shown.headers}
            ),
        )
        page.goto(f"{SITE}/my-link")

        assert page.title() == "This short link leads to · Linkly"
        assert page.is_visible("main")
        assert 3 == sum("Content Security Policy" in complaint for complaint in complaints)
