"""The owners' page as it is served, QR codes, and what a key's holder is told about themselves."""

import re
from datetime import timedelta
from http import HTTPStatus
from xml.etree import ElementTree as ET

import pytest

from chalicelib import clock
from chalicelib.access.store import put_key
from chalicelib.links.link import Use, fields
from chalicelib.pages import page
from chalicelib.pages.page import POLICY, files, shell, version
from tests.builders import NOW, TOKEN, a_key
from tests.faults import Faults
from tests.functional.visitor import NO_STORE, Answer, Visitor, a_problem
from tests.infrastructure import BASE_URL


def test_the_page_is_asked_for_anew_each_time_and_has_a_policy_of_its_own(anyone: Visitor) -> None:
    answer = anyone.get("/ui")

    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Cache-Control": "no-cache",
        "Content-Security-Policy": POLICY,
    }
    assert Answer(200, headers, shell("/ui")) == answer


def test_the_pages_policy_has_two_walls_before_a_script_that_is_not_ours() -> None:
    """A browser test sees that nothing gets through, and so would not see that one of them is gone."""
    assert {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self'",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "lit-html",
    } == dict(directive.split(" ", 1) for directive in POLICY.split("; "))


def test_a_browser_keeps_the_pages_files_for_good(anyone: Visitor) -> None:
    for name, file in files().items():
        answer = anyone.get(f"/ui/{version()}/{name}")

        headers = {"Content-Type": file.media_type, "Cache-Control": "public, max-age=31536000, immutable"}
        assert Answer(200, headers, file.text) == answer


def test_our_comments_stay_here_and_a_licence_goes_along() -> None:
    commented = {name for name, file in files().items() if re.search(r"^ *(//|/\*)", file.text, re.MULTILINE)}

    assert {"lit-html.js"} == commented
    assert "SPDX-License-Identifier: BSD-3-Clause" in files()["lit-html.js"].text


def test_but_for_comments_files_are_served_as_they_are() -> None:
    for name, file in files().items():
        lines = iter((page.FILES / name).read_text().splitlines())

        assert all(line in lines for line in file.text.splitlines()), name


def test_another_versions_files_and_what_is_no_file_are_not_found(anyone: Visitor) -> None:
    gone = a_problem(
        HTTPStatus.NOT_FOUND, "not-found", "The page has no such file, or not any more. Load the page again."
    )

    found = [
        anyone.get(f"/ui/{path}")
        for path in (
            "0123456789ab/app.js",
            f"{version()}/index.html",
            f"{version()}/lit-html.licence.txt",
            f"{version()}/..%2Fpage.py",
        )
    ]

    assert [gone] * 4 == found


@pytest.mark.parametrize(("path", "directory"), [("/api/ui", "./ui/"), ("/ui/", "./")])
def test_the_page_finds_its_files_wherever_it_stands(path: str, directory: str) -> None:
    addresses = re.findall(r'(?:src|href)="([^"]*)"', shell(path))

    assert {f"{directory}{version()}"} == {address.rpartition("/")[0] for address in addresses}
    assert {address.rpartition("/")[2] for address in addresses} <= files().keys()


def test_the_version_changes_with_any_file(monkeypatch: pytest.MonkeyPatch) -> None:
    before = version()
    changed = {**files(), "app.css": page.File("text/css; charset=utf-8", "body { color: red }")}
    monkeypatch.setattr(page, "files", lambda: changed)

    version.cache_clear()
    after = version()

    version.cache_clear()
    assert before != after


def test_a_qr_code_is_drawn_of_the_short_url_without_a_look_into_the_database(anyone: Visitor, faults: Faults) -> None:
    answer = anyone.get("/links/my-link/qr.svg")

    image = ET.fromstring(answer.body)  # noqa: S314 (our own)
    headers = {"Content-Type": "image/svg+xml", "Cache-Control": "public, max-age=86400"}
    assert (200, headers, "{http://www.w3.org/2000/svg}svg") == (answer.status, answer.headers, image.tag)
    assert [] == faults.calls


def test_different_links_have_different_qr_codes_and_one_link_always_the_same(anyone: Visitor) -> None:
    first, other, again = (anyone.get(f"/links/{code}/qr.svg").body for code in ("one", "two", "one"))

    assert (first == again, first == other) == (True, False)
    assert BASE_URL not in first


def test_what_is_no_code_has_no_qr_code(anyone: Visitor) -> None:
    assert a_problem(
        HTTPStatus.NOT_FOUND, "link-not-found", "There is no link 'a b'. Check the spelling: codes are case-sensitive."
    ) == anyone.get("/links/a%20b/qr.svg")


def test_a_key_says_whose_it_is(ada: Visitor, admin: Visitor) -> None:
    assert [
        Answer(200, NO_STORE, {"owner": owner, "role": role, "key_id": visitor.key_id, "expires_at": None})
        for owner, role, visitor in (("ada", "user", ada), ("root", "admin", admin))
    ] == [ada.get("/me"), admin.get("/me")]


def test_a_key_says_when_it_ends(anyone: Visitor) -> None:
    end = NOW + timedelta(days=1)
    put_key(a_key(TOKEN, expires_at=end))

    answer = anyone.sending(Authorization=f"Bearer {TOKEN}").get("/me")

    assert clock.rfc3339(end) == answer.body["expires_at"]


def test_every_field_that_an_owner_may_set_is_in_the_pages_form() -> None:
    form = files()["edit.js"].text
    names = re.search(r"const NAMES = \{(.*?)\};", form, re.DOTALL)
    assert names

    assert {*fields(Use.CREATE), *fields(Use.CHANGE)} == set(re.findall(r"(\w+):", names[1]))
