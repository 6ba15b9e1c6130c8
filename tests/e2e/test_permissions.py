"""The functions run with the permissions that their policies give them, and none of those is spare."""

import base64
import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest

from chalicelib import clock, config, deliveries
from chalicelib.access.keys import Role
from chalicelib.clicks.message import new_message
from chalicelib.links.events import EventType, LinkEvent
from chalicelib.links.events import encode as encode_event
from chalicelib.links.status import Status
from chalicelib.links.store import insert_link
from ops import PROJECT
from ops.data.keys import make_key
from ops.deploying.deployment import Deployment
from ops.shared.aws import account, client
from tests.builders import a_link, a_message, a_request, an_sqs_event


class Permission(NamedTuple):
    """An action that a statement of a function's policy allows on one of its resources."""

    function: str
    sid: str
    action: str
    resource: int


LAMBDA_POLLS = "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html#events-sqs-permissions"
LAMBDA_READS = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/iam-policy-example-lamda-process-dynamodb-streams.html"

USED_BY_LAMBDA_ITSELF = {
    "sqs:ReceiveMessage": LAMBDA_POLLS,
    "sqs:DeleteMessage": LAMBDA_POLLS,
    "sqs:GetQueueAttributes": LAMBDA_POLLS,
    "dynamodb:DescribeStream": LAMBDA_READS,
    "dynamodb:GetRecords": LAMBDA_READS,
    "dynamodb:GetShardIterator": LAMBDA_READS,
    "dynamodb:ListStreams": LAMBDA_READS,
}
"""What Lambda does in a function's name, which the emulation does without asking; and the page that demands it.
"""


def permissions() -> Iterator[Permission]:
    for file in sorted((PROJECT / ".chalice").glob("policy-*.json")):
        function = file.stem.removeprefix("policy-")
        for statement in json.loads(file.read_text())["Statement"]:
            for action in statement["Action"]:
                for resource in range(len(statement["Resource"])):
                    yield Permission(function, statement["Sid"], action, resource)


OURS = [each for each in permissions() if each.action not in USED_BY_LAMBDA_ITSELF]

Step = Callable[[], str | None]
"""Something that a function does; it says what it was refused, if it was."""


class Outcome(NamedTuple):
    """What came of calling a function: its answer, and the end of what it logged."""

    answer: Any
    log: str
    failed: bool


def call(function: str, event: Mapping[str, Any]) -> Outcome:
    answer = client("lambda").invoke(
        FunctionName=f"linkly-local-{function}", Payload=json.dumps(event).encode(), LogType="Tail"
    )
    log = base64.b64decode(answer.get("LogResult", "")).decode()
    return Outcome(json.load(answer["Payload"]), log, "FunctionError" in answer)


def invoke(function: str, event: Mapping[str, Any], status: int | None = None) -> str | None:
    """Call a function; gives what it was refused, by its answer or by its log, or that it did not answer `status`."""
    answer, log, failed = call(function, event)
    if failed or "AccessDenied" in log or "AuthorizationError" in log:
        return f"{answer} {log}"
    return str(answer) if status is not None and answer["statusCode"] != status else None


def ask(key: str, method: str, resource: str, status: int, **given: Any) -> Step:
    """A request to the API; in `given`, `code`, `body`, more of the event."""
    code = given.pop("code", None)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json", **given.pop("headers", {})}
    event = a_request(method, resource, headers=headers, pathParameters={"code": code} if code else {}, **given)
    return lambda: invoke("api_handler", event, status)


def api_handler() -> Iterator[Step]:
    admin, code, other = str(make_key("admin", Role.ADMIN)), str(uuid.uuid4()), str(uuid.uuid4())
    body, taken = (json.dumps({"url": "https://example.com/", "code": each}) for each in (code, other))
    once, again = ({"Idempotency-Key": str(uuid.uuid4())} for _ in range(2))
    yield ask(admin, "POST", "/links", 201, body=body)
    yield ask(admin, "POST", "/links", 201, body=taken, headers=once)
    yield ask(admin, "POST", "/links", 409, body=taken, headers=again)
    yield ask(admin, "GET", "/links", 200)
    yield ask(admin, "GET", "/links/{code}", 200, code=code)
    yield ask(admin, "PUT", "/links/{code}", 200, code=code, body='{"url": "https://example.org/"}')
    yield ask(admin, "GET", "/stats/{code}", 200, code=code)
    guarded, asks_for = str(uuid.uuid4()), {"password": "open sesame", "max_clicks": 1}
    new = json.dumps({"url": "https://example.com/", "code": guarded, **asks_for})
    form = {"headers": {"Content-Type": "application/x-www-form-urlencoded"}, "body": "password=open+sesame"}
    yield ask(admin, "POST", "/links", 201, body=new)
    yield ask(admin, "POST", "/unlock/{code}", 303, code=guarded, **form)
    yield ask(admin, "GET", "/stats/{code}", 200, code=guarded, multiValueQueryStringParameters={"by": ["day"]})
    yield ask(admin, "GET", "/stats", 200, multiValueQueryStringParameters={"code": [code]})
    yield ask(admin, "GET", "/analytics/links", 200)
    yield ask(admin, "DELETE", "/links/{code}", 204, code=code)


def follow_link() -> Iterator[Step]:
    code = f"followed-{uuid.uuid4()}"
    insert_link(a_link(code=code, max_clicks=1))  # which no change has put into the cache
    event = a_request("GET", "/{code}", pathParameters={"code": code})
    yield lambda: invoke("follow_link", event, 302)


def record_clicks() -> Iterator[Step]:
    click = new_message(f"nobodys-{uuid.uuid4()}", {}, clock.now()).text
    yield lambda: invoke("record_clicks", an_sqs_event(a_message(click)))
    yield lambda: invoke("record_clicks", an_sqs_event(a_message(click), a_message("to be put off")))


def publish_link_events() -> Iterator[Step]:
    image = {
        "code": {"S": f"nobodys-{uuid.uuid4()}"},
        "url": {"S": "https://example.com/"},
        "status": {"S": "active"},
        "version": {"N": "2"},
        "updated_at": {"S": clock.rfc3339(clock.now())},
    }
    before = {**image, "url": {"S": "https://example.org/"}}
    yield lambda: invoke("publish_link_events", {"Records": [{"dynamodb": {"OldImage": before, "NewImage": image}}]})


def an_event(kind: EventType, code: str = "") -> str:
    code = code or f"nobodys-{uuid.uuid4()}"
    url = "https://example.com/"
    return encode_event(
        LinkEvent(v=1, id=uuid.uuid4(), type=kind, code=code, url=url, version=2, occurred_at=clock.now())
    )


def refresh_redirects() -> Iterator[Step]:
    code = f"changed-{uuid.uuid4()}"
    insert_link(a_link(code=code, version=2))
    change = a_message(an_event("link.updated", code))
    yield lambda: invoke("refresh_redirects", an_sqs_event(change))
    yield lambda: invoke("refresh_redirects", an_sqs_event(change, a_message("to be put off")))


def count_created_links() -> Iterator[Step]:
    sns = {"Sns": {"Subject": "link.created", "Message": an_event("link.created"), "MessageAttributes": {}}}
    yield lambda: invoke("count_created_links", {"Records": [sns]})


def purge_clicks() -> Iterator[Step]:
    code = f"gone-{uuid.uuid4()}"
    invoke("record_clicks", an_sqs_event(a_message(new_message(code, {}, clock.now()).text)))
    insert_link(a_link(code=code, version=2, status=Status.DELETED))
    gone = a_message(an_event("link.deleted", code))
    yield lambda: invoke("purge_clicks", an_sqs_event(gone))
    yield lambda: invoke("purge_clicks", an_sqs_event(gone, a_message("to be put off")))
    yield purge_longer_than_there_is_time


def purge_longer_than_there_is_time() -> str | None:
    """Have a purge stop in between and send its message again; with more to do if it was done in time."""
    with time_out("purge_clicks", deliveries.SECONDS_IN_RESERVE + 1):
        for rows in (2_000, 8_000, 32_000):
            code = f"gone-{uuid.uuid4()}"
            insert_link(a_link(code=code, version=2, status=Status.DELETED))
            insert_rows(code, rows)
            outcome = call("purge_clicks", an_sqs_event(a_message(an_event("link.deleted", code))))
            if "purge goes on later" in outcome.log:
                return None
            if "clicks purged" not in outcome.log:
                return str(outcome)
    raise AssertionError("No purge was too long.")


def insert_rows(code: str, number: int) -> None:
    dynamodb = client("dynamodb")

    def insert(_: int) -> None:
        rows = [{"code": {"S": code}, "click_id": {"S": str(uuid.uuid4())}} for _ in range(25)]
        puts: list[Any] = [{"PutRequest": {"Item": row}} for row in rows]
        dynamodb.batch_write_item(RequestItems={config.clicks_table(): puts})

    with ThreadPoolExecutor(4) as writers:
        list(writers.map(insert, range(number // 25)))


@contextmanager
def time_out(function: str, seconds: int) -> Iterator[None]:
    """Give a function less time, for a while."""
    name = f"linkly-local-{function}"
    lambda_ = client("lambda")
    usual = lambda_.get_function_configuration(FunctionName=name)["Timeout"]
    lambda_.update_function_configuration(FunctionName=name, Timeout=seconds)
    try:
        yield
    finally:
        lambda_.update_function_configuration(FunctionName=name, Timeout=usual)


EXERCISES: dict[str, Callable[[], Iterator[Step]]] = {
    each.__name__: each
    for each in (
        api_handler,
        follow_link,
        record_clicks,
        publish_link_events,
        refresh_redirects,
        count_created_links,
        purge_clicks,
    )
}


@pytest.mark.parametrize("function", sorted({each.function for each in permissions()}))
def test_a_function_does_all_its_work_with_its_permissions(deployment: Deployment, function: str) -> None:
    assert deployment

    refused = [refusal for step in EXERCISES[function]() if (refusal := step())]

    assert [] == refused


@contextmanager
def taken_away(permission: Permission) -> Iterator[None]:
    """Leave a function one permission less, for a while."""
    iam = client("iam")
    name = f"linkly-local-{permission.function}"
    role = client("lambda").get_function_configuration(FunctionName=name)["Role"].rpartition("/")[2]
    [name] = iam.list_role_policies(RoleName=role)["PolicyNames"]
    policy = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    left = []
    for statement in policy["Statement"]:
        if statement["Sid"] != permission.sid:
            left.append(statement)
            continue
        # The emulation knows SQS's batch calls as actions of their own.
        kept = [each for each in statement["Action"] if each.removesuffix("Batch") != permission.action]
        others = [each for place, each in enumerate(statement["Resource"]) if place != permission.resource]
        left.append({**statement, "Action": kept})
        left.append({**statement, "Sid": f"{permission.sid}Elsewhere", "Resource": others})
    less = {**policy, "Statement": [each for each in left if each["Action"] and each["Resource"]]}
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(less))
    try:
        yield
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(policy))


@pytest.mark.parametrize("permission", OURS, ids=lambda each: "-".join(map(str, each)))
def test_without_one_of_its_permissions_it_does_not(deployment: Deployment, permission: Permission) -> None:
    assert deployment

    with taken_away(permission):
        steps = EXERCISES[permission.function]()
        refused = next((refusal for step in steps if (refusal := step())), None)

    assert refused, f"{permission} is spare, or nothing in {permission.function}'s exercise needs it"


def test_the_bucket_of_the_code_is_private_and_not_reached_over_plain_http(deployment: Deployment) -> None:
    assert deployment
    s3, bucket = client("s3"), f"linkly-local-artifacts-{account()}-eu-central-1"

    [statement] = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]
    closed = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]

    assert {True} == set(closed.values())
    assert {
        "Sid": "NothingOverPlainHttp",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    } == statement
