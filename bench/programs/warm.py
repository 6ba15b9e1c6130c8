"""Follow links in a warm process; prints to stderr the CPU microseconds of one follow, and how many AWS calls it made.

Arguments: `app`, `silent` (the app without its log line and metrics) or `bare`; what the code is found in: `memory`,
`table` or `link`; how many follows.
"""

import json
import logging
import sys
import time

import at_the_stub  # noqa: F401
from lambda_functions import CONTEXT, event

what, where, follows = sys.argv[1], sys.argv[2], int(sys.argv[3])
if what == "bare":
    from bare_handler import dynamodb, handler, sqs
else:
    from app import app as handler
    from chalicelib import aws
    from chalicelib.clicks import queue
    from chalicelib.observability import logger

    dynamodb, sqs = aws.dynamodb(), aws.sqs()
    if what == "silent":
        logger.setLevel(logging.CRITICAL)
        queue.measured = lambda **_: {}  # type: ignore[assignment]


def codes(start: int) -> list[str]:
    """As many codes as there are follows: all the same, or each a new one."""
    prefix = {"memory": "my-link", "table": "cached", "link": "first"}[where]
    return [prefix if where == "memory" else f"{prefix}{start + number}" for number in range(follows)]


for code in codes(0)[: follows // 4]:
    assert handler(event(code), CONTEXT)["statusCode"] == 302
requests = [event(code) for code in codes(follows)]
before = time.process_time()
for request in requests:
    handler(request, CONTEXT)
spent = time.process_time() - before

calls = []
for client in (dynamodb, sqs):
    client.meta.events.register("before-call", lambda model, **_: calls.append(model.name))
handler(event(codes(2 * follows)[0]), CONTEXT)
print(json.dumps({"microseconds": spent / follows * 1e6, "calls": calls}), file=sys.stderr)
