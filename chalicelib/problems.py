"""Everything that can be wrong with a request, as RFC 9457 problem details.

    Problem
    ├── BadRequest              400
    │   ├── InvalidUrl          400
    │   ├── BlockedTarget       400
    │   ├── ContradictoryTimes  400
    │   └── InvalidCode         400
    ├── Unauthenticated         401
    ├── AdminsOnly              403
    ├── NotYourLink             403
    ├── PasswordRequired        403
    │   └── WrongPassword       403
    ├── NotFound                404
    │   ├── LinkNotFound        404
    │   ├── LinkDisabled        404
    │   └── LinkNotStarted      404
    ├── MethodNotAllowed        405
    ├── CodeTaken               409
    ├── StillInProgress         409
    ├── LinkDeleted             410
    ├── LinkBlocked             410
    ├── LinkExpired             410
    ├── LinkUsedUp              410
    ├── StaleVersion            412
    ├── BodyTooLarge            413
    ├── UnsupportedMediaType    415
    ├── IdempotencyKeyReused    422
    ├── TooManyRequests         429
    ├── TooManyTries            429
    ├── InternalError           500
    └── Unavailable             503

A problem's `type` is `urn:linkly:problem:` and the class's name in kebab case. API Gateway makes some of these itself,
before the app is asked: infra/template.yaml gives those the same shape.
"""

import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import ClassVar, TypedDict

CONTENT_TYPE = "application/problem+json"

# Python before 3.13 has the names of before: https://docs.python.org/3/library/http.html#http-status-codes
_RENAMED = {
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Content Too Large",
    HTTPStatus.UNPROCESSABLE_ENTITY: "Unprocessable Content",
}


class ProblemDetails(TypedDict):
    """What is wrong with a request (RFC 9457); `detail` says what to change."""

    type: str
    title: str
    status: int
    detail: str


def title_of(status: HTTPStatus) -> str:
    """The `title` of a problem: its status, by the name that RFC 9110 gives it."""
    return _RENAMED.get(status, status.phrase)


class Problem(Exception):
    """A refusal that the caller is told about. The message is the `detail`: a sentence that says what to change."""

    status: ClassVar[HTTPStatus] = HTTPStatus.INTERNAL_SERVER_ERROR
    headers: ClassVar[Mapping[str, str]] = {}

    @property
    def detail(self) -> str:
        """The sentence that says what to change."""
        return str(self)

    @classmethod
    def type_uri(cls) -> str:
        """The `type` of this kind of problem."""
        slug = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", cls.__name__).lower()
        return f"urn:linkly:problem:{slug}"

    def body(self) -> str:
        """The problem details object as JSON text (RFC 9457, section 3.1)."""
        details: ProblemDetails = {
            "type": self.type_uri(),
            "title": title_of(self.status),
            "status": self.status.value,
            "detail": self.detail,
        }
        return json.dumps(details)

    def answer(self) -> tuple[int, dict[str, str], str]:
        """The answer to the request: its status, headers and body."""
        headers = {"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store", "Vary": "Accept", **self.headers}
        return self.status.value, headers, self.body()


class BadRequest(Problem):
    """The request cannot be understood."""

    status = HTTPStatus.BAD_REQUEST


class InvalidUrl(BadRequest):
    """The target of a link is not one that we redirect to."""


class BlockedTarget(BadRequest):
    """The target of a link is on the operator's list."""

    def __init__(self, domain: str) -> None:
        super().__init__(f"The operator of this shortener allows no links to {domain!r}. Give another address.")


class ContradictoryTimes(BadRequest):
    """A link would expire before it starts."""

    def __init__(self) -> None:
        super().__init__("A link starts before it expires: 'starts_at' must be earlier than 'expires_at'.")


class InvalidCode(BadRequest):
    """The requested code is malformed or reserved."""


class Unauthenticated(Problem):
    """No key, or none that is known and valid."""

    status = HTTPStatus.UNAUTHORIZED
    headers: ClassVar[Mapping[str, str]] = {"WWW-Authenticate": 'Bearer realm="linkly"'}


class AdminsOnly(Problem):
    """The key is good, but not an admin's."""

    status = HTTPStatus.FORBIDDEN


class NotYourLink(Problem):
    """The key is good, but the link is somebody else's."""

    status = HTTPStatus.FORBIDDEN

    def __init__(self) -> None:
        super().__init__("This link belongs to somebody else. Use the key of its owner, or an admin's.")


class PasswordRequired(Problem):
    """The link asks visitors for a password."""

    status = HTTPStatus.FORBIDDEN

    def __init__(self, code: str, query: str = "", referrer: str = "") -> None:
        super().__init__(
            f"The link {code!r} asks for a password. Open it in a browser, or send the form field 'password' to "
            f"POST /unlock/{code}."
        )
        self.code = code
        self.query = query
        """What the visitor came with, for the form to pass on: the short link's query, as it stands in an address."""
        self.referrer = referrer
        """Likewise, the page that the visitor came from."""


class WrongPassword(PasswordRequired):
    """The password is not that of the link."""

    @property
    def detail(self) -> str:
        """The sentence that says what to change."""
        return f"That is not the password of the link {self.code!r}. Try again, or ask whoever gave you the link."


class NotFound(Problem):
    """Nothing is there."""

    status = HTTPStatus.NOT_FOUND


class LinkNotFound(NotFound):
    """No link has this code."""

    def __init__(self, code: str) -> None:
        super().__init__(f"There is no link {code!r}. Check the spelling: codes are case-sensitive.")


class LinkDisabled(NotFound):
    """The link exists, and its owner has switched it off."""

    def __init__(self, code: str) -> None:
        super().__init__(f"The link {code!r} is switched off. Its owner can switch it on again.")


class LinkNotStarted(NotFound):
    """The link exists, and does not lead anywhere yet."""

    def __init__(self, code: str) -> None:
        super().__init__(f"The link {code!r} does not lead anywhere yet. Come back later.")


class MethodNotAllowed(Problem):
    """A link is followed, looked at, and nothing else."""

    status = HTTPStatus.METHOD_NOT_ALLOWED
    headers: ClassVar[Mapping[str, str]] = {"Allow": "GET, HEAD, OPTIONS"}

    def __init__(self) -> None:
        super().__init__("Links are followed with GET. What else can be done is described at /openapi.json.")


class CodeTaken(Problem):
    """The requested code belongs to another link, or did once: codes are never given out again."""

    status = HTTPStatus.CONFLICT

    def __init__(self, code: str) -> None:
        super().__init__(f"The code {code!r} is taken. Choose another one, or leave it out to be given one.")


class StillInProgress(Problem):
    """The first request with this Idempotency-Key has not been answered yet."""

    status = HTTPStatus.CONFLICT
    headers: ClassVar[Mapping[str, str]] = {"Retry-After": "1"}

    def __init__(self) -> None:
        super().__init__("A request with this Idempotency-Key is being answered. Try again in a moment.")


class LinkDeleted(Problem):
    """The link existed, and was deleted by its owner."""

    status = HTTPStatus.GONE

    def __init__(self, code: str) -> None:
        super().__init__(f"The link {code!r} has been deleted by its owner.")


class LinkBlocked(Problem):
    """The link exists, and the operator lets nobody follow it."""

    status = HTTPStatus.GONE

    def __init__(self, code: str) -> None:
        super().__init__(f"The link {code!r} has been blocked by the operator of this shortener.")


class LinkExpired(Problem):
    """The link led somewhere until a time that its owner set."""

    status = HTTPStatus.GONE

    def __init__(self, code: str) -> None:
        super().__init__(f"The link {code!r} has expired.")


class LinkUsedUp(Problem):
    """The link was followed as often as its owner allows."""

    status = HTTPStatus.GONE

    def __init__(self, code: str) -> None:
        super().__init__(f"The link {code!r} was followed as often as its owner allows.")


class StaleVersion(Problem):
    """The link has changed since the caller read it."""

    status = HTTPStatus.PRECONDITION_FAILED

    def __init__(self) -> None:
        super().__init__("The link has another version than If-Match says. Read it again, and decide anew.")


class BodyTooLarge(Problem):
    """The body is longer than any valid request."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class UnsupportedMediaType(Problem):
    """The body is not of the type that is read here."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE

    def __init__(self, what: str = "body as JSON", media_type: str = "application/json") -> None:
        super().__init__(f"Send the {what}, with the header 'Content-Type: {media_type}'.")


class IdempotencyKeyReused(Problem):
    """The Idempotency-Key was used before, for another request."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used with another body. Use a new one for a new request.")


class TooManyRequests(Problem):
    """More requests than are let through at once.

    API Gateway says so itself; nothing here raises it.
    """

    status = HTTPStatus.TOO_MANY_REQUESTS
    headers: ClassVar[Mapping[str, str]] = {"Retry-After": "1"}


class TooManyTries(Problem):
    """Too many wrong passwords were given for the link, by whomever."""

    status = HTTPStatus.TOO_MANY_REQUESTS
    headers: ClassVar[Mapping[str, str]] = {"Retry-After": "900"}

    def __init__(self, code: str) -> None:
        super().__init__(
            f"Too many wrong passwords were given for the link {code!r}, by whomever. Try again in 15 minutes."
        )


class InternalError(Problem):
    """A fault of ours; the log has the reason."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR

    def __init__(self) -> None:
        super().__init__("Something went wrong on our side. Try again; if it persists, tell the operator the time.")


class Unavailable(Problem):
    """A part that the answer needs cannot be reached."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    headers: ClassVar[Mapping[str, str]] = {"Retry-After": "1"}

    def __init__(self, detail: str = "The database cannot be reached just now. Try again in a moment.") -> None:
        super().__init__(detail)


def of_status(status: int) -> Problem:
    """The problem that an answer of Chalice's own with this status is."""
    match status:
        case HTTPStatus.BAD_REQUEST:
            return BadRequest("The request cannot be understood. Compare it with the description at /openapi.json.")
        case _:
            return InternalError()
