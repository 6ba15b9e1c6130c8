"""When the queue cannot be reached, the visitor is redirected all the same, and the click is not lost."""

import json
import socket
import time

import pytest

from chalicelib.clicks.click import decode
from tests.deployed import Linkly, http_process, linkly_at


@pytest.mark.parametrize("accepts", [True, False], ids=["a queue that never answers", "a queue that refuses"])
def test_a_visitor_is_redirected_within_about_two_seconds_and_the_click_is_in_the_log(
    linkly: Linkly, *, accepts: bool
) -> None:
    code = linkly.create()
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        if accepts:
            nobody.listen(16)
        dead_end = {"AWS_ENDPOINT_URL_SQS": f"http://127.0.0.1:{nobody.getsockname()[1]}"}
        with http_process(dead_end) as (url, output), linkly_at(url) as cut_off:
            cut_off.visitor.head(f"/{code}")  # the link is known: what is measured is the queue
            started = time.monotonic()

            answer = cut_off.visitor.get(f"/{code}")

            seconds = time.monotonic() - started
            [line] = [line for line in output.read_text().splitlines() if "unqueued_click" in line]
    assert (answer.status_code, answer.headers["location"]) == (302, "https://example.com/target")
    assert seconds < 2.5
    assert code == decode(json.loads(line)["unqueued_click"]).code
