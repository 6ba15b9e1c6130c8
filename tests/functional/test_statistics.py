"""GET /stats/{code}."""

from datetime import timedelta
from http import HTTPStatus

import pytest

from chalicelib.clicks import recorder
from chalicelib.links.store import insert_link
from tests import infrastructure
from tests.builders import NOW, LambdaContext, a_link, a_message, an_sqs_event, clicks
from tests.faults import Faults
from tests.functional.visitor import NO_STORE, Answer, Visitor, a_problem


@pytest.fixture(autouse=True)
def a_link_with_clicks() -> None:
    """Two clicks today, one yesterday, three 40 days ago; and one on another link."""
    insert_link(a_link(code="my-link", owner="ada"))
    insert_link(a_link(code="quiet", owner="ada"))
    record(2)
    record(1, days_ago=1)
    record(3, days_ago=40)
    record(1, code="another")


def record(number: int, code: str = "my-link", days_ago: int = 0) -> None:
    made = clicks(number, code=code, occurred_at=NOW - timedelta(days=days_ago))
    recorder.record_clicks(an_sqs_event(*map(a_message, made)), LambdaContext())


def test_the_owner_sees_the_last_thirty_days_newest_first_and_the_total_of_all_time(ada: Visitor) -> None:
    answer = ada.get("/stats/my-link")

    by_day = [{"day": "2026-05-27", "clicks": 2}, {"day": "2026-05-26", "clicks": 1}]
    assert Answer(200, NO_STORE, {"code": "my-link", "total": 6, "by_day": by_day}) == answer


@pytest.mark.parametrize(
    ("days", "shown"),
    [
        ("1", {"2026-05-27": 2}),
        ("2", {"2026-05-27": 2, "2026-05-26": 1}),
        ("40", {"2026-05-27": 2, "2026-05-26": 1}),
        ("41", {"2026-05-27": 2, "2026-05-26": 1, "2026-04-17": 3}),
        ("3660", {"2026-05-27": 2, "2026-05-26": 1, "2026-04-17": 3}),
    ],
)
def test_the_owner_says_how_many_days_to_show(ada: Visitor, days: str, shown: dict[str, int]) -> None:
    answer = ada.get(f"/stats/my-link?days={days}")

    by_day = [{"day": day, "clicks": number} for day, number in shown.items()]
    assert Answer(200, NO_STORE, {"code": "my-link", "total": 6, "by_day": by_day}) == answer


@pytest.mark.parametrize(
    "days",
    [
        "0",
        "-1",
        pytest.param("9" * 5000, id="5000 nines"),
        "3661",
        "10000000000",
        "ten",
        "",
        "1.5",
        "%2B1",
        "1e2",
        "%E0%A5%A7",
        "%20%201",
    ],
)
def test_days_that_are_not_a_number_from_1_to_3660_are_refused(ada: Visitor, days: str) -> None:
    answer = ada.get(f"/stats/my-link?days={days}")

    detail = "The parameter 'days' must be a whole number from 1 to 3660."
    assert a_problem(HTTPStatus.BAD_REQUEST, "bad-request", detail) == answer


def test_a_link_that_nobody_clicked_has_a_total_of_zero(ada: Visitor) -> None:
    assert Answer(200, NO_STORE, {"code": "quiet", "total": 0, "by_day": []}) == ada.get("/stats/quiet")


def test_an_admin_sees_everybodys_statistics(ada: Visitor, admin: Visitor) -> None:
    assert ada.get("/stats/my-link") == admin.get("/stats/my-link")


def test_a_percent_encoded_code_is_the_same_code(ada: Visitor) -> None:
    assert ada.get("/stats/my-link") == ada.get("/stats/%6Dy-link")


def test_somebody_elses_statistics_are_not_shown(bob: Visitor) -> None:
    detail = "This link belongs to somebody else. Use the key of its owner, or an admin's."

    assert a_problem(HTTPStatus.FORBIDDEN, "not-your-link", detail) == bob.get("/stats/my-link")


def test_a_code_without_a_link_has_no_statistics(ada: Visitor) -> None:
    detail = "There is no link 'another'. Check the spelling: codes are case-sensitive."

    assert a_problem(HTTPStatus.NOT_FOUND, "link-not-found", detail) == ada.get("/stats/another")


def test_two_environments_add_to_shards_of_their_own_and_statistics_sum_them(
    ada: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    for shard in (3, 12):
        monkeypatch.setattr(recorder, "own_shard", lambda shard=shard: shard)
        record(5, code="quiet")

    answer = ada.get("/stats/quiet")

    by_day = [{"day": "2026-05-27", "clicks": 10}]
    assert Answer(200, NO_STORE, {"code": "quiet", "total": 10, "by_day": by_day}) == answer


@pytest.mark.usefixtures("one_item_a_page")
def test_statistics_of_many_days_are_read_to_the_last_page(ada: Visitor) -> None:
    answer = ada.get("/stats/my-link")

    by_day = [{"day": "2026-05-27", "clicks": 2}, {"day": "2026-05-26", "clicks": 1}]
    assert Answer(200, NO_STORE, {"code": "my-link", "total": 6, "by_day": by_day}) == answer


def test_no_click_is_read_to_count_them(ada: Visitor, faults: Faults) -> None:
    ada.get("/stats/my-link")

    tables = ("API_KEYS_TABLE", "LINKS_TABLE", "DAILY_CLICKS_TABLE")
    assert [infrastructure.environment()[table] for table in tables] == [call.table for call in faults.calls]


def test_key_link_and_counters_are_read_as_of_now(ada: Visitor, faults: Faults) -> None:
    ada.get("/stats/my-link")

    assert [True, True, True] == [call.params["ConsistentRead"] for call in faults.calls]
