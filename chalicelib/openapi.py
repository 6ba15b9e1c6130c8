"""The API, described as OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.1).

Made of what is there: the app's routes and their docstrings, the types that requests are checked against, the limits
that are checked, the classes of problems, the list of public routes. ROUTES adds to each route, by its function's name,
what cannot be read off these: what it takes, answers and refuses.
"""

import sys
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from http import HTTPStatus
from itertools import groupby
from operator import attrgetter
from types import GenericAlias
from typing import Annotated, Any, Literal, NamedTuple, NotRequired, TypedDict

import msgspec

from chalicelib import browsers, problems
from chalicelib.access.me import Me
from chalicelib.analytics import routes as analytics
from chalicelib.analytics.daily_links import LinksByDay
from chalicelib.clicks import routes as clicks
from chalicelib.clicks.message import LONGEST_VALUE, UTM
from chalicelib.clicks.statistics import DIMENSIONS, ClicksOfLinks, Report, Statistics
from chalicelib.links import once
from chalicelib.links import routes as links
from chalicelib.links.link import ALSO_SHOWN, LONGEST_OWNER, LONGEST_PASSWORD, LONGEST_TAG, Use, fields
from chalicelib.links.listing import LONGEST_SEARCH, State, encode_cursor
from chalicelib.links.schemas import Code
from chalicelib.links.store import Position
from chalicelib.pages.page import POLICY
from chalicelib.parameters import DEFAULT_DAYS
from chalicelib.problems import Problem
from chalicelib.redirects import previews
from chalicelib.redirects import routes as redirects

Json = dict[str, Any]


class Health(TypedDict):
    """The app answers."""

    status: Literal["ok"]


PublicLink = msgspec.defstruct(
    "PublicLink",
    [*fields(Use.SHOW).items(), *ALSO_SHOWN.items()],
    namespace={"__doc__": "A link, as the HTTP API shows it."},
    kw_only=True,
)


class UnlockForm(TypedDict):
    """The password of a link, and the page that its visitor came from at first."""

    password: Annotated[str, msgspec.Meta(max_length=LONGEST_PASSWORD)]
    referrer: NotRequired[str]


class LinkCreated(TypedDict):
    """What became of one of many links: `link` with the status 201, `problem` with any other."""

    status: int
    link: NotRequired[PublicLink]  # type: ignore[valid-type]
    problem: NotRequired[problems.ProblemDetails]


class LinksCreated(TypedDict):
    """What became of many links, in the order in which they were given."""

    items: list[LinkCreated]


LinkList = msgspec.defstruct(
    "LinkList",
    [("items", GenericAlias(list, PublicLink)), ("next", str | None)],
    namespace={"__doc__": "A page of links; `next` is the cursor of the one after it, or null."},
)


def _whole_number(name: str, default: int, most: int, meaning: str) -> Json:
    schema = {"type": "integer", "minimum": 1, "maximum": most, "default": default}
    return {"name": name, "in": "query", "description": meaning, "schema": schema}


def _days(most: int) -> Json:
    return _whole_number("days", DEFAULT_DAYS, most, "How many days, in UTC, today's included.")


LIMIT = _whole_number("limit", links.DEFAULT_LIMIT, links.LARGEST_LIMIT, "How many links, at most.")
CURSOR: Json = {
    "name": "cursor",
    "in": "query",
    "description": "The `next` of the page before; without it, the newest links.",
    "schema": {"type": "string"},
    "example": encode_cursor(Position("2026-05-27T10:15:30.123Z", "my-link")),
}
SEARCH: tuple[Json, ...] = (
    {
        "name": "q",
        "in": "query",
        "description": "A text in the code, the url or the title, in any case of letters. A page may then be short: "
        "`next` goes on.",
        "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_SEARCH},
    },
    {
        "name": "tag",
        "in": "query",
        "description": "A tag, in any case of letters.",
        "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_TAG},
        "example": "sale",
    },
    {
        "name": "state",
        "in": "query",
        "description": "What visitors meet now.",
        "schema": {"enum": [*State]},
    },
)
OWNER: Json = {
    "name": "owner",
    "in": "query",
    "description": "Whose links; somebody else's are for admins.",
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_OWNER},
}
FROM, TO = (
    {
        "name": name,
        "in": "query",
        "description": f"The {which} day in UTC. Without it, the range has {DEFAULT_DAYS} days and ends {end}.",
        "schema": {"type": "string", "format": "date"},
    }
    for name, which, end in (("from", "first", "at the last day"), ("to", "last", "today at the latest"))
)
BY: Json = {
    "name": "by",
    "in": "query",
    "description": f"Dimensions to break the clicks down by, with commas between. Then the range has at most "
    f"{clicks.MOST_DAYS_BROKEN_DOWN} days, with `hour` {clicks.MOST_DAYS_BY_HOUR}; otherwise, and by `day`, "
    f"{clicks.MOST_DAYS_IN_RANGE}.",
    "style": "form",
    "explode": False,
    "schema": {"type": "array", "items": {"enum": [*DIMENSIONS]}, "uniqueItems": True, "minItems": 1},
    "example": ["country", "referrer"],
}
VALUES = _whole_number(
    "limit", clicks.DEFAULT_VALUES, clicks.MOST_VALUES, "How many values of each dimension, at most."
)
FORMAT: Json = {
    "name": "format",
    "in": "query",
    "description": "CSV has a row for each number: dimension, value, clicks.",
    "schema": {"enum": [*clicks.FORMATS], "default": "json"},
}
LINKS_OF_STATS = _whole_number("limit", clicks.DEFAULT_LINKS, clicks.MOST_LINKS, "How many links, at most.")
CODES: Json = {
    "name": "code",
    "in": "query",
    "description": f"The codes of up to {clicks.MOST_CODES} links, instead of all; without owner, limit and cursor.",
    "schema": {"type": "array", "items": {"type": "string"}},
}
TAGS: tuple[Json, ...] = tuple(
    {
        "name": name,
        "in": "query",
        "description": f"{meaning}. {LONGEST_VALUE} bytes of it are kept, for the statistics.",
        "schema": {"type": "string"},
    }
    for name, meaning in zip(UTM, ("Where the short link was put", "In what kind of place", "What for"), strict=True)
)
IF_MATCH: Json = {
    "name": "If-Match",
    "in": "header",
    "description": "Do it only if the link is still at the version of this ETag.",
    "schema": {"type": "string", "pattern": rf"^(\*|{links.VERSION_TAG})$"},
    "example": '"3"',
}
IDEMPOTENCY_KEY: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "A text of one's own: sent again with it, the same request gets the first answer for 24 hours.",
    "schema": {"type": "string", "pattern": f"^{once.KEY_PATTERN}$", "maxLength": once.LONGEST_KEY},
}

IN_PATHS: Mapping[str, Any] = {
    "code": Code,
    "version": Annotated[str, msgspec.Meta(description="Of the page's files, as the page names it.", min_length=1)],
    "file": Annotated[str, msgspec.Meta(description="The file's name.", min_length=1)],
}
"""The types of what paths have in them."""

HEADERS: Mapping[str, Json] = {
    "Cache-Control": {"description": "What may be remembered, and by whom.", "schema": {"type": "string"}},
    "ETag": {
        "description": "The link's version, for If-Match.",
        "schema": {"type": "string", "pattern": f"^{links.VERSION_TAG}$"},
    },
    "Location": {"description": "Where it is.", "schema": {"type": "string", "format": "uri-reference"}},
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}},
    "Vary": {
        "description": "What the answer depends on: Accept, and Origin where other sites may call. API Gateway's own "
        "answers are always JSON, and go without.",
        "schema": {"type": "string"},
    },
    "WWW-Authenticate": {
        "description": "How to say who is calling (RFC 6750). API Gateway, through which the answer comes, renames it "
        "x-amzn-Remapped-WWW-Authenticate.",
        "schema": {"type": "string"},
    },
    **{
        name: {"description": "What a browser may do with the answer.", "schema": {"type": "string", "const": value}}
        for name, value in browsers.ALWAYS.items()
    },
    "Content-Security-Policy": {"description": "What a page may load and do.", "schema": {"type": "string"}},
}
"""The headers of answers, each of which is always there where it is named, unless it says otherwise."""

ON_EVERY_ANSWER = tuple(browsers.ALWAYS)
ON_EVERY_PROBLEM = ("Cache-Control",)
ON_EVERY_ANSWER_TO_A_KEY = ("Cache-Control",)


class Answer(NamedTuple):
    """What a route says when all is well: something of a type, or nothing."""

    type: Any = None
    status: HTTPStatus = HTTPStatus.OK
    headers: tuple[str, ...] = ()
    media_type: str = "application/json"
    leads_to: tuple[str, ...] = ()
    """The routes that take the code in the answer."""
    otherwise: tuple[tuple[Any, str], ...] = ()
    """What else it may be, each with its media type."""
    policy: str | None = None
    """Its Content-Security-Policy, if it has one of its own."""

    @property
    def kinds(self) -> tuple[tuple[Any, str], ...]:
        """All types that it may be of, each with its media type; none of an answer without content."""
        return ((self.type, self.media_type), *self.otherwise) if self.type else ()


class Route(NamedTuple):
    """What is to be said of a route, beside what the rest of the code says."""

    answer: Answer
    takes: tuple[Json, ...] = ()
    """Parameters, beside those of the path."""
    body: Any = None
    body_types: tuple[str, ...] = (links.JSON,)
    many: tuple[Any, Answer] | None = None
    """A body of many, and what is then said instead."""
    also: Answer | None = None
    """What is said instead to some."""
    refuses: tuple[type[Problem], ...] = ()
    """Beside what follows from the need of a key and from a body, and what every route may answer."""


CANNOT_BE_FOLLOWED = (
    problems.LinkNotFound,
    problems.LinkDisabled,
    problems.LinkNotStarted,
    problems.LinkDeleted,
    problems.LinkBlocked,
    problems.LinkExpired,
)

REFUSED_CHANGES = (
    problems.InvalidUrl,
    problems.BlockedTarget,
    problems.ContradictoryTimes,
    problems.NotYourLink,
    problems.LinkNotFound,
    problems.LinkDeleted,
    problems.StaleVersion,
)

ROUTES: Mapping[str, Route] = {
    "post_link": Route(
        Answer(
            PublicLink,
            HTTPStatus.CREATED,
            headers=("Location", "ETag"),
            leads_to=(
                "get_link",
                "put_link",
                "patch_link",
                "remove_link",
                "follow_link",
                "get_statistics",
                "get_qr_code",
            ),
        ),
        takes=(IDEMPOTENCY_KEY,),
        body=links.NewLink,
        many=(links.NewLinks, Answer(LinksCreated)),
        refuses=(
            problems.InvalidUrl,
            problems.BlockedTarget,
            problems.ContradictoryTimes,
            problems.InvalidCode,
            problems.CodeTaken,
            problems.LinkDeleted,
            problems.StillInProgress,
            problems.IdempotencyKeyReused,
        ),
    ),
    "get_links": Route(
        Answer(LinkList),
        takes=(LIMIT, CURSOR, OWNER, *SEARCH),
        refuses=(problems.BadRequest, problems.NotYourLink),
    ),
    "get_link": Route(
        Answer(PublicLink, headers=("ETag",)),
        refuses=(problems.NotYourLink, problems.LinkNotFound, problems.LinkDeleted),
    ),
    "put_link": Route(
        Answer(PublicLink, headers=("ETag",)),
        takes=(IF_MATCH,),
        body=links.ChangedLink,
        refuses=REFUSED_CHANGES,
    ),
    "patch_link": Route(
        Answer(PublicLink, headers=("ETag",)),
        takes=(IF_MATCH,),
        body=links.LinkPatch,
        body_types=links.PATCH_TYPES,
        refuses=REFUSED_CHANGES,
    ),
    "remove_link": Route(
        Answer(status=HTTPStatus.NO_CONTENT),
        takes=(IF_MATCH,),
        refuses=(problems.BadRequest, problems.NotYourLink, problems.LinkNotFound, problems.StaleVersion),
    ),
    "follow_link": Route(
        Answer(status=HTTPStatus.FOUND, headers=("Location", "Cache-Control")),
        takes=TAGS,
        also=Answer(previews.Preview, headers=("Cache-Control",)),
        refuses=(*CANNOT_BE_FOLLOWED, problems.PasswordRequired, problems.LinkUsedUp),
    ),
    "preview": Route(Answer(previews.Preview, headers=("Cache-Control",)), refuses=CANNOT_BE_FOLLOWED),
    "unlock_link": Route(
        Answer(status=HTTPStatus.SEE_OTHER, headers=("Location", "Cache-Control")),
        takes=TAGS,
        body=UnlockForm,
        body_types=(redirects.FORM,),
        refuses=(*CANNOT_BE_FOLLOWED, problems.WrongPassword, problems.TooManyTries, problems.LinkUsedUp),
    ),
    "get_unlock": Route(
        Answer(status=HTTPStatus.SEE_OTHER, headers=("Location", "Cache-Control")),
        takes=TAGS,
        refuses=(problems.LinkNotFound,),
    ),
    "get_statistics": Route(
        Answer(Statistics, otherwise=((Report, "application/json"), (str, "text/csv"))),
        takes=(_days(clicks.MOST_DAYS), FROM, TO, BY, VALUES, FORMAT),
        refuses=(problems.BadRequest, problems.NotYourLink, problems.LinkNotFound, problems.LinkDeleted),
    ),
    "get_clicks_of_links": Route(
        Answer(ClicksOfLinks),
        takes=(FROM, TO, CODES, LINKS_OF_STATS, CURSOR, OWNER),
        refuses=(problems.BadRequest, problems.NotYourLink, problems.LinkNotFound, problems.LinkDeleted),
    ),
    "get_links_by_day": Route(
        Answer(LinksByDay),
        takes=(_days(analytics.MOST_DAYS),),
        refuses=(problems.BadRequest, problems.AdminsOnly),
    ),
    "get_me": Route(Answer(Me)),
    "get_page": Route(Answer(str, headers=("Cache-Control",), media_type="text/html", policy=POLICY)),
    "get_page_file": Route(
        Answer(
            str,
            headers=("Cache-Control",),
            media_type="text/javascript",
            otherwise=((str, "text/css"), (str, "image/svg+xml")),
        ),
        refuses=(problems.NotFound,),
    ),
    "get_qr_code": Route(
        Answer(str, headers=("Cache-Control",), media_type="image/svg+xml"), refuses=(problems.LinkNotFound,)
    ),
    "get_home": Route(
        Answer(status=HTTPStatus.FOUND, headers=("Location", "Cache-Control")), refuses=(problems.NotFound,)
    ),
    "get_health": Route(Answer(Health)),
    "get_openapi": Route(Answer(dict[str, Any])),
    "get_robots": Route(Answer(str, media_type="text/plain")),
}


class Described(NamedTuple):
    """A route as far as it is described; Chalice's have the same."""

    view_name: str
    view_function: Any
    view_args: tuple[str, ...]


PREVIEWS: Mapping[str, Mapping[str, Any]] = {
    "/{code}+": {"GET": Described("preview", previews.preview, ("code",))},
}
"""What the route of a link answers as well, at an address that API Gateway has no pattern for."""

REFUSED_EVERYWHERE = (problems.TooManyRequests, problems.InternalError, problems.Unavailable)
REFUSED_WITHOUT_KEY = (problems.Unauthenticated,)
REFUSED_FOR_THE_BODY = (problems.BadRequest, problems.BodyTooLarge, problems.UnsupportedMediaType)


def describe(
    routes: Mapping[str, Mapping[str, Any]], public: Collection[tuple[str, str]], base_url: str
) -> dict[str, Any]:
    """The OpenAPI document for the `routes` of a Chalice app, of which some methods and paths are `public`.

    `base_url` is where the API is reached, without a slash at the end. OPTIONS is left out: browsers ask it, no client
    that is made of this document. Raises KeyError for a route that is not in ROUTES.
    """
    paths: Json = {}
    responses: Json = {}
    for path, methods in {**routes, **PREVIEWS}.items():
        paths[path] = {
            method.lower(): _operation(method, route, path not in PREVIEWS and (method, path) not in public, responses)
            for method, route in methods.items()
            if method != "OPTIONS"
        }
        if names := next(iter(methods.values())).view_args:
            paths[path]["parameters"] = [
                {"name": name, "in": "path", "required": True, "schema": _schema(IN_PATHS[name])} for name in names
            ]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Linkly",
            "version": "1",
            "summary": "Short links whose clicks are counted exactly.",
            "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": base_url}],
        "security": [{"key": []}],
        "tags": [{"name": name, "description": text} for name, text in _tags(routes).items()],
        "paths": paths,
        "components": {
            "schemas": _schemas()[1],
            "headers": {name: {"required": True, **header} for name, header in HEADERS.items()},
            "responses": responses,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "bearerFormat": "lk_<id>_<secret>"}},
        },
    }


def _operation(method: str, route: Any, needs_key: bool, responses: Json) -> Json:
    """One method of one path. The problems that it may answer are added to `responses`, and referred to."""
    answer, takes, body, body_types, many, also, refuses = ROUTES[route.view_name]
    refuses += (
        *(REFUSED_WITHOUT_KEY if needs_key else ()),
        *(REFUSED_FOR_THE_BODY if body else ()),
        *REFUSED_EVERYWHERE,
    )
    answers = filter(None, (answer, many[1] if many else None, also))
    by_status = attrgetter("status")
    operation: Json = {
        # Ids are unique, and a function may answer HEAD as well.
        "operationId": f"{route.view_name}_head" if method == "HEAD" else str(route.view_name),
        "tags": [_tag(route)],
        "summary": _first_line(route.view_function).rstrip("."),
        "responses": {
            str(each.status.value): _answer(each, ON_EVERY_ANSWER_TO_A_KEY if needs_key else ()) for each in answers
        },
    }
    if method == "HEAD":
        for response in operation["responses"].values():
            response.pop("content", None)
    for status, same_status in groupby(sorted(refuses, key=by_status), key=by_status):
        kinds = list(same_status)
        refusal = _refusal(status, kinds)
        if method == "HEAD":
            del refusal["content"]
        else:
            name = "Or".join(kind.__name__ for kind in kinds)
            responses[name] = refusal
            refusal = {"$ref": f"#/components/responses/{name}"}
        operation["responses"][str(status.value)] = refusal
    if takes:
        operation["parameters"] = list(takes)
    if body:
        operation["requestBody"] = {
            "description": f"At most {links.LARGEST_BODY} bytes"
            + (f"; of many links, each, and together {links.LARGEST_BODY_OF_MANY}." if many else "."),
            "required": True,
            "content": {
                media_type: {"schema": {"anyOf": [_schema(body), _schema(many[0])]} if many else _schema(body)}
                for media_type in body_types
            },
        }
    if not needs_key:
        operation["security"] = []
    return operation


def _tag(route: Any) -> str:
    """The feature that a route is of: the package that its function is in."""
    module: str = route.view_function.__module__
    return module.split(".")[1]


def _tags(routes: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """What each tag stands for."""
    found = {_tag(route) for methods in routes.values() for method, route in methods.items() if method != "OPTIONS"}
    return {name: _first_line(sys.modules[f"chalicelib.{name}"]) for name in sorted(found)}


def _answer(answer: Answer, headers: tuple[str, ...]) -> Json:
    response: Json = {
        "description": answer.status.phrase,
        "headers": _headers((*answer.headers, *headers, *ON_EVERY_ANSWER)),
    }
    if answer.policy:
        header = {**HEADERS["Content-Security-Policy"], "schema": {"type": "string", "const": answer.policy}}
        response["headers"]["Content-Security-Policy"] = {"required": True, **header}
    schemas: defaultdict[str, list[Json]] = defaultdict(list)
    for kind, media_type in answer.kinds:
        schemas[media_type].append(_schema(kind))
    if schemas:
        response["content"] = {
            media_type: {"schema": found[0] if len(found) == 1 else {"anyOf": found}}
            for media_type, found in schemas.items()
        }
    if answer.leads_to:
        code = {"code": "$response.body#/code"}
        response["links"] = {name: {"operationId": name, "parameters": code} for name in answer.leads_to}
    return response


def _refusal(status: HTTPStatus, kinds: list[type[Problem]]) -> Json:
    """The response that is one of several kinds of problems of the same status."""
    always = set.intersection(*(set(kind.headers) for kind in kinds))
    sometimes = {name for kind in kinds for name in kind.headers} - always
    return {
        "description": " Or: ".join(map(_first_line, kinds)),
        "headers": {
            **_headers((*ON_EVERY_PROBLEM, *ON_EVERY_ANSWER, *sorted(always))),
            **{name: HEADERS[name] for name in ("Vary", *sorted(sometimes))},
        },
        "content": {
            problems.CONTENT_TYPE: {
                "schema": {
                    **_schema(problems.ProblemDetails),
                    "properties": {
                        "type": {"enum": [kind.type_uri() for kind in kinds]},
                        "title": {"const": problems.title_of(status)},
                        "status": {"const": status.value},
                    },
                }
            },
            "text/html": {"schema": {"type": "string"}},
        },
    }


def _headers(names: Iterable[str]) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _schema(kind: Any) -> Json:
    """The schema of a type that ROUTES names."""
    references: Json = _schemas()[0][kind]
    return references


def _kinds_of(route: Route) -> tuple[Any, ...]:
    many, answer = route.many or (None, Answer())
    also = route.also or Answer()
    return (route.body, many, *(kind for kind, _ in (*route.answer.kinds, *answer.kinds, *also.kinds)))


@cache
def _schemas() -> tuple[Mapping[Any, Json], Json]:
    """The schema of each type that ROUTES names, and those that they refer to by name."""
    kinds = {
        *IN_PATHS.values(),
        problems.ProblemDetails,
        *(kind for route in ROUTES.values() for kind in _kinds_of(route) if kind),
    }
    schemas, named = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    return dict(zip(kinds, schemas, strict=True)), dict(sorted(named.items()))


def _first_line(described: Any) -> str:
    line: str = described.__doc__.partition("\n")[0]
    return line
