"""Errors, as callers see them."""

import json
import re
from http import HTTPStatus

import pytest

from chalicelib import problems
from chalicelib.problems import Problem


def drawn_tree() -> list[tuple[int, str, int | None]]:
    """Depth, name and status of each class in the tree that the module's docstring draws."""
    drawing = (problems.__doc__ or "").splitlines()
    lines = [re.fullmatch(r"    ((?:[│├└─ ]{4})*)(\w+)(?: +(\d{3}))?", line) for line in drawing]
    return [(len(line[1]) // 4, line[2], int(line[3]) if line[3] else None) for line in lines if line]


def real_tree(root: type[Problem], depth: int = 0) -> list[tuple[int, str, int | None]]:
    """The same, of the classes that there are, in the order of their definition."""
    status = None if root is Problem else root.status.value
    return [
        (depth, root.__name__, status),
        *(entry for child in root.__subclasses__() for entry in real_tree(child, depth + 1)),
    ]


def test_the_drawing_in_the_docstring_is_of_the_classes_there_are() -> None:
    assert drawn_tree() == real_tree(Problem)


def test_a_problem_is_problem_details() -> None:
    assert {
        "type": "urn:linkly:problem:code-taken",
        "title": "Conflict",
        "status": 409,
        "detail": "The code 'my-link' is taken. Choose another one, or leave it out to be given one.",
    } == json.loads(problems.CodeTaken("my-link").body())


def test_a_status_has_its_name_of_today_whatever_python_calls_it() -> None:
    names = {413: "Content Too Large", 422: "Unprocessable Content", 404: "Not Found"}

    assert names == {status: problems.title_of(HTTPStatus(status)) for status in names}


def test_the_members_come_in_the_order_of_the_standard() -> None:
    assert ["type", "title", "status", "detail"] == list(json.loads(problems.InternalError().body()))


@pytest.mark.parametrize(
    ("problem", "kind"),
    [
        (problems.Unavailable(""), "unavailable"),
        (problems.LinkNotFound(""), "link-not-found"),
        (problems.UnsupportedMediaType(), "unsupported-media-type"),
    ],
)
def test_the_type_is_the_name_of_the_class_in_kebab_case(problem: Problem, kind: str) -> None:
    assert f"urn:linkly:problem:{kind}" == json.loads(problem.body())["type"]


def test_a_detail_that_cannot_be_encoded_is_escaped() -> None:
    body = problems.LinkNotFound("\ud800\n\u2028").body()

    assert body.isascii()
    assert (
        r"There is no link '\ud800\n\u2028'. Check the spelling: codes are case-sensitive."
        == json.loads(body)["detail"]
    )


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, problems.BadRequest),
        (500, problems.InternalError),
        (405, problems.InternalError),
    ],
)
def test_chalices_own_errors_are_problems_too(status: int, kind: type[Problem]) -> None:
    assert kind is type(problems.of_status(status))


def test_who_is_not_known_is_told_how_to_say_who_they_are() -> None:
    assert {"WWW-Authenticate": 'Bearer realm="linkly"'} == problems.Unauthenticated("").headers


def test_who_comes_at_a_bad_time_is_told_when_to_come_again() -> None:
    assert {"Retry-After": "1"} == problems.Unavailable("").headers
