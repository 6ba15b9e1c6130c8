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


LONGEST_TITLE = 200
MOST_TAGS = 10
LONGEST_TAG = 50
LONGEST_PASSWORD = 128
"""Characters."""

MOST_CLICKS = 1_000_000_000


class Use(Flag):
    """What a field of a link is used for, beside being stored and exported, as every field is."""

    CREATE = auto()
    """A caller may give it with POST."""
    CHANGE = auto()
    """A caller may give it with PUT and PATCH."""
    SHOW = auto()
    """The API shows it to the link's owner."""
    COMPARE = auto()
    """Links that differ in it are not the same: `restore` puts it back, an Idempotency-Key stands for one value."""
    SECRET = auto()
    """Only a hash of it is stored and exported. It is shown to nobody, and an Idempotency-Key stands for any value."""


_BY_CALLER = Use.CREATE | Use.CHANGE | Use.SHOW | Use.COMPARE

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

Title = Annotated[
    Annotated[str, msgspec.Meta(max_length=LONGEST_TITLE)] | None,
    msgspec.Meta(description="What the owner calls it; visitors never see it."),
]

Tags = Annotated[
    tuple[Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_TAG)], ...],
    msgspec.Meta(max_length=MOST_TAGS, description="Words to find it by: in lower case (Unicode NFC), each once."),
]

Enabled = Annotated[bool, msgspec.Meta(description="Whether it leads anywhere; a link that does not answers 404.")]

StartsAt = Annotated[
    Moment | None, msgspec.Meta(description="When it begins to lead anywhere; before `expires_at`. Null: at once.")
]

ExpiresAt = Annotated[
    Moment | None, msgspec.Meta(description="From when on it leads to `expired_url`, or nowhere. Null: never.")
]

ExpiredUrl = Annotated[
    Annotated[str, msgspec.Meta(extra_json_schema={"minLength": 1, "maxLength": LONGEST_URL})] | None,
    msgspec.Meta(description="Where visitors go who come too late, uncounted: an address like `url`."),
]

ForwardQuery = Annotated[
    bool, msgspec.Meta(description="Whether the query that a visitor comes with is passed on to the target.")
]

MaxClicks = Annotated[
    Annotated[int, msgspec.Meta(ge=1, le=MOST_CLICKS)] | None,
    msgspec.Meta(
        description="How often it may be followed; after that it leads to `expired_url`, or nowhere. Clicks of before "
        "a limit is first set are not among them. Null: as often as people like."
    ),
]

Password = Annotated[
    Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_PASSWORD)] | None,
    msgspec.Meta(description="What visitors have to give; it is never shown again. Null: nothing."),
]
"""From a caller, the password; in a Link, its hash (passwords.py), which is as short."""

HasPassword = Annotated[bool, msgspec.Meta(description="Whether visitors have to give a password.")]

KeyId = Annotated[
    Annotated[str, msgspec.Meta(max_length=64)] | None,
    msgspec.Meta(description="The id of the key that changed the link last; null if that was the operator."),
]


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A link; `version` starts at 1 and grows by one with every change.

    A field that is new has a default, which the links that are stored without it have.
    """

    code: Annotated[RequestedCode, Use.CREATE | Use.SHOW | Use.COMPARE]
    url: Annotated[Url, _BY_CALLER]
    owner: Annotated[Owner, Use.SHOW | Use.COMPARE]
    version: Annotated[Version, Use.SHOW]
    status: Annotated[Status, Use.COMPARE]
    created_at: Annotated[Moment, msgspec.Meta(description="When it was created, in UTC."), Use.SHOW]
    updated_at: Annotated[Moment, msgspec.Meta(description="When it was changed last, in UTC."), Use.SHOW]
    changed_by: Annotated[KeyId, Use.SHOW] = None
    title: Annotated[Title, _BY_CALLER] = None
    tags: Annotated[Tags, _BY_CALLER] = ()
    enabled: Annotated[Enabled, _BY_CALLER] = True
    starts_at: Annotated[StartsAt, _BY_CALLER] = None
    expires_at: Annotated[ExpiresAt, _BY_CALLER] = None
    expired_url: Annotated[ExpiredUrl, _BY_CALLER] = None
    forward_query: Annotated[ForwardQuery, _BY_CALLER] = False
    max_clicks: Annotated[MaxClicks, _BY_CALLER] = None
    password: Annotated[Password, Use.CREATE | Use.CHANGE | Use.COMPARE | Use.SECRET] = None

    def public(self, base_url: str) -> dict[str, Any]:
        """The link as the HTTP API shows it for visitors who reach us at `base_url`."""
        return {
            **plain(self, Use.SHOW),
            "has_password": self.password is not None,
            "short_url": f"{base_url}/{self.code}",
        }


ALSO_SHOWN: Mapping[str, Any] = {
    "has_password": HasPassword,
    "short_url": Annotated[str, msgspec.Meta(description="The address that visitors follow.")],
}
"""What the HTTP API shows of a link beside its fields, with their types."""


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


_IGNORED = Annotated[Any, msgspec.Meta(description="Left alone.")]


def request_body(
    name: str, use: Use, description: str, ignored: Use | None = None, **optional: Any
) -> type[msgspec.Struct]:
    """The type of a request's body with the fields of a use; those that are `optional` may be left out, or null.

    A field with a default in Link has the same one here; where UNSET is given, one may tell what is left out from null.
    What we set ourselves, and show, is taken and left alone if it is `ignored`, so that what a GET answered can be sent
    back.
    """
    known = {**defaults(), **optional}
    members = [
        (field, _or_none(hint, optional, field), *((known[field],) if field in known else ()))
        for field, hint in fields(use).items()
    ]
    if ignored:
        members += [(field, _IGNORED, None) for field in (*fields(ignored), *ALSO_SHOWN) if field not in fields(use)]
    return msgspec.defstruct(
        name, members, kw_only=True, forbid_unknown_fields=True, namespace={"__doc__": description}
    )


def _or_none(hint: Any, optional: Mapping[str, Any], field: str) -> Any:
    if field not in optional:
        return hint
    return hint | None | msgspec.UnsetType if optional[field] is msgspec.UNSET else hint | None


def patch_body(name: str, use: Use, description: str) -> type[msgspec.Struct]:
    """The type of a merge patch (RFC 7396) of the fields of a use: each may be left out; null is its default."""
    members = [(field, hint | None | msgspec.UnsetType, msgspec.UNSET) for field, hint in fields(use).items()]
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
        case tuple():
            return list(value)
        case _:
            return value


def _uses(hint: Any) -> Use:
    [use] = [each for each in hint.__metadata__ if isinstance(each, Use)]
    return use
