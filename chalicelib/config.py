"""Settings: the one place that reads the environment.

Read when first needed and not at import, since packaging imports the app without them. Each function names the
variable it reads; infra/template.yaml sets them, and docs/settings.md lists them.
"""

import os
import re
import sys


class SettingMissing(RuntimeError):
    """A required environment variable is absent or unusable; the message says which, and what it is for."""


def _required(name: str, purpose: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise SettingMissing(f"Set the environment variable {name}: {purpose}.")
    return value


def stage() -> str:
    """The name of the stage, which metrics and log lines carry."""
    return _required("STAGE", "the name of the stage")


def links_table() -> str:
    """The name of the table that holds the links."""
    return _required("LINKS_TABLE", "the name of the table that holds the links")


def redirects_table() -> str:
    """The name of the redirect cache's table."""
    return _required("REDIRECTS_TABLE", "the name of the table that caches redirects")


def allowances_table() -> str:
    """The name of the table that says how often links with a limit were followed."""
    return _required("ALLOWANCES_TABLE", "the name of the table that says how often links with a limit were followed")


def clicks_table() -> str:
    """The name of the table with one row a click."""
    return _required("CLICKS_TABLE", "the name of the table with one row a click")


def daily_clicks_table() -> str:
    """The name of the table that counts clicks per day."""
    return _required("DAILY_CLICKS_TABLE", "the name of the table that counts clicks per day")


def api_keys_table() -> str:
    """The name of the table of API keys."""
    return _required("API_KEYS_TABLE", "the name of the table of API keys")


def blocked_domains_table() -> str:
    """The name of the table of domains that no link may point at."""
    return _required("BLOCKED_DOMAINS_TABLE", "the name of the table of domains that no link may point at")


def click_queue_url() -> str:
    """The URL of the queue that carries clicks from the redirect to the recorder."""
    return _required("CLICK_QUEUE_URL", "the URL of the queue that carries clicks")


def link_events_topic_arn() -> str:
    """The ARN of the topic on which changes of links are announced."""
    return _required("LINK_EVENTS_TOPIC_ARN", "the ARN of the topic that announces changes of links")


def link_changes_queue_url() -> str:
    """The URL of the queue that carries changes of links to the redirect cache."""
    return _required("LINK_CHANGES_QUEUE_URL", "the URL of the queue that carries changes to the redirect cache")


def deleted_links_queue_url() -> str:
    """The URL of the queue of links whose clicks are to be removed."""
    return _required("DELETED_LINKS_QUEUE_URL", "the URL of the queue of links whose clicks are to be removed")


def daily_links_table() -> str:
    """The name of the table that counts new links per day."""
    return _required("DAILY_LINKS_TABLE", "the name of the table that counts new links per day")


def idempotency_table() -> str:
    """The name of the table that remembers the answers to requests with an Idempotency-Key."""
    return _required("IDEMPOTENCY_TABLE", "the name of the table that remembers answers by Idempotency-Key")


SHORTEST_RETRY_PAUSE = 0.1
"""Seconds, in which an hour's outage is 24 seconds long: for tests and drills."""


def retry_pause_seconds() -> float:
    """Seconds until a message that failed is delivered again, the first time; each further pause is sixfold."""
    text = _required("RETRY_PAUSE_SECONDS", "the seconds until a message that failed is delivered again")
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", text) or float(text) < SHORTEST_RETRY_PAUSE:
        raise SettingMissing(
            f"RETRY_PAUSE_SECONDS is {text!r}: give a number of seconds, at least {SHORTEST_RETRY_PAUSE}."
        )
    return float(text)


SHORTEST_CLICK_RETENTION_DAYS = 30
"""A row must outlive every copy of its message, which may wait for 14 days and, sent back once, for 14 more."""


def click_retention_days() -> int:
    """How many days a click's row is kept, at least 30."""
    text = _required("CLICK_RETENTION_DAYS", "how many days a click's row is kept")
    if not text.isdecimal() or int(text) < SHORTEST_CLICK_RETENTION_DAYS:
        raise SettingMissing(
            f"CLICK_RETENTION_DAYS is {text!r}: give a whole number of days, at least {SHORTEST_CLICK_RETENTION_DAYS}, "
            "since a click that is delivered again after its row is gone would count twice."
        )
    return int(text)


def private_targets_allowed() -> bool:
    """Whether links may point at private networks, and at the visitor's own machine."""
    text = _required("PRIVATE_TARGETS_ALLOWED", "whether links may point at private networks: true or false")
    if text not in {"true", "false"}:
        raise SettingMissing(f"PRIVATE_TARGETS_ALLOWED is {text!r}: give true or false.")
    return text == "true"


def base_url() -> str | None:
    """Where visitors follow links, such as https://go.example.com; None to use each request's own address."""
    text = os.environ.get("BASE_URL", "").rstrip("/")
    if text and not re.fullmatch(r"https?://[^\s/?#@%\\]+", text):
        raise SettingMissing(f"BASE_URL is {text!r}: give an address without a path, such as https://go.example.com.")
    return text or None


def domain_name() -> str | None:
    """The domain of one's own at which the API answers, such as go.example.com; None without one."""
    return os.environ.get("DOMAIN_NAME") or None


def home_url() -> str | None:
    """Where a visitor of `/` is sent; None for nowhere."""
    return os.environ.get("HOME_URL") or None


def not_found_url() -> str | None:
    """Where a visitor of an unknown code is sent; None for nowhere."""
    return os.environ.get("NOT_FOUND_URL") or None


def allowed_origins() -> frozenset[str]:
    """The sites whose scripts may call the API from a browser, such as https://admin.example.com; none by default."""
    listed = os.environ.get("ALLOWED_ORIGINS", "").split(",")
    return frozenset(origin.strip() for origin in listed if origin.strip())


def aws_credentials() -> tuple[str, str, str]:
    """The access key, the secret key and the session token that Lambda gives a function; empty where there is none."""
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    access_key, secret_key, token = (os.environ.get(name, "") for name in names)
    return access_key, secret_key, token


def aws_region() -> str:
    """The region that we are in; empty if that is not known."""
    return os.environ.get("AWS_DEFAULT_REGION") or os.environ.get("AWS_REGION", "")


def aws_endpoint(service: str) -> str:
    """Where a service is reached instead of at AWS, as the SDKs read it; empty for AWS itself.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
    """
    return os.environ.get(f"AWS_ENDPOINT_URL_{service.upper()}") or os.environ.get("AWS_ENDPOINT_URL", "")


def special_endpoints() -> bool:
    """Whether AWS is to be reached at its FIPS or its dual-stack endpoints."""
    names = ("AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT")
    return any(os.environ.get(name, "").lower() == "true" for name in names)


def ca_bundle() -> str:
    """The file of the certificate authorities to trust; empty for the usual ones. botocore reads the same variables."""
    return os.environ.get("AWS_CA_BUNDLE") or os.environ.get("REQUESTS_CA_BUNDLE", "")


def trace_id() -> str:
    """The trace that Lambda's present invocation belongs to, by which AWS sees functions that call each other."""
    return os.environ.get("_X_AMZN_TRACE_ID", "")


def runs_in_lambda() -> bool:
    """Whether this process is an execution environment of Lambda, which says so itself."""
    return "AWS_LAMBDA_FUNCTION_NAME" in os.environ


def lacks_a_stage() -> bool:
    """Whether this process is `chalice local` with nothing in its environment that says which stage it works on.

    Chalice's commands do not tell which of them runs; this module is one that `local` alone imports.
    """
    return "chalice.cli.reloader" in sys.modules and "STAGE" not in os.environ
