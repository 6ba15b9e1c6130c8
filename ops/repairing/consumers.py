"""`python -m ops pause` and `resume`: have a consumer leave its queue or stream alone, and let it go on again.

A consumer is a function with an event source mapping, which is what is switched off and on. What comes meanwhile waits
in the queue or stream, for as long as that keeps it.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from rich.console import Console

from ops.shared.aws import client
from ops.shared.errors import OperatorError
from ops.shared.stacks import stack_name
from ops.shared.stages import Stage, connect

SECONDS_TO_SWITCH = 300
_SECONDS_BETWEEN_LOOKS = 2

Name = Annotated[str, typer.Argument(help="Such as record_clicks; `status` lists them.")]


class SwitchFailed(OperatorError):
    """A consumer did not stop or start in time; the message says which state it is in."""


@dataclass(frozen=True, slots=True)
class Consumer:
    """A function that Lambda feeds from a queue or stream.

    `state` is AWS's: Enabled, Disabled, or on its way to another.
    https://docs.aws.amazon.com/lambda/latest/api/API_EventSourceMappingConfiguration.html
    """

    function: str
    mapping_id: str
    source_arn: str
    state: str
    last_result: str


def pause(name: Name, stage: Stage = None) -> None:
    """Stop a consumer; what it would work on waits. Safe to repeat."""
    stage = connect(stage)
    consumer = find_consumer(stage, name)
    switch(consumer, on=False)
    print(f"{name} is paused. {_patience(consumer)} Let it go on: python -m ops resume {name} --stage {stage}")


def resume(name: Name, stage: Stage = None) -> None:
    """Let a consumer go on where it was paused. Safe to repeat."""
    stage = connect(stage)
    switch(find_consumer(stage, name), on=True)
    print(f"{name} is at work.")


def consumers(stage: str) -> list[Consumer]:
    """The consumers of a stage, by name."""
    return sorted(_consumers(stage), key=lambda consumer: consumer.function)


def find_consumer(stage: str, name: str) -> Consumer:
    """The consumer with this name. Raises BadParameter, which lists those that there are."""
    found = {consumer.function: consumer for consumer in consumers(stage)}
    if name not in found:
        raise typer.BadParameter(f"there is no consumer {name!r}; choose from {', '.join(found)}")
    return found[name]


def switch(consumer: Consumer, *, on: bool) -> None:
    """Enable or disable a consumer, and wait until it is. Raises SwitchFailed."""
    functions = client("lambda")
    wanted = "Enabled" if on else "Disabled"
    deadline = time.monotonic() + SECONDS_TO_SWITCH
    asked = False
    with Console(stderr=True).status(f"waiting until {consumer.function} is {wanted.lower()}"):
        while (state := functions.get_event_source_mapping(UUID=consumer.mapping_id)["State"]) != wanted:
            if time.monotonic() > deadline:
                raise SwitchFailed(
                    f"{consumer.function} is still {state.lower()} after {SECONDS_TO_SWITCH} seconds. Try again."
                )
            # While it changes, Lambda refuses another change of it.
            if not asked and state in {"Enabled", "Disabled"}:
                functions.update_event_source_mapping(UUID=consumer.mapping_id, Enabled=on)
                asked = True
            else:
                time.sleep(_SECONDS_BETWEEN_LOOKS)


def _consumers(stage: str) -> Iterator[Consumer]:
    prefix = f"{stack_name(stage)}-"
    for page in client("lambda").get_paginator("list_event_source_mappings").paginate():
        for mapping in page["EventSourceMappings"]:
            function = mapping["FunctionArn"].split(":")[6]
            if function.startswith(prefix):
                yield Consumer(
                    function=function.removeprefix(prefix),
                    mapping_id=mapping["UUID"],
                    source_arn=mapping["EventSourceArn"],
                    state=mapping["State"],
                    last_result=mapping.get("LastProcessingResult", ""),
                )


def _patience(consumer: Consumer) -> str:
    """How long what comes now will wait."""
    source: list[Any] = consumer.source_arn.split(":")
    if source[2] != "sqs":
        # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
        return "The stream keeps a change for 24 hours; one that is not announced by then never is."
    sqs = client("sqs")
    url = sqs.get_queue_url(QueueName=source[5])["QueueUrl"]
    name = "MessageRetentionPeriod"
    seconds = int(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name])
    return f"Its queue keeps a message for {seconds / 86400:g} days; one that is older is lost."
