"""The calls of AWS that a redirect makes: what may come of one, and how the SDK makes it.

A redirect is answered by a function that starts without the SDK (signed_calls.py), and by whoever serves the app with
it. Both make the same calls; this module imports the SDK only when a call is made by it.
"""

from collections.abc import Callable, Mapping
from typing import Any

Call = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]
"""Makes a call of an operation, one of SERVICES, with its parameters as AWS's JSON has them, and gives the answer.

Raises ConditionFailed, or CallFailed if there is no answer after all attempts.
"""

SERVICES = {"GetItem": "dynamodb", "PutItem": "dynamodb", "UpdateItem": "dynamodb", "SendMessage": "sqs"}
"""The operations, and the service of each."""

CONDITION_FAILED = "ConditionalCheckFailedException"


class CallFailed(Exception):
    """There is no answer: nobody knows whether the call has done what it was to do. The message says why."""


class ConditionFailed(Exception):
    """The condition of a write does not hold. That is an answer: nothing was written."""


def by_sdk(operation: str, parameters: Mapping[str, Any], attempts: int = 2) -> Mapping[str, Any]:
    """A Call, made by the SDK with as many attempts."""
    from botocore import xform_name  # noqa: PLC0415 (see above)
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 (likewise)

    from chalicelib import aws  # noqa: PLC0415 (likewise)

    client: Any = aws.dynamodb(attempts) if SERVICES[operation] == "dynamodb" else aws.sqs(attempts)
    try:
        answer: Mapping[str, Any] = getattr(client, xform_name(operation))(**parameters)
    except ClientError as error:
        if error.response["Error"]["Code"] == CONDITION_FAILED:
            raise ConditionFailed(str(error)) from error
        raise CallFailed(str(error)) from error
    except BotoCoreError as error:
        raise CallFailed(str(error)) from error
    return answer
