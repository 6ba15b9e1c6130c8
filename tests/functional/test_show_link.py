"""GET /links/{code}."""

from http import HTTPStatus

import pytest

from chalicelib.links.store import insert_link
from tests import infrastructure
from tests.builders import a_link
from tests.faults import Faults
from tests.functional.visitor import NO_STORE, Answer, Visitor, a_problem

MY_LINK = Answer(
    200, {"ETag": '"3"', **NO_STORE}, a_link(code="my-link", owner="ada", version=3).public("https://go.example.com")
)


@pytest.fixture(autouse=True)
def a_link_of_adas() -> None:
    insert_link(a_link(code="my-link", owner="ada", version=3))


def test_the_owner_sees_the_link(ada: Visitor) -> None:
    assert ada.get("/links/my-link") == MY_LINK


def test_an_admin_sees_everybodys_link(admin: Visitor) -> None:
    assert admin.get("/links/my-link") == MY_LINK


def test_a_percent_encoded_code_is_the_same_code(ada: Visitor) -> None:
    assert ada.get("/links/my%2Dlink") == MY_LINK


def test_somebody_elses_link_is_not_shown(bob: Visitor) -> None:
    detail = "This link belongs to somebody else. Use the key of its owner, or an admin's."

    assert a_problem(HTTPStatus.FORBIDDEN, "not-your-link", detail) == bob.get("/links/my-link")


@pytest.mark.parametrize("path", ["/links/no", "/links/my-link%0A", f"/links/{'a' * 65}"])
def test_no_link_is_read_for_what_cannot_be_a_code(ada: Visitor, faults: Faults, path: str) -> None:
    ada.get(path)

    assert [infrastructure.environment()["API_KEYS_TABLE"]] == [call.table for call in faults.calls]


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/links/nowhere", "'nowhere'"),
        ("/links/My-Link", "'My-Link'"),
        ("/links/no", "'no'"),
        ("/links/my-link%0A", r"'my-link\n'"),
        ("/links/%FF%FE%FD", "'���'"),
        ("/links/..%2F..%2Fapp.py", "'../../app.py'"),
        (f"/links/{'a' * 65}", f"'{'a' * 65}'"),
    ],
)
def test_an_unknown_code_is_not_found(ada: Visitor, path: str, shown: str) -> None:
    detail = f"There is no link {shown}. Check the spelling: codes are case-sensitive."

    assert a_problem(HTTPStatus.NOT_FOUND, "link-not-found", detail) == ada.get(path)
