"""Create many links with one request: each has an answer of its own, and one that is refused harms no other."""

import json
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any, NamedTuple, NotRequired, TypedDict

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.links.create import LinkRequest, create_link
from chalicelib.links.once import Unfinished, once, origin_of
from chalicelib.observability import logger
from chalicelib.problems import InternalError, Problem, Unavailable

SECONDS_TO_ANSWER = 3
"""That are left for a link that has been begun, and for the answer to all of them."""


class Many(NamedTuple):
    """Links that somebody asks for with one request."""

    read: Sequence[Callable[[], LinkRequest]]
    """Each reads what is asked for, or raises the Problem with it."""
    owner: str
    base_url: str
    seconds_left: Callable[[], float]


class Created(TypedDict):
    """What became of one link: `link` if it was created, `problem` if not."""

    status: int
    link: NotRequired[dict[str, Any]]
    problem: NotRequired[dict[str, Any]]


def create_links(many: Many, key: str | None = None) -> list[Created]:
    """Create links, in their order; those for which no time is left are told to be sent again.

    With the same `key`, a link is the same one every time.
    """
    return [_created(many, number, key) for number in range(len(many.read))]


def create_links_once(key: str, many: Many, payload: Any, context: Any) -> list[Created]:
    """The first answer to this request, for a day; of one that was not finished, what is left is created.

    Raises IdempotencyKeyReused, StillInProgress or BadRequest.
    """

    def create(**_: Any) -> list[Created]:
        items = create_links(many, key)
        if any(item["status"] >= HTTPStatus.INTERNAL_SERVER_ERROR for item in items):
            raise Unfinished(items)
        return items

    try:
        items: list[Created] = once(key, many.owner, payload, create, context)
    except Unfinished as error:
        items = error.answer
    return items


def _created(many: Many, number: int, key: str | None) -> Created:
    try:
        if many.seconds_left() < SECONDS_TO_ANSWER:
            raise Unavailable("There was no time left for this link. Send it again.")  # noqa: TRY301 (one of several)
        request = many.read[number]()
        link = create_link(request, origin_of(key, request, number) if key else None)
    except Problem as problem:
        return _refused(problem)
    except (BotoCoreError, ClientError):
        logger.exception("a link was not created")
        return _refused(Unavailable())
    except Exception:  # noqa: BLE001 (whatever it was, the other links get their answers)
        logger.exception("a link was not created")
        return _refused(InternalError())
    return {"status": HTTPStatus.CREATED.value, "link": link.public(many.base_url)}


def _refused(problem: Problem) -> Created:
    return {"status": problem.status.value, "problem": json.loads(problem.body())}
