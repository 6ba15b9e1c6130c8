"""What a caller gives for a link's fields: whether it may be, and how it is stored."""

from collections.abc import Mapping
from typing import Any

from chalicelib.links.blocklist import check_target
from chalicelib.links.targets import normalise_url


def check_fields(given: Mapping[str, Any], own_addresses: frozenset[str]) -> dict[str, Any]:
    """The fields as they are stored. `own_addresses` are the shortener's. Raises InvalidUrl or BlockedTarget."""
    fields = dict(given)
    if "url" in fields:
        fields["url"] = normalise_url(fields["url"], own_addresses)
        check_target(fields["url"])
    return fields
