"""`python -m ops dlq`: what is in the dead-letter queues, and what becomes of it."""

import json
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError
from chalice.test import Client

from chalicelib import config
from chalicelib.links.events import encode
from ops.repairing import dlq
from ops.shared import aws
from ops.shared.queues import queue_depth
from tests import infrastructure
from tests.builders import TODAY, a_created_event
from tests.functional.terminal import Type, terminal
from tests.functional.visitor import Visitor


class Functions:
    """Lambda: it hands an event to a function of the app, or is refused what it asks for.

    `others` are functions that are not the app's.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self.refuses = False
        self.invoked: list[str] = []
        self.others: dict[str, list[Any]] = {}

    def invoke(self, *, FunctionName: str, InvocationType: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 (AWS)
        if self.refuses:
            raise ConnectionError
        assert InvocationType == "Event"
        name = FunctionName.removeprefix("linkly-test-")
        self.invoked.append(name)
        if name in self.others:
            self.others[name].append(json.loads(Payload)["Records"][0]["Sns"])
            return {"StatusCode": 202}
        if name != "count_created_links":
            raise ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": f"No {name}"}}, "Invoke")
        self._client.lambda_.invoke(name, json.loads(Payload))
        return {"StatusCode": 202}


@pytest.fixture
def functions(client: Client, monkeypatch: pytest.MonkeyPatch) -> Functions:
    stub = Functions(client)
    listens("count_created_links")
    monkeypatch.setattr(dlq, "client", lambda service: stub if service == "lambda" else aws.client(service))
    return stub


def listens(function: str) -> None:
    """Have a function subscribed to the topic."""
    infrastructure.sns().subscribe(
        TopicArn=config.link_events_topic_arn(),
        Protocol="lambda",
        Endpoint=f"arn:aws:lambda:eu-central-1:123456789012:function:linkly-test-{function}",
    )


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Type:
    return terminal(dlq, monkeypatch)


def dead(queue: str, *bodies: str) -> None:
    for body in bodies:
        infrastructure.sqs().send_message(
            QueueUrl=infrastructure.queue_url(f"{queue}DeadLetterQueue"), MessageBody=body
        )


def left(queue: str) -> list[str]:
    return [each["body"] for each in infrastructure.receive(f"{queue}DeadLetterQueue")]


def an_event() -> str:
    return encode(a_created_event())


def undelivered(message: str) -> str:
    """What SNS puts into the dead-letter queue of a subscription."""
    return json.dumps(
        {
            "Type": "Notification",
            "MessageId": str(uuid.uuid4()),
            "TopicArn": config.link_events_topic_arn(),
            "Subject": "link.created",
            "Message": message,
            "Timestamp": "2026-05-27T10:15:30.123Z",
            "SignatureVersion": "1",
            "Signature": "c2lnbmF0dXJl",
            "SigningCertURL": "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService.pem",
            "UnsubscribeURL": "https://sns.eu-central-1.amazonaws.com/?Action=Unsubscribe",
            "MessageAttributes": {"type": {"Type": "String", "Value": "link.created"}},
        }
    )


def unworked(message: str, *, by: str = "count_created_links", **answer: Any) -> str:
    """What Lambda sends to an on-failure destination.

    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
    """
    sns = {"Type": "Notification", "Subject": "link.created", "Message": message, "MessageAttributes": {}}
    return json.dumps(
        {
            "version": "1.0",
            "timestamp": "2026-05-27T10:18:41.456Z",
            "requestContext": {
                "requestId": str(uuid.uuid4()),
                "functionArn": f"arn:aws:lambda:eu-central-1:123456789012:function:linkly-test-{by}:$LATEST",
                "condition": "RetriesExhausted",
                "approximateInvokeCount": 3,
            },
            "requestPayload": {"Records": [{"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": sns}]},
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
            **answer,
        }
    )


REFUSED: dict[str, Any] = {
    "responsePayload": {"errorMessage": "AccessDeniedException: UpdateItem", "errorType": "ClientError"}
}


@pytest.mark.parametrize("command", [["show"], ["redrive"], ["purge", "--yes"]])
def test_a_queue_that_does_not_exist_is_refused_with_those_that_do(run: Type, command: list[str]) -> None:
    refused = run(*command, "nope")

    assert 2 == refused.exit_code
    assert "there is no queue 'nope'; choose from clicks, link-changes, deleted-links, link-events" in refused.output


@pytest.mark.usefixtures("functions")
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (undelivered, "SNS could not deliver it"),
        (lambda message: unworked(message, **REFUSED), "count_created_links: AccessDeniedException: UpdateItem"),
        (lambda message: unworked(message, responsePayload=None), "count_created_links: RetriesExhausted"),
        (unworked, "count_created_links: RetriesExhausted"),
    ],
)
def test_a_link_event_is_shown_with_the_reason_that_came_with_it(run: Type, body: Any, reason: str) -> None:
    event = an_event()
    dead("LinkEvents", body(event))

    shown = run("show", "link-events")

    first, second = shown.stdout.splitlines()
    assert (0, f"  {event}") == (shown.exit_code, second)
    assert first.endswith(f"  {reason}")


def test_link_events_are_counted_when_they_are_redriven_each_once(
    run: Type, functions: Functions, admin: Visitor
) -> None:
    one, other = an_event(), an_event()
    dead("LinkEvents", undelivered(one), unworked(other, **REFUSED), unworked(one, **REFUSED))

    redriven = run("redrive", "link-events")

    assert (0, "3 messages sent back to link-events\n") == (redriven.exit_code, redriven.stdout)
    assert ["count_created_links"] * 3 == functions.invoked
    assert [{"day": TODAY, "links": 2}] == admin.get("/analytics/links").body["by_day"]
    assert [] == left("LinkEvents")


def test_an_event_goes_back_to_the_listener_that_failed_and_to_every_listener_if_sns_could_not_deliver_it(
    run: Type, functions: Functions, admin: Visitor
) -> None:
    functions.others["tell_the_press"] = []
    listens("tell_the_press")
    one, other = an_event(), an_event()
    dead("LinkEvents", unworked(one, by="tell_the_press"), undelivered(other))

    redriven = run("redrive", "link-events")

    assert (0, "2 messages sent back to link-events\n") == (redriven.exit_code, redriven.stdout)
    assert [("link.created", one), ("link.created", other)] == [
        (each["Subject"], each["Message"]) for each in functions.others["tell_the_press"]
    ]
    assert [{"day": TODAY, "links": 1}] == admin.get("/analytics/links").body["by_day"]
    assert [] == left("LinkEvents")


def test_an_event_of_a_listener_that_is_no_longer_there_stays_and_holds_up_no_other(
    run: Type, functions: Functions, admin: Visitor
) -> None:
    dead("LinkEvents", unworked(an_event(), by="removed_listener"), unworked(an_event()))

    redriven = run("redrive", "link-events")

    assert 1 == redriven.exit_code
    assert "1 messages sent back" in redriven.stdout
    assert "1 were not accepted, and stay: there is no function linkly-test-removed_listener" in redriven.stdout
    assert ["count_created_links", "removed_listener"] == sorted(functions.invoked)
    assert [{"day": TODAY, "links": 1}] == admin.get("/analytics/links").body["by_day"]
    assert 1 == queue_depth(infrastructure.queue_url("LinkEventsDeadLetterQueue"))


def test_an_event_that_sns_could_not_deliver_stays_if_nobody_listens_any_more(run: Type, functions: Functions) -> None:
    [subscription] = [
        each for each in infrastructure.sns().list_subscriptions()["Subscriptions"] if each["Protocol"] == "lambda"
    ]
    infrastructure.sns().unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
    dead("LinkEvents", undelivered(an_event()))

    redriven = run("redrive", "link-events")

    assert (1, []) == (redriven.exit_code, functions.invoked)
    assert "1 were not accepted, and stay: no function listens to changes of links" in redriven.stdout
    assert 1 == queue_depth(infrastructure.queue_url("LinkEventsDeadLetterQueue"))


def test_a_link_event_stays_if_the_function_cannot_be_called(run: Type, functions: Functions) -> None:
    functions.refuses = True
    body = undelivered(an_event())
    dead("LinkEvents", body)

    redriven = run("redrive", "link-events")

    assert 1 == redriven.exit_code
    assert 1 == queue_depth(infrastructure.queue_url("LinkEventsDeadLetterQueue"))


def test_a_change_that_sns_wrapped_is_unwrapped_on_its_way_back(run: Type) -> None:
    event = an_event()
    dead("LinkChanges", undelivered(event), event)

    run("redrive", "link-changes")

    assert [event, event] == [each["body"] for each in infrastructure.receive("LinkChangesQueue")]


def test_what_waits_is_listed_and_shown_for_programs_too(run: Type) -> None:
    dead("LinkChanges", "no [/x] change")

    listed = run("list", "--json")
    shown = run("show", "link-events", "--json")
    empty = run("show", "link-events")

    counts = {"clicks": 0, "link-changes": 1, "deleted-links": 0, "link-events": 0}
    assert [{"queue": name, "waiting": waiting, "looked_at": 0} for name, waiting in counts.items()] == json.loads(
        listed.stdout
    )
    assert "[]\n" == shown.stdout
    assert ("", "Nothing waits in link-events-dlq.\n") == (empty.stdout, empty.stderr)


def test_a_dead_letter_for_programs_is_whole(run: Type) -> None:
    event = an_event()
    dead("LinkEvents", unworked(event, **REFUSED))

    [shown] = json.loads(run("show", "link-events", "--json").stdout)

    assert {"reason": "count_created_links: AccessDeniedException: UpdateItem", "message": event} == {
        name: shown[name] for name in ("reason", "message")
    }
    assert {"id", "sent_at", "reason", "message"} == shown.keys()
