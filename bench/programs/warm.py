"""Follow links in a warm process; prints to stderr the CPU microseconds of one follow, and which AWS calls it made.

Arguments: `app`, `silent` (the app without its log line) or `bare`; what the code is found in: `memory`, `table` or
`link`; how many follows.
"""

import json
import sys
import time

import at_the_stub  # noqa: F401
from lambda_functions import CONTEXT, event

what, where, follows = sys.argv[1], sys.argv[2], int(sys.argv[3])
if what == "bare":
    from bare_handler import handler
else:
    from chalicelib import log, signed_calls
    from chalicelib.redirects.entry import handler

    if what == "silent":
        log.info = lambda *_, **__: None  # type: ignore[assignment]


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
if what != "bare":
    send = signed_calls.send
    signed_calls.send = lambda operation, body: (calls.append(operation), send(operation, body))[1]
    handler(event(codes(2 * follows)[0]), CONTEXT)
print(json.dumps({"microseconds": spent / follows * 1e6, "calls": calls}), file=sys.stderr)
