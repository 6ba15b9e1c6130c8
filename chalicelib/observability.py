"""What is told about the work: one JSON object a line, for CloudWatch, some of them with metrics in them.

A line that carries metrics is both: CloudWatch shows it among the logs, and counts what it says in the namespace
`Linkly`, by stage (Embedded Metric Format), so that nothing else is called for them.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

from chalicelib import config

# Its name is the app's, so that what Chalice logs about a failed request takes the same shape. Where in the code a line
# comes from is left out: its message says it, and looking for it is a tenth of what a line costs.
logger = Logger(service="linkly", use_rfc3339=True, utc=True, location=None)

METRICS = {
    # A redirect that the database or a fault of ours prevented.
    "RedirectsFailed": "Count",
    # A redirect's call that had no answer without the SDK, and was left to it.
    "SignedCallsFailed": "Count",
    # A click that SQS did not accept. How many it accepts, its own metrics say.
    "ClicksUnqueued": "Count",
    # A message at the recorder: counted now, counted before, or to be delivered again.
    "ClicksRecorded": "Count",
    "ClicksDuplicate": "Count",
    "ClicksFailed": "Count",
    # From the click to the commit of its transaction.
    "ClickLag": "Milliseconds",
    "LinkEventsPublished": "Count",
    # From the change of a link to its place in the redirect cache.
    "RefreshLag": "Milliseconds",
    # Rows and counters of deleted links.
    "RowsPurged": "Count",
}
"""Every metric there is, and its unit: ten, as many as AWS takes for nothing (docs/cost.md)."""

_MOST_VALUES = 100
"""Of a metric in a line, by the specification above."""

_cold = True


def begin(context: Any, correlation_id: str | None = None) -> None:
    """Have every line of an invocation say which one it is.

    `context` is Lambda's. `correlation_id` is what the caller knows the request by; without one, Lambda's own.
    """
    global _cold  # noqa: PLW0603 (whether this process has worked before is a fact of the process)
    logger.append_keys(
        stage=config.stage(),
        function_name=context.function_name,
        function_request_id=context.aws_request_id,
        correlation_id=correlation_id or context.aws_request_id,
        cold_start=_cold,
    )
    _cold = False


def measured(**values: float | Sequence[float]) -> dict[str, Any]:
    """Metrics as fields of a log line: `logger.info("…", extra=measured(ClicksUnqueued=1))`.

    Each is one of METRICS, with one value or, for a distribution, several. Of more than CloudWatch takes in a line, as
    many are chosen: the largest, and others evenly in the order of size, so that percentiles are right to a percent.
    """
    metrics = {name: {"Unit": METRICS[name], "Value": _choice(value)} for name, value in values.items()}
    return {**_emf(config.stage()).serialize_metric_set(metrics)}


def _choice(value: float | Sequence[float]) -> float | Sequence[float]:
    if not isinstance(value, Sequence) or len(value) <= _MOST_VALUES:
        return value
    largest_first = sorted(value, reverse=True)
    return [largest_first[place * len(value) // _MOST_VALUES] for place in range(_MOST_VALUES)]


@cache
def _emf(stage: str) -> AmazonCloudWatchEMFProvider:
    return AmazonCloudWatchEMFProvider(namespace="Linkly", default_dimensions={"stage": stage})
