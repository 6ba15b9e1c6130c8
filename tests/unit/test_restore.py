"""`python -m ops restore`: which tables, to which time, under which names."""

from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
import typer
from botocore.stub import Stubber

from ops.repairing import restore
from ops.repairing.restore import Name, RestoreFailed, moment, require_restorable, restored_name, together
from tests.infrastructure import template

TEN = datetime(2026, 11, 22, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["2026-11-22T10:00Z", "2026-11-22T10:00:00.999Z", "2026-11-22T11:00+01:00", "2026-11-22 10:00:00+00:00"]
)
def test_a_time_has_a_zone_and_whole_seconds(text: str) -> None:
    assert TEN == moment(text)


@pytest.mark.parametrize("text", ["2026-11-22T10:00", "2026-11-22", "yesterday", ""])
def test_a_time_without_a_zone_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="2026-11-22T10:00Z"):
        moment(text)


def test_a_restored_table_is_named_after_its_time() -> None:
    assert "linkly-dev-links-restored-20261122T100000Z" == restored_name("dev", Name.LINKS, TEN)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ([Name.LINKS], [Name.LINKS]),
        ([Name.CLICKS], [Name.CLICKS, Name.DAILY_CLICKS]),
        ([Name.DAILY_CLICKS, Name.LINKS], [Name.LINKS, Name.CLICKS, Name.DAILY_CLICKS]),
        (list(Name), list(Name)),
    ],
)
def test_the_tables_of_clicks_are_restored_together(asked: list[Name], expected: list[Name]) -> None:
    assert expected == together(asked)


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Amazon's client, which checks what it is sent and answers what AWS's API reference shows."""
    made = boto3.client("dynamodb")
    monkeypatch.setattr(restore, "client", lambda _: made)
    with Stubber(made) as stub:
        yield stub
        stub.assert_no_pending_responses()


def backups(**recovery: Any) -> dict[str, Any]:
    return {
        "ContinuousBackupsDescription": {
            "ContinuousBackupsStatus": "ENABLED",
            "PointInTimeRecoveryDescription": recovery,
        }
    }


@pytest.mark.parametrize(
    ("first", "last", "sentence"),
    [
        (timedelta(days=-35), timedelta(), None),
        (timedelta(microseconds=500), timedelta(1), None),
        (timedelta(seconds=1), timedelta(1), "between 2026-11-22T10:00:01.000Z and 2026-11-23T10:00:00.000Z"),
        (timedelta(-1), timedelta(seconds=-1), "between 2026-11-21T10:00:00.000Z and 2026-11-22T09:59:59.000Z"),
    ],
)
def test_a_time_that_has_no_backup_is_refused_with_those_that_have(
    dynamodb: Stubber, first: timedelta, last: timedelta, sentence: str | None
) -> None:
    answer = backups(
        PointInTimeRecoveryStatus="ENABLED",
        EarliestRestorableDateTime=TEN + first,
        LatestRestorableDateTime=TEN + last,
    )
    dynamodb.add_response("describe_continuous_backups", answer, {"TableName": "linkly-dev-links"})

    refused = None
    try:
        require_restorable("linkly-dev-links", TEN)
    except RestoreFailed as error:
        refused = str(error)

    assert (refused is None) == (sentence is None)
    assert sentence is None or sentence in (refused or "")


def test_a_table_without_backups_is_refused(dynamodb: Stubber) -> None:
    dynamodb.add_response("describe_continuous_backups", backups(PointInTimeRecoveryStatus="DISABLED"))

    with pytest.raises(RestoreFailed, match="Of linkly-dev-links there are no backups"):
        require_restorable("linkly-dev-links", TEN)


def test_tables_are_restored_and_waited_for_those_that_were_started_before_too(
    dynamodb: Stubber, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(restore, "_SECONDS_BETWEEN_LOOKS", 0)
    monkeypatch.setattr(restore, "connect", lambda _: "dev")
    sources = ["linkly-dev-clicks", "linkly-dev-daily_clicks"]
    targets = [f"{source}-restored-20261122T100000Z" for source in sources]
    there = backups(PointInTimeRecoveryStatus="ENABLED", EarliestRestorableDateTime=TEN, LatestRestorableDateTime=TEN)
    for source in sources:
        dynamodb.add_response("describe_continuous_backups", there, {"TableName": source})
    dynamodb.add_response(
        "restore_table_to_point_in_time",
        {"TableDescription": {"TableName": targets[0], "TableStatus": "CREATING"}},
        {"SourceTableName": sources[0], "TargetTableName": targets[0], "RestoreDateTime": TEN},
    )
    dynamodb.add_client_error("restore_table_to_point_in_time", "TableAlreadyExistsException", http_status_code=400)
    for states in (("CREATING", "ACTIVE"), ("ACTIVE", "ACTIVE")):
        for target, state in zip(targets, states, strict=True):
            dynamodb.add_response("describe_table", {"Table": {"TableStatus": state}}, {"TableName": target})

    restore.tables(TEN, [Name.CLICKS], "dev")

    assert targets == capsys.readouterr().out.splitlines()


def test_every_table_is_restored_but_those_that_fill_by_themselves() -> None:
    names = {
        resource["Properties"]["TableName"]["Fn::Sub"].removeprefix("linkly-${Stage}-")
        for resource in template()["Resources"].values()
        if resource.get("Type") == "AWS::DynamoDB::Table"
    }

    assert {*Name, "redirects", "idempotency"} == names
