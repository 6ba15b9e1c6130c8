"""The HTTP route of whoever is calling."""

from typing import TYPE_CHECKING

from chalice.app import Blueprint

if TYPE_CHECKING:
    from chalicelib.access.me import Me

routes = Blueprint(__name__)


@routes.route("/me", methods=["GET"])
def get_me() -> "Me":
    """Say whose key it is that was sent."""
    from chalicelib.access.me import me

    return me(routes.current_request.context["caller"])
