"""`python -m ops links`: out of one stage, and into another."""

import io

import pytest

from chalicelib import aws, config
from chalicelib.links.blocklist import put_domain
from chalicelib.links.link import Link
from chalicelib.links.status import Status
from chalicelib.links.store import every_link, insert_link
from ops.data.link_files import Format, write_links
from ops.data.links import Outcome, import_links
from tests.builders import NOW, a_link
from tests.functional.visitor import Visitor
from tests.infrastructure import items

LINKS = [
    a_link(code="-dash", owner="=1+1"),
    a_link(code="changed", version=7, updated_at=NOW.replace(day=28)),
    a_link(code="deleted", version=2, status=Status.DELETED, owner="bob, the 2nd"),
]


def exported(form: Format, owner: str | None = None) -> io.StringIO:
    file = io.StringIO(newline="")
    write_links(every_link(owner), file, form)
    file.seek(0)
    return file


def imported(file: io.StringIO, form: Format = Format.JSONL) -> list[tuple[int, Outcome]]:
    return [(line, outcome) for line, outcome, _ in import_links(file, form, frozenset())]


def by_code() -> list[Link]:
    return sorted(every_link(), key=lambda link: link.code)


@pytest.mark.parametrize("form", Format)
@pytest.mark.usefixtures("one_item_a_page")
def test_what_is_exported_and_imported_into_an_empty_stage_is_the_same(form: Format) -> None:
    for link in LINKS:
        insert_link(link)
    file = exported(form)
    for link in LINKS:
        aws.dynamodb().delete_item(TableName=config.links_table(), Key={"code": {"S": link.code}})
    emptied = items("LINKS_TABLE")

    outcomes = [outcome for _, outcome in imported(file, form)]

    assert [] == emptied
    assert [Outcome.CREATED] * 3 == outcomes
    assert LINKS == by_code()


def test_an_import_that_is_run_again_changes_nothing() -> None:
    insert_link(LINKS[0])
    file = exported(Format.JSONL)
    before = items("LINKS_TABLE")

    assert [(1, Outcome.UNCHANGED)] == imported(file)
    assert before == items("LINKS_TABLE")


def test_a_code_that_is_another_links_is_told_of_and_not_touched() -> None:
    insert_link(a_link())
    file = exported(Format.JSONL)
    aws.dynamodb().delete_item(TableName=config.links_table(), Key={"code": {"S": "my-link"}})
    insert_link(a_link(owner="bob"))

    [(line, outcome, reason)] = import_links(file, Format.JSONL, frozenset())

    assert (1, Outcome.CONFLICTING) == (line, outcome)
    assert "There is another link 'my-link'. It stays as it is." == reason
    assert [a_link(owner="bob")] == by_code()


def test_a_link_that_was_changed_since_it_was_exported_is_told_of_and_not_taken_back(ada: Visitor) -> None:
    ada.post("/links", {"url": "https://example.com/", "code": "my-link"})
    file = exported(Format.JSONL)
    ada.send("PUT", "/links/my-link", b'{"url": "https://example.com/new"}', {"Content-Type": "application/json"})

    assert [(1, Outcome.CONFLICTING)] == imported(file)
    assert ["https://example.com/new"] == [link.url for link in by_code()]


def test_a_link_into_a_blocked_domain_does_not_come_in_and_one_that_is_there_stays() -> None:
    insert_link(a_link())
    insert_link(a_link(code="was-there"))
    file = exported(Format.JSONL)
    aws.dynamodb().delete_item(TableName=config.links_table(), Key={"code": {"S": "my-link"}})
    put_domain("example.com", "fraud")

    outcomes = {outcome: reason for _, outcome, reason in import_links(file, Format.JSONL, frozenset())}

    assert {Outcome.INVALID, Outcome.UNCHANGED} == outcomes.keys()
    assert "The operator of this shortener allows no links to 'example.com'" in outcomes[Outcome.INVALID]
    assert [a_link(code="was-there")] == by_code()


def test_a_line_that_is_no_link_keeps_no_other_from_coming_in() -> None:
    insert_link(LINKS[0])
    file = io.StringIO(f"nothing\n{exported(Format.JSONL).getvalue()}")

    assert [(1, Outcome.INVALID), (2, Outcome.UNCHANGED)] == imported(file)


def test_a_link_into_a_blocked_domain_comes_in_only_if_it_is_deleted() -> None:
    file = io.StringIO(newline="")
    url = "https://www.evil.example/"
    deleted = a_link(code="deleted", url=url, status=Status.DELETED)
    write_links([a_link(code="active", url=url), deleted], file, Format.JSONL)
    file.seek(0)
    put_domain("evil.example", None)

    assert [(1, Outcome.INVALID), (2, Outcome.CREATED)] == imported(file)
    assert [deleted] == by_code()


def test_a_link_that_ends_in_a_blocked_domain_does_not_come_in_either() -> None:
    file = io.StringIO(newline="")
    write_links([a_link(expired_url="https://www.evil.example/")], file, Format.JSONL)
    file.seek(0)
    put_domain("evil.example", None)

    assert [(1, Outcome.INVALID)] == imported(file)
    assert [] == by_code()


@pytest.mark.parametrize("form", Format)
def test_a_block_is_no_status_of_a_link(form: Format) -> None:
    file = io.StringIO(newline="")
    write_links([a_link(status=Status.BLOCKED)], file, form)
    file.seek(0)

    assert [Outcome.INVALID] == [outcome for _, outcome in imported(file, form)]


@pytest.mark.usefixtures("one_item_a_page")
def test_an_owners_links_are_exported_with_the_deleted_ones() -> None:
    for link in LINKS:
        insert_link(link)

    assert LINKS[2:] == list(every_link("bob, the 2nd"))
