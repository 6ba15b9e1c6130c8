"""Types of fields in JSON, as OpenAPI describes them."""

from typing import Annotated

import msgspec

Day = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date"})]
"""A day in UTC: 2026-05-27."""
