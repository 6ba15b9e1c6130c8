"""The HTTP routes of the owners' page and of QR codes. Each imports its own part, as a redirect has none of them."""

from urllib.parse import unquote

from chalice.app import Blueprint, Response

from chalicelib.addresses import base_url
from chalicelib.links.codes import is_code
from chalicelib.problems import LinkNotFound, NotFound

routes = Blueprint(__name__)


@routes.route("/ui", methods=["GET"])
def get_page() -> Response:
    """Show the owners' page."""
    from chalicelib.pages.page import POLICY, shell

    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Cache-Control": "no-cache",
        "Content-Security-Policy": POLICY,
    }
    return Response(shell(routes.current_request.context["path"]), {**headers})


@routes.route("/ui/{version}/{file}", methods=["GET"])
def get_page_file(version: str, file: str) -> Response:
    """Give a file that the owners' page is made of."""
    from chalicelib.pages import page

    found = page.files().get(file)
    if found is None or version != page.version():
        raise NotFound("The page has no such file, or not any more. Load the page again.")
    headers = {"Content-Type": found.media_type, "Cache-Control": "public, max-age=31536000, immutable"}
    return Response(found.text, {**headers})


@routes.route("/links/{code}/qr.svg", methods=["GET"])
def get_qr_code(code: str) -> Response:
    """Draw a QR code of a short URL, tagged with `utm_source=qr`. Whether there is such a link is not looked up."""
    from chalicelib.pages.qr import qr_code

    code = unquote(code)
    if not is_code(code):
        raise LinkNotFound(code)
    image = qr_code(f"{base_url(routes.current_request)}/{code}?utm_source=qr")
    return Response(image, {"Content-Type": "image/svg+xml", "Cache-Control": "public, max-age=86400"})
