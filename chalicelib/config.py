"""Settings: the one place that reads the environment.

Read when first needed and not at import, since packaging imports the app without them. Each function names the
variable it reads; infra/template.yaml sets them, and the README's settings table explains them.
"""

import os


class SettingMissing(RuntimeError):
    """A required environment variable is absent or unusable; the message says which, and what it is for."""


def _required(name: str, purpose: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise SettingMissing(f"Set the environment variable {name}: {purpose}.")
    return value


def links_table() -> str:
    """The name of the table that holds the links."""
    return _required("LINKS_TABLE", "the name of the table that holds the links")


def redirects_table() -> str:
    """The name of the redirect cache's table."""
    return _required("REDIRECTS_TABLE", "the name of the table that caches redirects")


def clicks_table() -> str:
    """The name of the table with one row a click."""
    return _required("CLICKS_TABLE", "the name of the table with one row a click")


def daily_clicks_table() -> str:
    """The name of the table that counts clicks per day."""
    return _required("DAILY_CLICKS_TABLE", "the name of the table that counts clicks per day")


def api_keys_table() -> str:
    """The name of the table of API keys."""
    return _required("API_KEYS_TABLE", "the name of the table of API keys")


def click_queue_url() -> str:
    """The URL of the queue that carries clicks from the redirect to the recorder."""
    return _required("CLICK_QUEUE_URL", "the URL of the queue that carries clicks")


SHORTEST_CLICK_RETENTION_DAYS = 30
"""A row must outlive every copy of its message: 4 days in the queue and 14 in the dead-letter queue, with room."""


def click_retention_days() -> int:
    """How many days a click's row is kept, at least 30."""
    text = _required("CLICK_RETENTION_DAYS", "how many days a click's row is kept")
    if not text.isdecimal() or int(text) < SHORTEST_CLICK_RETENTION_DAYS:
        raise SettingMissing(
            f"CLICK_RETENTION_DAYS is {text!r}: give a whole number of days, at least {SHORTEST_CLICK_RETENTION_DAYS}, "
            "since a click that is delivered again after its row is gone would count twice."
        )
    return int(text)


def base_url() -> str | None:
    """Where visitors follow links, such as https://go.example.com; None to use each request's own address."""
    return os.environ.get("BASE_URL", "").rstrip("/") or None
