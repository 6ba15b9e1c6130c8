"""Create a link once, however often the request comes: POST /links with an Idempotency-Key.

Powertools remembers the answer for 24 hours and holds off a second request while the first is at work. Should the first
die in between, the link that it may have made is found again: its write id, and its code if none was wished for, are
made of the owner, the key and the body.
"""

import re
import uuid
from typing import Any, cast

from chalicelib import aws, config
from chalicelib.links.create import Wish, create_link
from chalicelib.links.link import PublicLink
from chalicelib.problems import BadRequest, IdempotencyKeyReused, StillInProgress, Unavailable

REMEMBERED_SECONDS = 24 * 60 * 60

LONGEST_KEY = 255
KEY_PATTERN = rf"[!-~](?:[ -~]{{0,{LONGEST_KEY - 2}}}[!-~])?"
"""Printable ASCII characters; what HTTP strips off a header's ends cannot be part of it."""

_NAMESPACE = uuid.UUID("5d2c1d2e-53d1-4a6f-8f5e-0b1f6c7a2e11")


def create_link_once(key: str, wish: Wish, base_url: str, context: Any) -> PublicLink:
    """The public form of the link that this request, or an earlier one with the same key and body, has created.

    `context` is Lambda's. Raises IdempotencyKeyReused, StillInProgress, or what `create_link` does.
    """
    # Imported here because a redirect, which shares this process, never needs it, and it takes a fifth of a second.
    from aws_lambda_powertools.utilities import idempotency  # noqa: PLC0415
    from aws_lambda_powertools.utilities.idempotency import exceptions  # noqa: PLC0415

    if not re.fullmatch(KEY_PATTERN, key):
        raise BadRequest(f"The Idempotency-Key must have 1 to {LONGEST_KEY} printable ASCII characters.")
    settings = idempotency.IdempotencyConfig(
        event_key_jmespath="[owner, key]",
        payload_validation_jmespath="[url, code]",
        raise_on_no_idempotency_key=True,
        expires_after_seconds=REMEMBERED_SECONDS,
        hash_function="sha256",
        lambda_context=context,
    )
    memory = idempotency.DynamoDBPersistenceLayer(config.idempotency_table(), boto3_client=aws.dynamodb())

    def create(request: dict[str, Any]) -> PublicLink:
        write_id = str(uuid.uuid5(_NAMESPACE, repr(sorted(request.items()))))
        return create_link(wish, write_id).public(base_url)

    create_once = idempotency.idempotent_function(
        create, data_keyword_argument="request", persistence_store=memory, config=settings, key_prefix="create_link"
    )
    try:
        link = create_once(request={"owner": wish.owner, "key": key, "url": wish.url, "code": wish.code})
    except exceptions.IdempotencyValidationError as error:
        raise IdempotencyKeyReused from error
    except exceptions.IdempotencyAlreadyInProgressError as error:
        raise StillInProgress from error
    except exceptions.IdempotencyPersistenceLayerError as error:
        raise Unavailable("The database cannot be reached just now. Try again in a moment.") from error
    return cast("PublicLink", link)
