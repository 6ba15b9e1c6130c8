"""What could not be counted is found, shown, and counted after all."""

import json
import re
import time
from datetime import UTC, datetime, timedelta

from chalicelib import config
from chalicelib.clicks.counters import clicks_by_day
from chalicelib.links.events import encode
from ops.shared.aws import client
from tests.builders import a_created_event
from tests.deployed import Linkly, dead_letters_url, eventually, forbidden, logged, ops, waiting


def test_clicks_that_could_not_be_queued_are_sent_from_the_log_and_count_once(linkly: Linkly) -> None:
    code = linkly.create()
    since = time.time()
    with forbidden("follow_link", "sqs:SendMessage"):
        linkly.follow(code, times=12)
    eventually(lambda: logged("follow_link", since, code) == 12)
    assert 0 == linkly.total(code)

    before = to_replay()
    counted = ops("clicks", "replay", "--since", "1h", "--dry-run", "--stage", "local")
    first = ops("clicks", "replay", "--since", "1h", "--stage", "local")
    eventually(lambda: linkly.total(code) == 12)
    again = ops("clicks", "replay", "--since", "1h", "--stage", "local")
    eventually(lambda: waiting(config.click_queue_url()) == 0)
    after = to_replay()

    found = int(first.stdout.split()[1].rstrip(","))
    assert found >= 12  # other tests have had their accidents
    assert f"found {found}, sent 0, failed 0\n" == counted.stdout
    assert f"found {found}, sent {found}, failed 0\n" == first.stdout == again.stdout
    assert 12 == linkly.total(code)
    assert before >= 12
    assert 0 == after


def to_replay() -> int:
    report = json.loads(ops("status", "--stage", "local", "--json").stdout)
    number: int = report["to_replay"]
    return number


def test_a_dead_letter_is_listed_shown_with_its_reason_and_deleted_only_on_purpose(linkly: Linkly) -> None:
    assert linkly
    poison = f'{{"v": 1, "poison": "{time.time()}"}}'
    before = waiting(dead_letters_url())
    client("sqs").send_message(QueueUrl=config.click_queue_url(), MessageBody=poison)
    eventually(lambda: waiting(dead_letters_url()) == before + 1, within=60)

    listed = ops("dlq", "list", "--stage", "local").stdout
    shown = ops("dlq", "show", "clicks", "--stage", "local").stdout
    refused = ops("dlq", "purge", "clicks", "--stage", "local")
    kept = waiting(dead_letters_url())
    purged = ops("dlq", "purge", "clicks", "--yes", "--stage", "local")

    assert re.search(rf"│ clicks +│ +{before + 1} │ +0 ", listed)
    assert re.search(rf"^\S+  0d 00:0\S+  undecodable.*\n  {re.escape(poison)}$", shown, re.MULTILINE)
    assert "undecodable: Object missing required field `id`" in shown
    assert poison in shown
    assert (2, before + 1) == (refused.returncode, kept)
    assert f"{before + 1} messages deleted from clicks-dlq\n" == purged.stdout
    assert 0 == waiting(dead_letters_url())


def test_a_new_link_that_could_not_be_counted_waits_and_counts_once_when_it_is_redriven(linkly: Linkly) -> None:
    queue = client("sqs").get_queue_url(QueueName="linkly-local-link-events-dlq")["QueueUrl"]
    event = a_created_event(occurred_at=datetime.now(UTC) - timedelta(days=40))
    call = {"FunctionName": "linkly-local-count_created_links", "Payload": as_sns_delivers(encode(event))}

    with forbidden("count_created_links", "dynamodb:UpdateItem"):
        client("lambda").invoke(**call, InvocationType="Event")  # as SNS does on AWS
        eventually(lambda: waiting(queue) == 1, within=60)
    shown = ops("dlq", "show", "link-events", "--stage", "local").stdout
    redriven = ops("dlq", "redrive", "link-events", "--stage", "local")
    eventually(lambda: links_on(linkly, event.day) == 1)
    client("lambda").invoke(**call)

    assert "AccessDeniedException" in shown.splitlines()[0]
    assert f"  {encode(event)}" == shown.splitlines()[1]
    assert (0, "1 messages sent back to link-events\n") == (redriven.returncode, redriven.stdout)
    assert (0, 1) == (waiting(queue), links_on(linkly, event.day))


def as_sns_delivers(message: str) -> bytes:
    sns = {"Type": "Notification", "Subject": "link.created", "Message": message, "MessageAttributes": {}}
    return json.dumps({"Records": [{"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": sns}]}).encode()


def links_on(linkly: Linkly, day: str) -> int:
    """How many links were created on a day of the last 100."""
    found = linkly.admin.get("/analytics/links?days=100").json()["by_day"]
    return sum(each["links"] for each in found if each["day"] == day)


def test_a_queue_that_does_not_exist_is_not_redriven(linkly: Linkly) -> None:
    assert linkly

    refused = ops("dlq", "redrive", "nothing", "--stage", "local")

    assert 2 == refused.returncode
    assert "choose from clicks, link-changes, deleted-links, link-events" in refused.stderr


def test_a_deleted_link_that_still_redirects_is_rebuilt_and_its_clicks_are_gone(linkly: Linkly) -> None:
    code = linkly.create()
    linkly.follow(code, times=3)
    eventually(lambda: linkly.total(code) == 3)
    cached = {"TableName": config.redirects_table(), "Key": {"code": {"S": code}}}
    before = client("dynamodb").get_item(**cached)["Item"]
    linkly.alice.delete(f"/links/{code}")
    eventually(lambda: linkly.visitor.get(f"/{code}").status_code == 410)
    eventually(lambda: not clicks_by_day(code), within=60)  # purged
    # As if its event had never come.
    client("dynamodb").put_item(TableName=config.redirects_table(), Item=before)
    since = time.time()
    eventually(lambda: linkly.visitor.get(f"/{code}").status_code == 302)
    eventually(lambda: logged("record_clicks", since, "clicks of deleted links not counted") > 0)

    rebuilt = ops("redirects", "rebuild", code, "--stage", "local")
    again = ops("redirects", "rebuild", "--all", "--stage", "local")
    balance = ops("clicks", "reconcile", "--stage", "local")

    assert (0, "1 corrected to deleted, with their clicks purged once more\n") == (rebuilt.returncode, rebuilt.stdout)
    assert f"{code}: active, version 1 -> deleted, version 2" in rebuilt.stderr.splitlines()
    assert (0, True) == (again.returncode, "right already" in again.stdout)
    eventually(lambda: linkly.visitor.get(f"/{code}").status_code == 410)
    assert {} == clicks_by_day(code)
    assert "of deleted links, whose clicks are not counted or were purged: " in balance.stdout
