"""What people who follow links see in a browser: pages of one request, without script, in the words of a stranger.

Programs get problem details (problems.py) with the same status and headers. Imported when there is a page to show, and
by the app: no redirect waits for it.
"""

import re
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from html import escape
from typing import NamedTuple

from chalicelib import config, problems
from chalicelib.problems import PasswordRequired, Problem, TooManyTries, WrongPassword

CONTENT_TYPE = "text/html; charset=utf-8"

_STYLE = """
:root {
  color-scheme: light dark;
  --ground: light-dark(#f6f7f9, #111318);
  --card: light-dark(#ffffff, #1a1d24);
  --line: light-dark(#e0e3e8, #2f343f);
  --border: light-dark(#868d9a, #7c8494);
  --text: light-dark(#16181d, #eceef2);
  --quiet: light-dark(#555c69, #a6adba);
  --accent: light-dark(#4f46e5, #a5a8ff);
  --on-accent: light-dark(#ffffff, #14143a);
  --wrong: light-dark(#b42318, #ff9b91);
}
* { box-sizing: border-box; }
body {
  margin: 0;
  min-height: 100vh;
  min-height: 100svh;
  padding: 1.5rem 1rem;
  display: grid;
  grid-template: auto 1fr auto / minmax(0, 30rem);
  justify-content: center;
  gap: 1.5rem;
  background: var(--ground);
  color: var(--text);
  font: 1rem/1.6 system-ui, sans-serif;
  overflow-wrap: anywhere;
}
header, footer { text-align: center; }
header { font-weight: 600; }
header a { color: inherit; text-decoration: none; }
footer { color: var(--quiet); font-size: .875rem; }
header a:hover { text-decoration: underline; }
main {
  align-self: center;
  padding: clamp(1.25rem, 6vw, 2.25rem);
  background: var(--card);
  border: 1px solid var(--line);
  border-radius: .75rem;
  box-shadow: inset 0 4px var(--accent);
}
h1 { margin: 0; font-size: 1.375rem; line-height: 1.3; text-wrap: balance; }
p { margin: .75rem 0 0; }
footer p, header p { margin: 0; }
label { display: block; margin-top: 1.25rem; font-weight: 600; }
input, .button {
  width: 100%;
  padding: .625rem .875rem;
  border-radius: .5rem;
  font: inherit;
}
input { margin-top: .375rem; background: var(--card); color: inherit; border: 1px solid var(--border); }
input[aria-invalid] { border-color: var(--wrong); }
.wrong { color: var(--wrong); }
.button {
  display: block;
  margin-top: 1.25rem;
  border: 1px solid transparent;
  background: var(--accent);
  color: var(--on-accent);
  font-weight: 600;
  text-align: center;
  text-decoration: none;
  cursor: pointer;
}
.button:hover { text-decoration: underline; }
.target {
  padding: .75rem .875rem;
  background: var(--ground);
  border-radius: .5rem;
  font: .9375rem/1.5 ui-monospace, monospace;
}
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
"""

_POLICY = (
    f"default-src 'none'; style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'; img-src data:; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_POLICY_WITHOUT_FORM = f"{_POLICY}; form-action 'none'"

_ASK = "Ask whoever gave you the link"

_WORDS: Mapping[type[Problem], tuple[str, str]] = {
    problems.NotFound: (
        "There is nothing here",
        "A short link goes on after the slash. Check that you have all of it.",
    ),
    problems.LinkNotFound: (
        "There is no such link",
        f"Check each letter: capital and small ones make a difference. {_ASK} if it still does not work.",
    ),
    problems.LinkDisabled: (
        "This link is switched off",
        f"Whoever made it may switch it on again, so you can try later. {_ASK} if you cannot wait.",
    ),
    problems.LinkNotStarted: (
        "This link does not work yet",
        f"Whoever made it chose a later time for it to start. {_ASK} when that is, and come back then.",
    ),
    problems.LinkDeleted: (
        "This link has been deleted",
        f"Whoever made it has removed it. {_ASK} for another one.",
    ),
    problems.LinkBlocked: (
        "This link is blocked",
        "We do not send anybody to the page that it led to. If that is a mistake, tell whoever gave you the link.",
    ),
    problems.LinkExpired: (
        "This link has expired",
        f"It worked until a time that whoever made it chose. {_ASK} for a new one.",
    ),
    problems.LinkUsedUp: (
        "This link has been used up",
        f"It could be opened a limited number of times, and it was. {_ASK} for a new one.",
    ),
    problems.TooManyRequests: (
        "Too many people at once",
        "More is asked of us just now than we can answer. Wait a moment, and load this page again.",
    ),
    problems.Unavailable: (
        "This does not work just now",
        "A part of our service cannot be reached. Wait a moment, and load this page again.",
    ),
    problems.InternalError: (
        "Something went wrong on our side",
        "It is nothing that you did. Load this page again. If it stays like this, come back later.",
    ),
}
"""What happened and what can be done, of the problems that a visitor may meet. All others have words for programs."""


class Page(NamedTuple):
    """A page, and the headers that are its own: its type and what it may load."""

    body: str
    headers: Mapping[str, str]


def answer_to(problem: Problem, accept: str | None) -> tuple[int, dict[str, str], str]:
    """The answer that a problem is to a request with this header Accept: its status, headers and body."""
    status, headers, body = problem.answer()
    if wants_page(accept):
        page = problem_page(problem)
        return status, {**headers, **page.headers}, page.body
    return status, headers, body


def wants_page(accept: str | None) -> bool:
    """Whether who sends this header Accept (RFC 9110, section 12.5.1) is to get HTML.

    Only who names it, and not below JSON: browsers do, where they open a document; programs that take anything say so
    by a star.
    """
    qualities: dict[str, float] = {}
    for part in (accept or "").lower().split(","):
        media_type, *parameters = (piece.strip() for piece in part.split(";"))
        weights = [parameter[2:] for parameter in parameters if parameter.startswith("q=")]
        qualities[media_type] = max(qualities.get(media_type, 0), _quality(weights[0]) if weights else 1)
    html = qualities.get("text/html", 0)
    return html > 0 and html >= max(qualities.get(name, 0) for name in ("application/json", problems.CONTENT_TYPE))


def problem_page(problem: Problem) -> Page:
    """The page of any problem."""
    match problem:
        case WrongPassword():
            return password_page(None, referrer=problem.referrer, wrong=True)
        case PasswordRequired():
            action = f"unlock/{problem.code}" + (f"?{problem.query}" if problem.query else "")
            return password_page(action, referrer=problem.referrer)
        case TooManyTries():
            return password_page(None, referrer="", too_many=True)
    title, words = _WORDS.get(type(problem)) or (problems.title_of(problem.status), problem.detail)
    return _page(title, _paragraph(words))


def password_page(action: str | None, *, referrer: str, wrong: bool = False, too_many: bool = False) -> Page:
    """The form that asks for a link's password.

    It goes to `action`, relative to the page's own address, or there itself; with `referrer`, the page that the visitor
    came from. `wrong` if a password was just given that is not the link's; `too_many` if no more are taken for now.
    """
    if too_many:
        return _page(
            "Too many wrong passwords",
            _paragraph("Try again in a quarter of an hour.")
            + _paragraph(
                "We count the wrong passwords of everybody who tries this link, so it need not have been you."
            ),
        )
    title = "This link asks for a password"
    complaint = '<p class="wrong" id="wrong">That is not the password. Check it, and try again.</p>' if wrong else ""
    tie = ' aria-invalid="true" aria-describedby="wrong"' if wrong else ""
    where = "" if action is None else f' action="{_text(action)}"'
    # No form-action in the policy: it would forbid the redirect that follows the form, to any site.
    return _page(
        "Wrong password" if wrong else title,
        _paragraph("Whoever gave you the link can tell you the password.") + f'<form method="post"{where}>'
        '<label for="password">Password</label>'
        f'<input type="password" id="password" name="password" required autofocus autocomplete="off"{tie}>'
        f'{complaint}<input type="hidden" name="referrer" value="{_text(referrer)}">'
        '<button class="button">Open the link</button></form>',
        heading=title,
        policy=_POLICY,
    )


def preview_page(code: str, url: str | None, has_password: bool, limited: bool) -> Page:
    """Where a link leads, which it is then one's own choice to follow; of None, why that is not told."""
    follow = f'<a class="button" href="./{_text(code)}" rel="nofollow">Open the link</a>'
    if url is not None:
        # dir="ltr", and isolated: an address in a script that is written from the right must not look like another one.
        target = f'<p class="target"><bdi dir="ltr">{_text(url)}</bdi></p>'
        return _page("This short link leads to", target + follow)
    reasons = []
    if has_password:
        reasons.append("Where it leads is shown to those who know its password.")
    if limited:
        reasons.append("It can be opened a limited number of times, so it does not show beforehand where it leads.")
    return _page("We cannot show where this link leads", "".join(map(_paragraph, reasons)) + follow)


def _page(title: str, content: str, *, heading: str | None = None, policy: str = _POLICY_WITHOUT_FORM) -> Page:
    """A page with this content, which is HTML; all else is text."""
    name, site, line = _text(config.brand_name()), config.brand_url(), config.brand_text()
    brand = f'<a href="{_text(site)}">{name}</a>' if site else name
    body = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{_text(title)} · {name}</title>\n"
        '<link rel="icon" href="data:,">\n'  # or a browser asks for /favicon.ico
        f"<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<header><p>{brand}</p></header>\n"
        f"<main>\n<h1>{_text(heading or title)}</h1>\n{content}\n</main>\n"
        + (f"<footer><p>{_text(line)}</p></footer>\n" if line else "")
        + "</body>\n</html>\n"
    )
    return Page(body, {"Content-Type": CONTENT_TYPE, "Content-Security-Policy": policy})


def _paragraph(words: str) -> str:
    return f"<p>{_text(words)}</p>"


def _text(words: str) -> str:
    """Text as HTML, also within double quotes; what UTF-8 cannot express becomes a reference, as in JSON."""
    return escape(words).encode(errors="xmlcharrefreplace").decode()


def _quality(text: str) -> float:
    """A weight of Accept; 0 if it is none."""
    return float(text) if re.fullmatch(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?", text) else 0
