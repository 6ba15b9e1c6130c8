"""No address of a visitor is stored, sent on or logged."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from app import app
from chalicelib.clicks import recorder
from chalicelib.deliveries import BatchFailed
from chalicelib.links.store import insert_link
from tests import infrastructure
from tests.addresses import ADDRESSES, HEADERS
from tests.builders import LambdaContext, a_link, a_message, a_request, an_sqs_event
from tests.faults import Fault, Faults, lost, refused, timed_out
from tests.functional.visitor import Visitor

IDENTITY = {"sourceIp": ADDRESSES[0], "userAgent": "Browser/1.0", "caller": None}
FAULTS = [refused("AccessDeniedException"), timed_out(), lost(timed_out())]


@pytest.fixture
def everything(
    logs: Callable[[], list[dict[str, Any]]], capfd: pytest.CaptureFixture[str]
) -> Callable[[], dict[str, str]]:
    """Call it for all that is in the tables, in the queues and in the logs, as text."""

    def collect() -> dict[str, str]:
        tables = [name for name in infrastructure.environment() if name.endswith("_TABLE")]
        resources = infrastructure.template()["Resources"].items()
        queues = [name for name, resource in resources if resource.get("Type") == "AWS::SQS::Queue"]
        printed = capfd.readouterr()
        return {
            "tables": json.dumps([infrastructure.items(table) for table in tables], default=str),
            "queues": json.dumps([infrastructure.receive(queue) for queue in queues]),
            "logs": json.dumps([logs(), printed.out, printed.err]),
        }

    return collect


def call_every_route(visitor: Visitor, link: str = "my-link") -> None:
    """As somebody with known addresses, on a link and where there is none; the link is deleted last."""
    routes = [(method, path) for path, methods in app.routes.items() for method in methods]
    for method, path in sorted(routes, key=lambda route: route[0] == "DELETE"):
        for code in (link, "nowhere"):
            request = a_request(
                method,
                path,
                pathParameters={"code": code} if "{code}" in path else {},
                headers={**visitor.headers, **HEADERS, "Content-Type": "application/json"},
                body='{"url": "https://example.com/"}',
                requestContext={"identity": IDENTITY},
            )
            app(request, LambdaContext())


def addresses_in(found: dict[str, str]) -> list[tuple[str, str]]:
    return [(where, address) for where, text in found.items() for address in ADDRESSES if address in text]


@pytest.mark.parametrize("who", ["anyone", "ada", "admin"])
def test_no_route_keeps_an_address(
    request: pytest.FixtureRequest, everything: Callable[[], dict[str, str]], who: str
) -> None:
    insert_link(a_link(code="my-link", owner="ada"))
    visitor: Visitor = request.getfixturevalue(who)

    call_every_route(visitor)

    found = everything()
    assert "Browser/1.0" in found["queues"]  # the click that was made, so that this looks where it should
    assert [] == addresses_in(found)


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_no_failure_logs_an_address(
    ada: Visitor, faults: Faults, everything: Callable[[], dict[str, str]], fault: Fault
) -> None:
    for operation in ("SendMessage", "GetItem", "PutItem", "UpdateItem", "Query", "BatchGetItem"):
        faults.repair()
        insert_link(a_link(code=operation, owner="ada"))
        faults.plan(fault, operation=operation)

        call_every_route(ada, operation)

    found = everything()
    assert "unqueued_click" in found["logs"]
    assert [] == addresses_in(found)


def test_no_fault_of_ours_logs_an_address(
    ada: Visitor, monkeypatch: pytest.MonkeyPatch, everything: Callable[[], dict[str, str]]
) -> None:
    for setting in ("LINKS_TABLE", "REDIRECTS_TABLE"):
        monkeypatch.delenv(setting)

    call_every_route(ada)

    monkeypatch.undo()
    found = everything()
    assert "SettingMissing" in found["logs"]
    assert [] == addresses_in(found)


@pytest.mark.parametrize("fault", [None, *FAULTS], ids=str)
def test_no_row_and_no_dead_letter_has_an_address(
    anyone: Visitor, faults: Faults, everything: Callable[[], dict[str, str]], fault: Fault | None
) -> None:
    insert_link(a_link(code="my-link", owner="ada"))
    call_every_route(anyone)
    records = [*infrastructure.receive(), a_message("no click")]
    if fault:
        faults.plan(fault, operation="TransactWriteItems")

    with suppress(BatchFailed):
        recorder.record_clicks(an_sqs_event(*records), LambdaContext())

    found = everything()
    assert ("Browser/1.0" in found["tables"]) is (fault is None or str(fault).startswith("done"))
    assert [] == addresses_in(found)
