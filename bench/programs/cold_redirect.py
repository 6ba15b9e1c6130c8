"""What Lambda does with the package at a cold start: import app.py, and hand it the first request."""

import at_the_stub  # noqa: F401
from lambda_functions import CONTEXT, event

from app import app

answer = app(event("my-link"), CONTEXT)
assert answer["statusCode"] == 302, answer
