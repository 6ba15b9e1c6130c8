"""Create a link once, however often the request comes: POST /links with an Idempotency-Key.

What a request made is stored with the link, under an id that is made of the owner and the key: whenever the request
comes again, its link is found, as it is then. Beside that, for 24 hours, Powertools remembers the first answer, holds
off a second request while the first is at work, and knows the key under whatever code another request asks for.
"""

import hashlib
import json
import re
import uuid
from collections.abc import Callable
from typing import Any

from chalicelib import aws, config
from chalicelib.links.checks import normalise_fields
from chalicelib.links.create import LinkRequest, create_link
from chalicelib.links.link import Use, defaults, fields, plain_value
from chalicelib.links.store import Origin
from chalicelib.problems import BadRequest, IdempotencyKeyReused, StillInProgress, Unavailable

REMEMBERED_SECONDS = 24 * 60 * 60

LONGEST_KEY = 255
KEY_PATTERN = rf"[!-~](?:[ -~]{{0,{LONGEST_KEY - 2}}}[!-~])?"
"""Printable ASCII characters; what HTTP strips off a header's ends cannot be part of it."""

_NAMESPACE = uuid.UUID("5d2c1d2e-53d1-4a6f-8f5e-0b1f6c7a2e11")


class Unfinished(Exception):
    """What was to be done once is not done: `answer` is for this request only, and the next one goes on."""

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.answer = answer


def create_link_once(key: str, request: LinkRequest, base_url: str, context: Any) -> dict[str, Any]:
    """The public form of the link that this request, or an earlier one with the same key and body, has created.

    `context` is Lambda's. Raises IdempotencyKeyReused, StillInProgress, or what `create_link` does.
    """

    def create(data: dict[str, Any]) -> dict[str, Any]:
        return create_link(request, _origin(**data)).public(base_url)

    link: dict[str, Any] = once(key, request.caller.owner, _payload(request), create, context)
    return link


def once(key: str, owner: str, payload: Any, create: Callable[..., Any], context: Any) -> Any:
    """What `create` gives, or gave within the last day to the same key of this owner with the same payload.

    It is called with `data`: owner, key and payload. What it raises is not remembered. Raises IdempotencyKeyReused,
    StillInProgress, BadRequest or Unavailable.
    """
    # Imported here because a redirect, which shares this process, never needs it, and it takes a fifth of a second.
    from aws_lambda_powertools.utilities import idempotency  # noqa: PLC0415
    from aws_lambda_powertools.utilities.idempotency import exceptions  # noqa: PLC0415

    if not re.fullmatch(KEY_PATTERN, key):
        raise BadRequest(f"The Idempotency-Key must have 1 to {LONGEST_KEY} printable ASCII characters.")
    settings = idempotency.IdempotencyConfig(
        event_key_jmespath="[owner, key]",
        payload_validation_jmespath="payload",
        raise_on_no_idempotency_key=True,
        expires_after_seconds=REMEMBERED_SECONDS,
        hash_function="sha256",
        lambda_context=context,
    )
    memory = idempotency.DynamoDBPersistenceLayer(config.idempotency_table(), boto3_client=aws.dynamodb())
    create_once = idempotency.idempotent_function(
        create, data_keyword_argument="data", persistence_store=memory, config=settings, key_prefix="create_link"
    )
    try:
        return create_once(data={"owner": owner, "key": key, "payload": payload})
    except exceptions.IdempotencyValidationError as error:
        raise IdempotencyKeyReused from error
    except exceptions.IdempotencyAlreadyInProgressError as error:
        raise StillInProgress from error
    except exceptions.IdempotencyPersistenceLayerError as error:
        raise Unavailable("The database cannot be reached just now. Try again in a moment.") from error


def origin_of(key: str, request: LinkRequest, number: int) -> Origin:
    """The request that makes the link of this number among many."""
    payload = _payload(request)
    return _origin(request.caller.owner, json.dumps([key, number]), payload)


def _payload(request: LinkRequest) -> list[Any]:
    """What a request asks for, without what is secret.

    Fields at their defaults are left out, so that one that is new changes no payload.
    """
    given = normalise_fields(request.given)
    others = {
        name: plain_value(given[name])
        for name in fields(Use.CREATE | Use.COMPARE).keys() - {"url", "code", *fields(Use.SECRET)}
        if given[name] != defaults()[name]
    }
    return [given["url"], given["code"], *([others] if others else [])]


def _origin(owner: str, key: str, payload: list[Any]) -> Origin:
    return Origin(
        request_id=str(uuid.uuid5(_NAMESPACE, json.dumps([owner, key]))),
        payload_hash=hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest(),
    )
