"""Types of the fields that hold a code, as OpenAPI describes them and messages are checked by.

Apart from codes.py, which a redirect needs: importing msgspec takes as long as all that it imports otherwise.
"""

from typing import Annotated

import msgspec

from chalicelib.links.codes import PATTERN

# JSON Schema's regular expressions are ECMAScript's, in which $ is the very end and \Z is not known.
_SCHEMA = {"pattern": f"^{PATTERN}$"}

Code = Annotated[str, msgspec.Meta(pattern=rf"^{PATTERN}\Z", extra_json_schema=_SCHEMA)]
"""A code in a message or a cursor, checked when it is decoded."""

RequestedCode = Annotated[
    str,
    msgspec.Meta(description="What follows the host in the short URL; case-sensitive.", extra_json_schema=_SCHEMA),
]
"""A code in a request, to be checked by `check_code`, which says why it is refused."""
