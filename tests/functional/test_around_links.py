"""HOME_URL and NOT_FOUND_URL: where visitors are sent who ask for no link, or for none that there is."""

import pytest

from chalicelib.links.status import Status
from chalicelib.links.store import insert_link
from tests import infrastructure
from tests.builders import a_link
from tests.functional.visitor import Visitor

SITE = "https://www.example.com/"


@pytest.fixture
def a_site(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME_URL", "NOT_FOUND_URL"):
        monkeypatch.setenv(name, f"{SITE}{name.lower()}")


@pytest.mark.usefixtures("a_site")
def test_the_bare_domain_leads_to_the_site(anyone: Visitor) -> None:
    answer = anyone.get("/")

    assert (302, f"{SITE}home_url", "no-store") == (
        answer.status,
        answer.headers["Location"],
        answer.headers["Cache-Control"],
    )


def test_without_a_site_there_is_nothing_at_the_bare_domain(anyone: Visitor) -> None:
    assert 404 == anyone.get("/").status


@pytest.mark.usefixtures("a_site")
@pytest.mark.parametrize("code", ["unknown", "%0a", "ab"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_an_unknown_code_leads_to_the_site_uncounted(visitor: Visitor, method: str, code: str) -> None:
    answer = visitor.send(method, f"/{code}")

    assert (302, f"{SITE}not_found_url") == (answer.status, answer.headers["Location"])
    assert [] == infrastructure.receive()


@pytest.mark.usefixtures("a_site")
def test_a_link_that_leads_nowhere_says_why_all_the_same(visitor: Visitor) -> None:
    insert_link(a_link(code="gone", status=Status.DELETED))
    insert_link(a_link(code="off", enabled=False))

    assert [410, 404] == [visitor.get(f"/{code}").status for code in ("gone", "off")]


def test_without_a_site_an_unknown_code_is_not_found(visitor: Visitor) -> None:
    assert 404 == visitor.get("/unknown").status
