"""The click message, as those who count it read it: what goes in, what is refused."""

import json
import uuid
from datetime import datetime
from typing import Any

import pytest

from chalicelib.clicks.click import Click, UndecodableClick, decode, encode
from tests.builders import NOW, a_click

MESSAGE = {
    "v": 1,
    "id": "6f0b1c52-8a35-4dd3-9a0e-3d1f0a6f9a11",
    "code": "my-link",
    "occurred_at": "2026-05-27T10:15:30.123000Z",
    "referrer": "https://news.example/",
    "user_agent": "Browser/1.0",
    "country": "DE",
}


def a_text(**changes: Any) -> str:
    """The message with some members changed."""
    return json.dumps({**MESSAGE, **changes})


def a_text_without(member: str) -> str:
    return json.dumps({name: value for name, value in MESSAGE.items() if name != member})


def test_a_click_is_this_message() -> None:
    click = Click(
        v=1,
        id=uuid.UUID("6f0b1c52-8a35-4dd3-9a0e-3d1f0a6f9a11"),
        code="my-link",
        occurred_at=NOW,
        referrer="https://news.example/",
        user_agent="Browser/1.0",
        country="DE",
    )

    assert MESSAGE == json.loads(encode(click))
    assert click == decode(json.dumps(MESSAGE))


def test_what_is_not_known_is_null() -> None:
    click = a_click(referrer=None, user_agent=None, country=None)

    assert {
        "v": 1,
        "id": str(click.id),
        "code": "my-link",
        "occurred_at": "2026-05-27T10:15:30.123000Z",
        "referrer": None,
        "user_agent": None,
        "country": None,
    } == json.loads(encode(click))


UTM = {"utm_source": "newsletter", "utm_medium": "e-mail", "utm_campaign": "spring"}


def test_a_click_may_have_what_its_link_was_tagged_with() -> None:
    click = decode(a_text(**UTM))

    assert a_click(**{**MESSAGE, "id": click.id, "occurred_at": NOW, **UTM}) == click
    assert {**MESSAGE, **UTM} == json.loads(encode(click))


def test_the_message_of_a_link_without_tags_is_what_it_was_before_there_were_any() -> None:
    click = decode(a_text())

    assert (None, None, None) == (click.utm_source, click.utm_medium, click.utm_campaign)
    assert [*MESSAGE] == [*json.loads(encode(click))]
    assert click == decode(a_text(utm_source=None))


def test_members_that_a_later_version_may_add_are_ignored() -> None:
    assert decode(a_text()) == decode(a_text(campaign="spring"))


@pytest.mark.parametrize("spelling", [MESSAGE["id"].upper(), MESSAGE["id"].replace("-", "")])  # type: ignore[attr-defined]
def test_an_id_has_one_key_however_it_is_spelled(spelling: str) -> None:
    assert ("my-link", MESSAGE["id"]) == decode(a_text(id=spelling)).key


@pytest.mark.parametrize(
    ("occurred_at", "day"),
    [
        ("2026-05-27T00:00:00Z", "2026-05-27"),
        ("2026-05-27T23:59:59.999999Z", "2026-05-27"),
        ("2026-05-27T01:30:00+02:00", "2026-05-26"),
        ("2026-05-26T23:30:00-02:00", "2026-05-27"),
    ],
)
def test_a_click_counts_for_its_day_in_utc(occurred_at: str, day: str) -> None:
    assert day == decode(a_text(occurred_at=occurred_at)).day


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("no click", id="no JSON"),
        pytest.param(a_text()[:-1], id="cut off"),
        pytest.param(f"\ufeff{a_text()}", id="byte order mark"),
        pytest.param("null", id="null"),
        pytest.param(f"[{a_text()}]", id="an array"),
        pytest.param("[" * 100_000, id="deep"),
        pytest.param(a_text()[:-1] + ', "x": ' + "[" * 100_000 + "]" * 100_000 + "}", id="deep in an unknown member"),
        pytest.param(a_text()[:-1] + ', "x": ' + '{"x":' * 100_000 + "1" + "}" * 100_001, id="deep in unknown objects"),
        pytest.param("\ud800", id="lone surrogate"),
        pytest.param(a_text().replace("Browser", "\udfff"), id="lone surrogate in a member"),
        pytest.param(a_text(user_agent="\ud800"), id="escaped lone surrogate"),
        pytest.param(a_text_without("v"), id="no version"),
        pytest.param(a_text(v=0), id="version 0"),
        pytest.param(a_text(v=2), id="version 2"),
        pytest.param(a_text(v="1"), id="version in quotes"),
        pytest.param(a_text(v=True), id="version true"),
        pytest.param(a_text_without("id"), id="no id"),
        pytest.param(a_text(id=""), id="empty id"),
        pytest.param(a_text(id="6f0b1c52"), id="short id"),
        pytest.param(a_text(id=None), id="id is null"),
        pytest.param(a_text_without("code"), id="no code"),
        pytest.param(a_text(code="no"), id="short code"),
        pytest.param(a_text(code="a" * 65), id="long code"),
        pytest.param(a_text(code="ümlaut"), id="foreign code"),
        pytest.param(a_text(code="my link"), id="code with a space"),
        pytest.param(a_text(code="my-link\n"), id="code with a line break"),
        pytest.param(a_text_without("occurred_at"), id="no time"),
        pytest.param(a_text(occurred_at=1779876930), id="time is a number"),
        pytest.param(a_text(occurred_at="yesterday"), id="time in words"),
        pytest.param(a_text(occurred_at="2026-05-27T10:15:30"), id="time without zone"),
        pytest.param(a_text(occurred_at="2026-02-30T10:15:30Z"), id="no such day"),
        pytest.param(a_text(occurred_at="10000-01-01T00:00:00Z"), id="year 10000"),
        pytest.param(a_text(occurred_at="9999-12-31T23:59:59-01:00"), id="year 10000 in UTC"),
        pytest.param(a_text(occurred_at="0001-01-01T00:00:00+14:00"), id="before the year 1 in UTC"),
        pytest.param(a_text(referrer="x" * 1025), id="long referrer"),
        pytest.param(a_text(referrer=1), id="referrer is a number"),
        pytest.param(a_text_without("referrer"), id="no referrer"),
        pytest.param(a_text(user_agent="x" * 513), id="long user agent"),
        pytest.param(a_text(utm_source="x" * 65), id="long source"),
        pytest.param(a_text(utm_campaign=1), id="campaign is a number"),
        pytest.param(a_text(country="DEU"), id="long country"),
        pytest.param(a_text(country="de"), id="small country"),
        pytest.param(a_text(country="DE\n"), id="country with a line break"),
    ],
)
def test_what_is_not_a_click_of_version_1_is_undecodable(text: str) -> None:
    with pytest.raises(UndecodableClick):
        decode(text)


@pytest.mark.parametrize("occurred_at", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"])
def test_any_year_that_has_a_name_can_be_decoded_and_is_somebody_elses_to_refuse(occurred_at: str) -> None:
    assert datetime.fromisoformat(occurred_at) == decode(a_text(occurred_at=occurred_at)).occurred_at
