"""Where the shortener itself is reached: what it puts before a code, and what no link may point at."""

import re
from typing import Any

from chalicelib import aws, config
from chalicelib.problems import BadRequest

# No credentials, and nothing that would make the host another one. A name may have letters beyond ASCII.
_ADDRESS = re.compile(r"https?://([^\s/?#@%\\:\[\]]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[A-Za-z0-9_.~-]+)*")


def base_url(request: Any) -> str:
    """Where visitors follow links, without a slash at the end: the setting, or else where this request came in.

    `request` is Chalice's. Raises BadRequest if it came in at what is no address.
    """
    return config.base_url() or _address_of(request)


def own_addresses(request: Any) -> frozenset[str]:
    """Every address at which the shortener answers, as far as it can know them. Raises BadRequest, as `base_url` does.

    API Gateway's own one answers beside a domain. A visitor of a link to any of them would come back here, and count
    again, for as long as their browser takes part.
    """
    domain = config.domain_name()
    api_id = request.context.get("apiId")
    meta = aws.dynamodb().meta
    suffix = "amazonaws.com.cn" if meta.partition == "aws-cn" else "amazonaws.com"
    found = {
        base_url(request),
        _address_of(request),
        f"https://{domain}" if domain else None,
        # https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-call-api.html
        f"https://{api_id}.execute-api.{meta.region_name}.{suffix}" if api_id else None,
    }
    return frozenset(filter(None, found))


def _address_of(request: Any) -> str:
    """The address at which the app was reached: API Gateway's own with its stage, or a custom domain without one."""
    context = request.context
    host = context.get("domainName") or request.headers.get("host", "localhost")
    scheme = request.headers.get("x-forwarded-proto", "http")
    whole, path = context["path"], request.to_original_event().get("path")
    # The two may differ in more than the stage: what is encoded in one may be decoded in the other.
    stage_path = whole.removesuffix(path) if path and whole.endswith(path) else ""
    address = f"{scheme}://{host}{stage_path}"
    if not _ADDRESS.fullmatch(address):
        raise BadRequest(f"The request came in at {address!r}, which is no address. Check its Host header.")
    return address
