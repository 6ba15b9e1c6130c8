"""A look at the whole stage, and a consumer that is paused and goes on."""

import json
import re
from typing import Any

from chalicelib import config
from ops.shared.aws import client
from tests.deployed import Linkly, dead_letters_url, eventually, ops, waiting


def status() -> tuple[int, dict[str, Any]]:
    done = ops("status", "--stage", "local", "--json")
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_clicks_wait_while_the_recorder_is_paused_which_status_shows_and_count_when_it_goes_on(linkly: Linkly) -> None:
    code = linkly.create()

    paused = [ops("pause", "record_clicks", "--stage", "local") for _ in range(2)]
    linkly.follow(code, times=3)
    exit_code, report = status()
    depth = waiting(config.click_queue_url())
    resumed = ops("resume", "record_clicks", "--stage", "local")
    eventually(lambda: linkly.total(code) == 3)
    shown = ops("status", "--stage", "local")

    assert [(0, "Its queue keeps a message for 4 days" in each.stdout) for each in paused] == [(0, True)] * 2
    assert 3 == depth == {each["name"]: each["messages"] for each in report["queues"]}["clicks"]
    sentence = "record_clicks is paused. Let it go on: python -m ops resume record_clicks --stage local"
    assert (1, True) == (exit_code, sentence in report["problems"])
    assert (0, "record_clicks is at work.\n") == (resumed.returncode, resumed.stdout)
    assert sentence not in shown.stdout
    assert re.search(r"clicks, last hour +\d+", shown.stdout)
    assert re.search(r"lag, last hour +p50 [\d,]+ ms, p99 [\d,]+ ms", shown.stdout)
    assert f"{linkly.url} answers in" in shown.stdout


def test_status_tells_of_dead_letters_and_is_well_without(linkly: Linkly) -> None:
    assert linkly
    for url in (
        dead_letters_url(),
        f"{config.link_changes_queue_url()}-dlq",
        f"{config.deleted_links_queue_url()}-dlq",
        client("sqs").get_queue_url(QueueName="linkly-local-link-events-dlq")["QueueUrl"],
    ):
        client("sqs").purge_queue(QueueUrl=url)
    ops("clicks", "replay", "--since", "1h", "--stage", "local")  # what other tests have left in the log
    eventually(lambda: waiting(config.click_queue_url()) == 0)
    well = status()
    client("sqs").send_message(QueueUrl=dead_letters_url(), MessageBody="a click")
    ill = status()
    client("sqs").purge_queue(QueueUrl=dead_letters_url())

    [problem] = ill[1]["problems"]
    assert (0, []) == (well[0], well[1]["problems"])
    assert (1, True) == (ill[0], problem.startswith("Messages wait in clicks-dlq: 1."))
    assert {"record_clicks", "refresh_redirects", "purge_clicks", "publish_link_events"} == {
        each["function"] for each in well[1]["consumers"]
    }


def test_pausing_the_publisher_warns_that_changes_wait_for_a_day(linkly: Linkly) -> None:
    assert linkly

    paused = ops("pause", "publish_link_events", "--stage", "local")
    resumed = ops("resume", "publish_link_events", "--stage", "local")
    refused = ops("pause", "count_created_links", "--stage", "local")

    assert (0, True) == (paused.returncode, "The stream keeps a change for 24 hours" in paused.stdout)
    assert (0, 2) == (resumed.returncode, refused.returncode)
    assert "choose from publish_link_events, purge_clicks" in refused.stderr
