"""The emulated AWS, stopped and started again, under functions that write down what they receive."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ops.local import emulator
from ops.shared import emulation
from ops.shared.aws import client
from tests.deployed import eventually, free_port

MONTH = 30 * 24 * 60 * 60
"""Seconds. Longer than anything waits in a queue or a stream."""

RECEIVER = """
import time, boto3

received = boto3.resource("dynamodb").Table("received")

def note(text, moment):
    received.update_item(
        Key={"id": text}, UpdateExpression="ADD #moment :one",
        ExpressionAttributeNames={"#moment": moment}, ExpressionAttributeValues={":one": 1},
    )

def handler(event, context):
    for record in event["Records"]:
        text = (record.get("body") or record.get("Sns", {}).get("Message")
                or record["dynamodb"]["Keys"]["id"]["S"])
        note(text, "begun")
        time.sleep(3 if text.startswith("slow") else 0)
        note(text, "ended")
"""


def a_table(name: str) -> dict[str, Any]:
    return {
        "Type": "AWS::DynamoDB::Table",
        "Properties": {
            "TableName": name,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "StreamSpecification": {"StreamViewType": "NEW_AND_OLD_IMAGES"},
        },
    }


def a_receiver(name: str) -> dict[str, Any]:
    return {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "FunctionName": name,
            "Runtime": "python3.12",
            "Handler": "index.handler",
            "Timeout": 30,
            "Role": {"Fn::GetAtt": ["Role", "Arn"]},
            "Code": {"ZipFile": RECEIVER},
        },
    }


def a_mapping(function: str, source: str, attribute: str, **properties: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::Lambda::EventSourceMapping",
        "Properties": {
            "FunctionName": {"Ref": function},
            "EventSourceArn": {"Fn::GetAtt": [source, attribute]},
            **properties,
        },
    }


TEMPLATE = {
    "Resources": {
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": "lambda.amazonaws.com"},
                            "Action": "sts:AssumeRole",
                        }
                    ],
                },
                "Policies": [
                    {
                        "PolicyName": "everything",
                        "PolicyDocument": {
                            "Version": "2012-10-17",
                            "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
                        },
                    }
                ],
            },
        },
        "Received": a_table("received"),
        "Table": a_table("changes"),
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "work"}},
        "Topic": {
            "Type": "AWS::SNS::Topic",
            "Properties": {
                "TopicName": "news",
                "Subscription": [{"Protocol": "lambda", "Endpoint": {"Fn::GetAtt": ["OfTopic", "Arn"]}}],
            },
        },
        "OfStream": a_receiver("of-stream"),
        "OfQueue": a_receiver("of-queue"),
        "OfTopic": a_receiver("of-topic"),
        "FromStream": a_mapping("OfStream", "Table", "StreamArn", StartingPosition="TRIM_HORIZON", BatchSize=1),
        "FromQueue": a_mapping("OfQueue", "Queue", "Arn"),
    },
    "Outputs": {"Queue": {"Value": {"Ref": "Queue"}}, "Topic": {"Value": {"Ref": "Topic"}}},
}


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Where the emulated AWS of this module listens; this process's environment then points to it."""
    port = free_port()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in emulation.environment(f"http://localhost:{port}").items():
            patch.setenv(name, value)
        yield port


@pytest.fixture(scope="module")
def prepared(port: int, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an emulated AWS stored, which has the template's resources, and whose stream was read up to its end."""
    directory = tmp_path_factory.mktemp("prepared")
    with emulator.emulated_aws(port, directory):
        stacks = client("cloudformation")
        stacks.create_stack(StackName="receivers", TemplateBody=json.dumps(TEMPLATE), Capabilities=["CAPABILITY_IAM"])
        stacks.get_waiter("stack_create_complete").wait(StackName="receivers", WaiterConfig={"Delay": 1})
        change("before")
        eventually(lambda: received() == {"before": (1, 1)})
    return directory


@pytest.fixture
def directory(prepared: Path, tmp_path: Path) -> Path:
    """A copy of what was prepared."""
    return shutil.copytree(prepared, tmp_path / "aws", symlinks=True)  # some of which lead nowhere by now


def outputs() -> dict[str, str]:
    [stack] = client("cloudformation").describe_stacks(StackName="receivers")["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def change(text: str) -> None:
    """Put a record with this text into the stream."""
    client("dynamodb").put_item(TableName="changes", Item={"id": {"S": text}})


def send(text: str, delay: int = 0) -> None:
    """Put a message with this text into the queue, to be delivered after `delay` seconds."""
    client("sqs").send_message(QueueUrl=outputs()["Queue"], MessageBody=text, DelaySeconds=delay)


def publish(text: str) -> None:
    """Publish a message with this text on the topic."""
    client("sns").publish(TopicArn=outputs()["Topic"], Message=text)


def received() -> dict[str, tuple[int, int]]:
    """How often functions have begun and ended to work on each text."""
    items = client("dynamodb").scan(TableName="received", ConsistentRead=True)["Items"]
    return {item["id"]["S"]: (int(item["begun"]["N"]), int(item.get("ended", {"N": "0"})["N"])) for item in items}


def switch(*, on: bool) -> None:
    """Have stream and queue read, or left alone."""
    functions = client("lambda")
    for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=on)


def queue_counts() -> tuple[int, int, int]:
    """How many messages of the queue are visible, hidden and delayed."""
    names = [f"ApproximateNumberOfMessages{state}" for state in ("", "NotVisible", "Delayed")]
    counts = client("sqs").get_queue_attributes(QueueUrl=outputs()["Queue"], AttributeNames=names)["Attributes"]
    visible, hidden, delayed = (int(counts[name]) for name in names)
    return visible, hidden, delayed


@contextmanager
def stored(directory: Path, service: str) -> Iterator[Mapping[str, Any]]:
    """What was stored of a service, to be changed; the file stays as old as it was."""
    path = directory / "state" / f"{service}.json"
    age = path.stat()
    state = json.loads(path.read_text())
    yield state["payload"]
    path.write_text(json.dumps(state))
    os.utime(path, (age.st_atime, age.st_mtime))


def grow_older(directory: Path, seconds: int) -> None:
    """Make what is stored as it would be if nothing had run for so long."""
    with stored(directory, "sqs") as state:
        for queue in state["queues"]["data"].values():
            for message in queue["messages"]:
                message["sent_at"] -= seconds
                message["visible_at"] -= seconds
    with stored(directory, "dynamodb") as state:
        for records in state["_stream_records"]["data"].values():
            for record in records:
                record["dynamodb"]["ApproximateCreationDateTime"] -= seconds
    for path in (directory / "state").glob("*.json"):
        age = path.stat()
        os.utime(path, (age.st_atime - seconds, age.st_mtime - seconds))


def kill(directory: Path, port: int) -> None:
    os.kill(int((directory / "tmp" / f"ministack-{port}.pid").read_text()), signal.SIGKILL)


@pytest.mark.parametrize("give", [send, publish])
def test_what_is_under_way_when_it_stops_is_finished(give: Callable[[str], None], directory: Path, port: int) -> None:
    with emulator.emulated_aws(port, directory):
        give("slow")
        eventually(lambda: "slow" in received())
    with emulator.emulated_aws(port, directory):
        assert {"before": (1, 1), "slow": (1, 1)} == received()
        assert (0, 0, 0) == queue_counts()


def test_a_change_under_way_when_it_stops_is_finished_and_the_next_is_begun_after_the_start(
    directory: Path, port: int
) -> None:
    with emulator.emulated_aws(port, directory):
        change("slow")
        change("next")
        eventually(lambda: "slow" in received())
    with stored(directory, "dynamodb") as state:
        [table] = [table for name, table in state["tables"]["data"].items() if name.endswith("'received'")]
        received_before_the_stop = set(table["items"])
    with emulator.emulated_aws(port, directory):
        eventually(lambda: received() == dict.fromkeys(["before", "slow", "next"], (1, 1)))

    assert {"before", "slow"} == received_before_the_stop


def test_what_waits_when_it_stops_is_received_after_the_start_however_late_that_is(directory: Path, port: int) -> None:
    with emulator.emulated_aws(port, directory):
        switch(on=False)
        change("change")
        send("message")
        send("delayed message", delay=900)
    grow_older(directory, MONTH)
    with emulator.emulated_aws(port, directory):
        waiting = queue_counts()
        switch(on=True)
        change("after")
        eventually(lambda: {"after", "message"} <= received().keys())
        at_the_end = received()

    assert (1, 0, 1) == waiting
    assert dict.fromkeys(["before", "change", "message", "after"], (1, 1)) == at_the_end


def test_a_stream_of_which_nothing_was_stored_is_read_from_its_start(directory: Path, port: int) -> None:
    with stored(directory, "dynamodb") as state:
        del state["_stream_records"], state["_stream_trimmed"]
    with emulator.emulated_aws(port, directory):
        change("after")
        eventually(lambda: received() == {"before": (1, 1), "after": (1, 1)})


def test_after_a_kill_it_goes_on_from_what_was_stored_last(directory: Path, port: int) -> None:
    with emulator.emulated_aws(port, directory):
        change("lost")
        eventually(lambda: received() == {"before": (1, 1), "lost": (1, 1)})
        kill(directory, port)
    with emulator.emulated_aws(port, directory):
        change("after")
        eventually(lambda: received() == {"before": (1, 1), "after": (1, 1)})


def test_another_version_of_the_emulator_is_refused_if_it_lacks_what_is_mended_here() -> None:
    without = "import runpy; from ministack.services import sqs; del sqs._queues"
    run = f"runpy.run_path({str(emulator.PROCESS)!r}, run_name='__main__')"

    done = subprocess.run([emulator.PYTHON, "-c", f"{without}; {run}"], capture_output=True, text=True, check=False)

    sentence = (
        "This version of ministack has no ministack.services.sqs:_queues. "
        f"See what it does now, and change {emulator.PROCESS}.\n"
    )
    assert (1, sentence) == (done.returncode, done.stderr)
