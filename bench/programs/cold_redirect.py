"""What Lambda does with the package at a cold start: import the handler, and hand it the first request."""

import at_the_stub  # noqa: F401
from lambda_functions import CONTEXT, event

from chalicelib.redirects.entry import handler

answer = handler(event("my-link"), CONTEXT)
assert answer["statusCode"] == 302, answer
