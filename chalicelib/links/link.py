"""What a link is: its fields, each declared once, with what it is used for.

How links are stored, shown, exported, imported, restored and compared follows from the declarations in `Link`.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import Flag, StrEnum, auto
from functools import cache
from typing import Annotated, Any, get_type_hints

import msgspec

from chalicelib import clock
from chalicelib.links.schemas import RequestedCode
from chalicelib.links.status import Status

LONGEST_URL = 2048
"""Characters of the address that a link leads to."""

LONGEST_OWNER = 256
"""Characters. A link is found by its owner, in an index whose keys DynamoDB limits to 2,048 bytes."""


class Use(Flag):
    """What a field of a link is used for, beside being stored and exported, as every field is."""

    CREATE = auto()
    """A caller may give it with POST."""
    CHANGE = auto()
    """A caller may give it with PUT."""
    SHOW = auto()
    """The API shows it to the link's owner."""
    COMPARE = auto()
    """Links that differ in it are not the same: `restore` puts it back, an Idempotency-Key stands for one value."""


Url = Annotated[
    str,
    msgspec.Meta(
        description=(
            "Where the link leads: an http or https address without a user name or password. Without a scheme it gets "
            "https://. Neither the shortener's own address nor, as a rule, one on a private network."
        ),
        extra_json_schema={"minLength": 1, "maxLength": LONGEST_URL},
    ),
]
"""The target of a link. `normalise_url` checks it, and says why it is refused."""

Owner = Annotated[
    str,
    msgspec.Meta(
        min_length=1, max_length=LONGEST_OWNER, description="Whose link it is: the owner of the key that created it."
    ),
]

Version = Annotated[
    int, msgspec.Meta(ge=1, le=10**18 - 1, description="1 at first, and one more with every change; the ETag.")
]
"""At most 18 digits, which every JSON parser and DynamoDB take."""

Moment = Annotated[datetime, msgspec.Meta(tz=True)]

KeyId = Annotated[
    Annotated[str, msgspec.Meta(max_length=64)] | None,
    msgspec.Meta(description="The id of the key that changed the link last; null if that was the operator."),
]


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A link; `version` starts at 1 and grows by one with every change.

    A field that is new has a default, which the links that are stored without it have.
    """

    code: Annotated[RequestedCode, Use.CREATE | Use.SHOW | Use.COMPARE]
    url: Annotated[Url, Use.CREATE | Use.CHANGE | Use.SHOW | Use.COMPARE]
    owner: Annotated[Owner, Use.SHOW | Use.COMPARE]
    version: Annotated[Version, Use.SHOW]
    status: Annotated[Status, Use.COMPARE]
    created_at: Annotated[Moment, msgspec.Meta(description="When it was created, in UTC."), Use.SHOW]
    updated_at: Annotated[Moment, msgspec.Meta(description="When it was changed last, in UTC."), Use.SHOW]
    changed_by: Annotated[KeyId, Use.SHOW] = None

    def public(self, base_url: str) -> dict[str, Any]:
        """The link as the HTTP API shows it for visitors who reach us at `base_url`."""
        return {**plain(self, Use.SHOW), "short_url": f"{base_url}/{self.code}"}


@cache
def fields(use: Use | None = None) -> Mapping[str, Any]:
    """The fields that are used for this, or all, in their order, each with its type."""
    hints = get_type_hints(Link, include_extras=True)
    return {name: hint for name, hint in hints.items() if use is None or use in _uses(hint)}


@cache
def defaults() -> Mapping[str, Any]:
    """The values that fields have where none is given."""
    # Those without one come first, or would have to be given all the same.
    return dict(zip(reversed(Link.__struct_fields__), reversed(Link.__struct_defaults__), strict=False))


def plain(link: Link, use: Use | None = None) -> dict[str, Any]:
    """The fields of a link that are used for this, or all, each as JSON has it."""
    return {name: plain_value(getattr(link, name)) for name in fields(use)}


def request_body(name: str, use: Use, description: str, **optional: Any) -> type[msgspec.Struct]:
    """The type of a request's body with the fields of a use; those that are `optional` may be left out, or null.

    A field with a default in Link has the same one here.
    """
    known = {**defaults(), **optional}
    members = [
        (field, hint | None if field in optional else hint, *((known[field],) if field in known else ()))
        for field, hint in fields(use).items()
    ]
    return msgspec.defstruct(
        name, members, kw_only=True, forbid_unknown_fields=True, namespace={"__doc__": description}
    )


def plain_value(value: Any) -> Any:
    """A field's value as JSON has it."""
    match value:
        case datetime():
            return clock.rfc3339(value)
        case StrEnum():
            return value.value
        case _:
            return value


def _uses(hint: Any) -> Use:
    [use] = [each for each in hint.__metadata__ if isinstance(each, Use)]
    return use
