"""Settings, which say what is wrong with them."""

from collections.abc import Callable

import pytest

from chalicelib import config


@pytest.mark.parametrize("value", [None, ""])
@pytest.mark.parametrize(
    ("read", "name", "purpose"),
    [
        (config.links_table, "LINKS_TABLE", "the name of the table that holds the links"),
        (config.redirects_table, "REDIRECTS_TABLE", "the name of the table that caches redirects"),
        (config.clicks_table, "CLICKS_TABLE", "the name of the table with one row a click"),
        (config.daily_clicks_table, "DAILY_CLICKS_TABLE", "the name of the table that counts clicks per day"),
        (config.api_keys_table, "API_KEYS_TABLE", "the name of the table of API keys"),
        (config.click_queue_url, "CLICK_QUEUE_URL", "the URL of the queue that carries clicks"),
        (config.click_retention_days, "CLICK_RETENTION_DAYS", "how many days a click's row is kept"),
        (
            config.private_targets_allowed,
            "PRIVATE_TARGETS_ALLOWED",
            "whether links may point at private networks: true or false",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isupper() else "",
)
def test_a_missing_setting_is_named_with_its_purpose(
    monkeypatch: pytest.MonkeyPatch, read: Callable[[], object], name: str, purpose: str, value: str | None
) -> None:
    monkeypatch.delenv(name)
    if value is not None:
        monkeypatch.setenv(name, value)

    with pytest.raises(config.SettingMissing) as raised:
        read()

    assert f"Set the environment variable {name}: {purpose}." == str(raised.value)


def test_settings_are_what_the_environment_says() -> None:
    assert (
        "linkly-test-links",
        "linkly-test-redirects",
        "linkly-test-clicks",
        "linkly-test-daily_clicks",
        "linkly-test-api_keys",
        "https://sqs.eu-central-1.amazonaws.com/123456789012/linkly-test-clicks",
        90,
        "https://go.example.com",
    ) == (
        config.links_table(),
        config.redirects_table(),
        config.clicks_table(),
        config.daily_clicks_table(),
        config.api_keys_table(),
        config.click_queue_url(),
        config.click_retention_days(),
        config.base_url(),
    )


@pytest.mark.parametrize("text", ["go.example.com", "https://", "ftp://go.example.com", "https://go.example.com/path"])
def test_an_address_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("BASE_URL", text)

    with pytest.raises(config.SettingMissing, match="give an address without a path"):
        config.base_url()


@pytest.mark.parametrize("days", ["30", "31", "3650"])
def test_clicks_are_kept_for_thirty_days_or_more(monkeypatch: pytest.MonkeyPatch, days: str) -> None:
    monkeypatch.setenv("CLICK_RETENTION_DAYS", days)

    assert int(days) == config.click_retention_days()


@pytest.mark.parametrize("days", ["29", "0", "-30", "90.0", "ninety", "90 days", "9²", "1e3"])
def test_a_retention_that_could_count_a_click_twice_is_refused(monkeypatch: pytest.MonkeyPatch, days: str) -> None:
    monkeypatch.setenv("CLICK_RETENTION_DAYS", days)

    with pytest.raises(config.SettingMissing) as raised:
        config.click_retention_days()

    assert (
        f"CLICK_RETENTION_DAYS is {days!r}: give a whole number of days, at least 30, "
        "since a click that is delivered again after its row is gone would count twice."
    ) == str(raised.value)


@pytest.mark.parametrize(("value", "seconds"), [("15", 15), ("0.1", 0.1), ("0.2", 0.2), ("900", 900), ("2.50", 2.5)])
def test_the_first_pause_may_be_a_part_of_a_second(monkeypatch: pytest.MonkeyPatch, value: str, seconds: float) -> None:
    monkeypatch.setenv("RETRY_PAUSE_SECONDS", value)

    assert seconds == config.retry_pause_seconds()


@pytest.mark.parametrize("value", ["0", "0.09", "-1", "1e3", "nan", "inf", ".5", "5.", "1,5", "9²", "15 s"])
def test_a_first_pause_that_is_no_number_or_next_to_nothing_is_refused(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("RETRY_PAUSE_SECONDS", value)

    with pytest.raises(config.SettingMissing) as raised:
        config.retry_pause_seconds()

    assert f"RETRY_PAUSE_SECONDS is {value!r}: give a number of seconds, at least 0.1." == str(raised.value)


@pytest.mark.parametrize(("value", "allowed"), [("true", True), ("false", False)])
def test_private_targets_are_allowed_or_not(monkeypatch: pytest.MonkeyPatch, value: str, *, allowed: bool) -> None:
    monkeypatch.setenv("PRIVATE_TARGETS_ALLOWED", value)

    assert allowed is config.private_targets_allowed()


@pytest.mark.parametrize("value", ["True", "1", "yes", "no", " true"])
def test_what_is_neither_true_nor_false_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("PRIVATE_TARGETS_ALLOWED", value)

    with pytest.raises(config.SettingMissing) as raised:
        config.private_targets_allowed()

    assert f"PRIVATE_TARGETS_ALLOWED is {value!r}: give true or false." == str(raised.value)


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("https://go.example.com", "https://go.example.com"),
        ("https://go.example.com/", "https://go.example.com"),
        ("", None),
        (None, None),
    ],
)
def test_the_address_is_without_a_slash_at_its_end_or_left_to_the_request(
    monkeypatch: pytest.MonkeyPatch, value: str | None, address: str | None
) -> None:
    monkeypatch.delenv("BASE_URL")
    if value is not None:
        monkeypatch.setenv("BASE_URL", value)

    assert address == config.base_url()


@pytest.mark.parametrize(
    ("listed", "origins"),
    [
        ("", set()),
        (" , ", set()),
        ("https://admin.example.com", {"https://admin.example.com"}),
        ("https://a.example, http://localhost:3000,", {"https://a.example", "http://localhost:3000"}),
    ],
)
def test_allowed_origins_are_separated_by_commas(
    monkeypatch: pytest.MonkeyPatch, listed: str, origins: set[str]
) -> None:
    monkeypatch.setenv("ALLOWED_ORIGINS", listed)

    assert origins == config.allowed_origins()
