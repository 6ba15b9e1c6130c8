"""`chalice local`, with the gateway errors that infra/template.yaml gives API Gateway.

Run as a program, it is `chalice local` and takes its options. Chalice's imitation of API Gateway answers an unknown
path with JSON of its own, and has no setting for that: https://github.com/aws/chalice/issues/1633
"""

import logging
import sys
from typing import Any

import chalice.local
import chalice.test
from chalice.cli import main
from chalice.local import LocalGateway, LocalGatewayException

from chalicelib import browsers
from chalicelib.problems import NotFound
from chalicelib.visitor_pages import answer_to


class Gateway(LocalGateway):
    """An imitation of API Gateway, with our gateway responses."""

    def handle_request(self, method: str, path: str, headers: dict[str, str], body: bytes | None) -> dict[str, Any]:
        """Answer a request as Lambda's response object: status code, headers, body."""
        try:
            response: dict[str, Any] = super().handle_request(method, path, headers, body)
        except LocalGatewayException:
            problem = NotFound("There is nothing at this path for this method.")
            status, own, text = answer_to(
                problem, {name.lower(): value for name, value in headers.items()}.get("accept")
            )
            return {
                "statusCode": status,
                "headers": browsers.told(own, None, frozenset()),
                "multiValueHeaders": {},
                "body": "" if method == "HEAD" else text,
            }
        return response


def install() -> None:
    """Have `chalice local` and Chalice's test client use it."""
    for module in (chalice.local, chalice.test):
        vars(module)["LocalGateway"] = Gateway


if __name__ == "__main__":
    install()
    logging.getLogger("botocore").setLevel(logging.WARNING)  # it tells where it found the credentials, on every start
    sys.exit(main())
