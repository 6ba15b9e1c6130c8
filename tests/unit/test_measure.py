"""What `python -m ops measure` and `make load` make of what they see."""

import copy
import json
from typing import Any

import pytest

from ops.watching.load import Follow, Load, describe
from ops.watching.measure import Report, parse

# https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html, as it comes: with tabs.
WARM = (
    "REPORT RequestId: 8f507cfc-xmpl-4697-b07a-ac58fc914c95\tDuration: 15.74 ms\tBilled Duration: 16 ms\t"
    "Memory Size: 128 MB\tMax Memory Used: 56 MB\t\n"
)
COLD = WARM.replace("56 MB\t", "56 MB\tInit Duration: 130.49 ms\t")
# https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html#platform-report, as CloudWatch shows it.
WARM_IN_JSON: dict[str, Any] = {
    "time": "2026-05-27T10:15:30.123Z",
    "type": "platform.report",
    "record": {
        "requestId": "8f507cfc-xmpl-4697-b07a-ac58fc914c95",
        "metrics": {"durationMs": 15.74, "billedDurationMs": 16, "memorySizeMB": 128, "maxMemoryUsedMB": 56},
        "status": "success",
    },
}


def in_json(start: float | None = None, **record: Any) -> str:
    """The line, of a process that took so many milliseconds to start, with other fields in its record."""
    line = copy.deepcopy(WARM_IN_JSON)
    line["record"] |= record
    if start is not None:
        line["record"]["metrics"]["initDurationMs"] = start
    return json.dumps(line, separators=(",", ":")) + "\n"


TRACED = COLD + "XRAY TraceId: 1-5e34a614-10bdxmplf1fb44f07bc535a1\tSegmentId: 07f5xmpl2d1f6f85\tSampled: true\t\n"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (WARM, Report(15.74, None, 128, 56)),
        (COLD, Report(15.74, 130.49, 128, 56)),
        (TRACED, Report(15.74, 130.49, 128, 56)),
        ("START RequestId: 8f507cfc-xmpl-4697-b07a-ac58fc914c95 Version: $LATEST\n", None),
        ("REPORT RequestId: 8f507cfc-xmpl-4697-b07a-ac58fc914c95\tStatus: timeout", None),
        ('{"message": "REPORT RequestId: "}', None),
        (in_json(), Report(15.74, None, 128, 56)),
        (in_json(130.49), Report(15.74, 130.49, 128, 56)),
        (in_json(tracing={"spanId": "24cd7d670fa455f0", "type": "X-Amzn-Trace-Id"}), Report(15.74, None, 128, 56)),
        (in_json(status="timeout"), None),
        (in_json(metrics={}), None),
        ('{"type": "platform.start", "record": {"requestId": "8f507cfc", "version": "$LATEST"}}', None),
        ('{"message": "platform.report"}', None),
    ],
)
def test_a_report_line_is_read(line: str, expected: Report | None) -> None:
    assert expected == parse(line)


@pytest.mark.parametrize(
    ("counted", "exact"), [(1, False), (2, True), (3, True), (4, False)], ids=["lost", "all", "unknown", "twice"]
)
def test_a_load_is_exact_if_every_redirect_was_counted_and_nothing_that_cannot_have_been_a_click(
    counted: int, exact: bool
) -> None:
    follows = [Follow(302, 0.1), Follow(302, 0.3), Follow(503, 0.2), Follow(None, 30)]

    assert exact is Load(follows, counted).exact


def test_a_load_tells_what_became_of_every_follow() -> None:
    load = Load([Follow(302, 0.1), Follow(302, 0.3), Follow(503, 0.2), Follow(None, 30)], 2)

    assert [
        "sent 4: 2 answered 302, 1 answered 503, 1 answered never",
        "latency: p50 200 ms, p90 300 ms, p99 300 ms, max 300 ms",
        "redirected 2, counted 2: exact",
    ] == describe(load).splitlines()
