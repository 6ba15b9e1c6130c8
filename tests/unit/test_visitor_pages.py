"""What people see in a browser who follow links."""

import inspect
import re
from base64 import b64encode
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from html.parser import HTMLParser

import pytest

from chalicelib import browsers, problems, visitor_pages
from chalicelib.problems import PasswordRequired, Problem, TooManyTries, WrongPassword
from chalicelib.visitor_pages import Page, answer_to, password_page, preview_page, problem_page, wants_page

CHROMIUM = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,"
    "application/signed-exchange;v=b3;q=0.7"
)
FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
NASTY = """</title></style><script>alert("1")</script><b id='x'>&amp;"""


class Parsed(HTMLParser):
    """A page as a browser reads it: its elements with their attributes, and the text of each kind of element."""

    def __init__(self, page: Page) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: dict[str, str] = {}
        self._open: list[str] = []
        self.feed(page.body)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in {"meta", "link", "input"}:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        for tag in {*self._open}:
            self.text[tag] = self.text.get(tag, "") + data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of each element of a kind."""
        return [attributes for name, attributes in self.elements if name == tag]


def kinds_of(root: type[Problem]) -> list[type[Problem]]:
    """The classes below."""
    return [kind for child in root.__subclasses__() for kind in (child, *kinds_of(child))]


def a_problem_of(kind: type[Problem]) -> Problem:
    return kind("my-link") if len(inspect.signature(kind.__init__).parameters) > 1 else kind()


EVERY_PROBLEM = [a_problem_of(kind) for kind in kinds_of(Problem)]
EVERY_PAGE: dict[str, Callable[[], Page]] = {
    **{type(problem).__name__: partial(problem_page, problem) for problem in EVERY_PROBLEM},
    "preview": lambda: preview_page("my-link", "https://example.com/", has_password=False, limited=False),
    "preview without its target": lambda: preview_page("my-link", None, has_password=True, limited=True),
}


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        (CHROMIUM, True),
        (FIREFOX, True),
        ("text/html", True),
        ("TEXT/HTML", True),
        ("application/json, text/html", True),
        ("application/json;q=0.8, text/html;q=0.8", True),
        ("application/json;q=0.9, text/html;q=1.000", True),
        ("text/html;charset=utf-8 ; q=0.1", True),
        ("text/html;q=0, text/html;level=1", True),
        (None, False),
        ("", False),
        ("*/*", False),
        ("text/*", False),
        ("application/json", False),
        ("application/xhtml+xml", False),
        ("text/htmlx", False),
        ("text/html;q=0", False),
        ("text/html;q=0.000", False),
        ("text/html;q=0.5, application/json", False),
        ("text/html;q=0.5, application/problem+json;q=0.6", False),
        ("text/html;q=2", False),
        ("text/html;q=nan", False),
        ("text/html;q=", False),
        (",;,q=;text/html", False),
    ],
)
def test_html_is_for_whoever_names_it_and_not_below_json(accept: str | None, wanted: bool) -> None:
    assert wanted is wants_page(accept)


@pytest.mark.parametrize("problem", EVERY_PROBLEM, ids=lambda problem: type(problem).__name__)
def test_whatever_is_wanted_status_and_headers_are_the_same_but_for_what_a_page_is(problem: Problem) -> None:
    status, headers, body = answer_to(problem, "application/json")
    status_of_page, headers_of_page, page = answer_to(problem, CHROMIUM)

    policy = headers_of_page["Content-Security-Policy"]
    assert (status, headers, body) == problem.answer()
    assert status == status_of_page
    assert {**headers, "Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": policy} == headers_of_page
    assert headers["Vary"] == "Accept"
    assert problem_page(problem).body == page


@pytest.mark.parametrize("name", EVERY_PAGE)
def test_every_page_says_what_happened_and_what_can_be_done(name: str) -> None:
    parsed = Parsed(EVERY_PAGE[name]())

    assert 1 == len(parsed.all("h1"))
    assert parsed.text["title"].endswith(" · Linkly")
    assert parsed.text["h1"]
    assert parsed.text["p"]
    assert [{"lang": "en"}] == parsed.all("html")


@pytest.mark.parametrize("name", EVERY_PAGE)
def test_no_page_asks_for_anything_more_and_its_style_is_the_one_that_its_policy_allows(name: str) -> None:
    page = EVERY_PAGE[name]()
    parsed = Parsed(page)

    allowed = b64encode(sha256(parsed.text["style"].encode()).digest()).decode()
    asking = {"script", "img", "iframe", "object", "video", "audio", "base"}
    assert {"Content-Type", "Content-Security-Policy"} == set(page.headers)
    assert f"default-src 'none'; style-src 'sha256-{allowed}'; " in page.headers["Content-Security-Policy"]
    assert not asking & {tag for tag, _ in parsed.elements}
    assert not [name for _, attributes in parsed.elements for name in attributes if name == "style" or name[:2] == "on"]
    assert [{"rel": "icon", "href": "data:,"}] == parsed.all("link")
    assert "url(" not in parsed.text["style"]
    assert "@import" not in parsed.text["style"]


@pytest.mark.parametrize("name", EVERY_PAGE)
def test_only_a_page_with_a_form_lets_one_be_sent_and_then_follows_it_to_any_site(name: str) -> None:
    page = EVERY_PAGE[name]()
    forms = Parsed(page).all("form")

    assert bool(forms) is ("form-action" not in page.headers["Content-Security-Policy"])


def test_visitors_are_told_in_their_words() -> None:
    told = [
        f"{type(problem).__name__}: {word}"
        for problem in EVERY_PROBLEM
        if problem.detail not in (text := Parsed(problem_page(problem)).text["main"])
        for word in re.findall(r"\b(?:codes?|owners?|keys?|operators?|404|410|my-link)\b", text)
    ]

    assert [] == told


@pytest.mark.parametrize(
    ("problem", "title"),
    [
        (problems.LinkNotFound(""), "There is no such link"),
        (problems.LinkDisabled(""), "This link is switched off"),
        (problems.LinkNotStarted(""), "This link does not work yet"),
        (problems.LinkDeleted(""), "This link has been deleted"),
        (problems.LinkBlocked(""), "This link is blocked"),
        (problems.LinkExpired(""), "This link has expired"),
        (problems.LinkUsedUp(""), "This link has been used up"),
        (problems.NotFound(""), "There is nothing here"),
        (problems.TooManyRequests(), "Too many people at once"),
        (problems.Unavailable(), "This does not work just now"),
        (problems.InternalError(), "Something went wrong on our side"),
        (PasswordRequired("my-link"), "This link asks for a password"),
        (WrongPassword("my-link"), "This link asks for a password"),
        (TooManyTries("my-link"), "Too many wrong passwords"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Problem) else "",
)
def test_each_reason_has_a_page_of_its_own(problem: Problem, title: str) -> None:
    assert title == Parsed(problem_page(problem)).text["h1"]


def test_what_only_programs_meet_has_its_own_words_on_a_page_too() -> None:
    parsed = Parsed(problem_page(problems.BodyTooLarge(f"At most 16384 bytes are read. {NASTY}")))

    assert "Content Too Large" == parsed.text["h1"]
    assert f"At most 16384 bytes are read. {NASTY}" == parsed.text["main"].partition("Large")[2].strip()


def test_what_utf_8_cannot_express_does_not_break_a_page() -> None:
    page = problem_page(problems.BadRequest("\ud800 is no text"))

    assert b"&#55296; is no text" in page.body.encode()


def test_unless_the_operator_says_otherwise_the_name_is_linklys_and_leads_nowhere() -> None:
    parsed = Parsed(problem_page(problems.LinkNotFound("my-link")))

    assert ("Linkly", [], []) == (parsed.text["header"], parsed.all("a"), parsed.all("footer"))


def test_the_operator_may_give_a_name_a_link_home_and_a_line_of_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRAND_NAME", "Stadtbücherei")
    monkeypatch.setenv("BRAND_URL", "https://www.example.com/?a=1&b=2")
    monkeypatch.setenv("BRAND_TEXT", "Questions: links@example.com")

    parsed = Parsed(problem_page(problems.LinkNotFound("my-link")))

    assert [{"href": "https://www.example.com/?a=1&b=2"}] == parsed.all("a")
    assert ("There is no such link · Stadtbücherei", "Stadtbücherei", "Questions: links@example.com") == (
        parsed.text["title"],
        parsed.text["header"].strip(),
        parsed.text["footer"],
    )


def test_whatever_the_operator_gives_is_text(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BRAND_NAME", "BRAND_URL", "BRAND_TEXT"):
        monkeypatch.setenv(name, f"{name}{NASTY}")

    parsed = Parsed(problem_page(problems.LinkNotFound("my-link")))

    assert [{"href": f"BRAND_URL{NASTY}"}] == parsed.all("a")
    assert (f"BRAND_NAME{NASTY}", f"BRAND_TEXT{NASTY}") == (parsed.text["header"], parsed.text["footer"])
    assert not {"script", "b"} & {tag for tag, _ in parsed.elements}


def test_a_password_is_asked_for_by_a_form_that_keeps_what_the_visitor_came_with() -> None:
    parsed = Parsed(problem_page(PasswordRequired("my-link", f"utm_source=a&b={NASTY}", f"https://a.example/{NASTY}")))

    password, referrer = parsed.all("input")
    assert [{"method": "post", "action": f"unlock/my-link?utm_source=a&b={NASTY}"}] == parsed.all("form")
    assert {
        "type": "password",
        "id": "password",
        "name": "password",
        "required": None,
        "autofocus": None,
        "autocomplete": "off",
    } == password
    assert {"type": "hidden", "name": "referrer", "value": f"https://a.example/{NASTY}"} == referrer
    assert [{"for": "password"}] == parsed.all("label")
    assert not {"script", "b"} & {tag for tag, _ in parsed.elements}


def test_without_a_query_the_form_has_none() -> None:
    assert [{"method": "post", "action": "unlock/my-link"}] == Parsed(problem_page(PasswordRequired("my-link"))).all(
        "form"
    )


def test_a_wrong_password_is_said_to_be_wrong_at_its_field_and_another_one_goes_to_the_same_address() -> None:
    parsed = Parsed(problem_page(WrongPassword("my-link", "a=1", "https://a.example/")))

    password, referrer = parsed.all("input")
    assert [{"method": "post"}] == parsed.all("form")
    assert ("true", "wrong") == (password["aria-invalid"], password["aria-describedby"])
    assert [{"class": "wrong", "id": "wrong"}] == [each for each in parsed.all("p") if each]
    assert "That is not the password." in parsed.text["form"]
    assert "https://a.example/" == referrer["value"]


def test_after_too_many_wrong_passwords_there_is_no_form_and_nobody_is_accused() -> None:
    parsed = Parsed(password_page(None, referrer="", too_many=True))

    assert [] == parsed.all("form")
    assert "Try again in a quarter of an hour." in parsed.text["main"]
    assert "it need not have been you" in parsed.text["main"]


def test_a_preview_shows_the_whole_target_as_text_and_a_link_that_follows_the_short_one() -> None:
    url = f"https://example.com/\u202egnp.exe?{'a' * 300}={NASTY}"

    parsed = Parsed(preview_page("my-link", url, has_password=False, limited=False))

    assert url == parsed.text["bdi"]
    assert [{"dir": "ltr"}] == parsed.all("bdi")
    assert [{"class": "button", "href": "./my-link", "rel": "nofollow"}] == parsed.all("a")
    assert not {"script", "b"} & {tag for tag, _ in parsed.elements}


@pytest.mark.parametrize(
    ("has_password", "limited", "reasons"),
    [
        (True, False, ["password"]),
        (False, True, ["limited number of times"]),
        (True, True, ["password", "limited number of times"]),
    ],
)
def test_a_preview_of_a_guarded_link_says_why_its_target_is_not_shown(
    has_password: bool, limited: bool, reasons: list[str]
) -> None:
    parsed = Parsed(preview_page("my-link", None, has_password, limited))

    assert "We cannot show where this link leads" == parsed.text["h1"]
    assert reasons == [each for each in ("password", "limited number of times") if each in parsed.text["p"]]
    assert ["./my-link"] == [link["href"] for link in parsed.all("a")]


def test_a_header_that_an_answer_has_already_stays_and_what_it_varies_by_adds_up() -> None:
    page = {"Content-Security-Policy": "its own", "Vary": "Accept", "Content-Type": visitor_pages.CONTENT_TYPE}
    origin = "https://admin.example.com"

    told = browsers.told(page, origin, frozenset({origin}))

    assert {**browsers.headers_for(origin, frozenset({origin})), **page, "Vary": "Accept, Origin"} == told
    assert {**browsers.ALWAYS, **page} == browsers.told(page, origin, frozenset())
    assert {**browsers.ALWAYS} == browsers.told({}, None, frozenset())
