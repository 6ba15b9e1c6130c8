"""The functions run with the permissions that their policies give them, and with no others."""

import time

from chalicelib import config
from tests.e2e.deployed import Linkly, eventually, forbidden, logged, waiting


def test_without_the_permission_to_send_the_visitor_is_redirected_and_the_click_is_in_the_log(linkly: Linkly) -> None:
    code = linkly.create()
    since = time.time()

    with forbidden("api_handler", "sqs:SendMessage"):
        linkly.follow(code)

    eventually(lambda: logged("api_handler", since, "unqueued_click") == 1)
    assert 1 == logged("api_handler", since, code)
    assert linkly.total(code) == 0


def test_without_the_permission_to_count_a_click_waits_in_the_queue_and_counts_once_it_is_back(linkly: Linkly) -> None:
    code = linkly.create()
    since = time.time()

    with forbidden("record_clicks", "dynamodb:UpdateItem"):
        linkly.follow(code)
        eventually(lambda: logged("record_clicks", since, "messages failed") > 0)
        assert (waiting(config.click_queue_url()), linkly.total(code)) == (1, 0)

    eventually(lambda: linkly.total(code) == 1, within=60)
    eventually(lambda: waiting(config.click_queue_url()) == 0)


def test_without_the_permission_to_create_links_none_is_created(linkly: Linkly) -> None:
    with forbidden("api_handler", "dynamodb:PutItem"):
        answer = linkly.alice.post("/links", json={"url": "https://example.com/"})

    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
