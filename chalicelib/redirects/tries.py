"""Wrong passwords of a link are bounded: a hundred in any fifteen minutes, in table `allowances`, by `code`.

An item has a hundred places, attributes that hold the time of a try. A try takes a place before the password is looked
at, by a write on the condition that the place is free, so that no crowd gets more tries than there are places. A right
password gives its place back; a wrong one keeps it for fifteen minutes. Nothing is kept of who tried: somebody else's
wrong passwords count as well.
"""

import secrets
from contextlib import suppress
from typing import Any, NamedTuple, cast

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib import aws, clock, config
from chalicelib.problems import TooManyTries

MOST_WRONG = 100
SECONDS = 15 * 60


class Try(NamedTuple):
    """A try of a link's password, and the place that it has taken."""

    code: str
    place: str
    at: str
    """Seconds since 1970."""


def begin(code: str) -> Try:
    """Take a place. Raises TooManyTries if none is free."""
    dynamodb = aws.dynamodb()
    now = int(clock.now().timestamp())
    free = [f"try_{number}" for number in range(MOST_WRONG)]
    while free:
        taken = Try(code, secrets.choice(free), str(now))
        try:
            dynamodb.update_item(
                TableName=config.allowances_table(),
                Key={"code": {"S": code}},
                UpdateExpression="SET #place = :now",
                ConditionExpression="attribute_not_exists(#place) OR #place < :before",
                ExpressionAttributeNames={"#place": taken.place},
                ExpressionAttributeValues={":now": {"N": taken.at}, ":before": {"N": str(now - SECONDS)}},
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except dynamodb.exceptions.ConditionalCheckFailedException as error:
            item = cast("Any", error.response)["Item"]
            free = [place for place in free if place not in item or int(item[place]["N"]) < now - SECONDS]
            continue
        return taken
    raise TooManyTries(code)


def give_back(taken: Try) -> None:
    """Free the place again, since the password was right."""
    dynamodb = aws.dynamodb()
    # If that fails, it is somebody else's by now, or free in fifteen minutes: no reason to keep the visitor waiting.
    with suppress(ClientError, BotoCoreError):
        dynamodb.update_item(
            TableName=config.allowances_table(),
            Key={"code": {"S": taken.code}},
            UpdateExpression="REMOVE #place",
            ConditionExpression="#place = :at",
            ExpressionAttributeNames={"#place": taken.place},
            ExpressionAttributeValues={":at": {"N": taken.at}},
        )
