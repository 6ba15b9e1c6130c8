"""The HTTP routes that belong to no feature."""

from typing import TYPE_CHECKING, Any

from chalice.app import Blueprint, Response

from chalicelib.addresses import base_url
from chalicelib.middleware import PUBLIC

if TYPE_CHECKING:
    from chalicelib.openapi import Health

routes = Blueprint(__name__)


@routes.route("/", methods=["GET"])
def get_home() -> Response:
    """Lead to the site of whoever runs this shortener, if there is one."""
    from chalicelib.redirects.around import home

    status, headers, body = home()
    return Response(body, {**headers}, status)


@routes.route("/health", methods=["GET"])
def get_health() -> "Health":
    """Say that the app answers; no table and no queue is asked."""
    return {"status": "ok"}


@routes.route("/robots.txt", methods=["GET"])
def get_robots() -> Response:
    """Ask crawlers to stay away, but for those that make previews in chats and social networks."""
    from chalicelib.service.crawlers import ROBOTS

    return Response(ROBOTS, {"Content-Type": "text/plain"})


@routes.route("/openapi.json", methods=["GET"])
def get_openapi() -> dict[str, Any]:
    """Describe this API, as OpenAPI 3.1."""
    from chalicelib import openapi

    return openapi.describe(routes.current_app.routes, PUBLIC, base_url(routes.current_request))
