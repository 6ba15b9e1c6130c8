"""What is answered around the links, where no API Gateway stands before the redirect: `/`, deeper paths, other methods.

Behind API Gateway, the app answers `/` with the same words, and the gateway responses of infra/template.yaml the rest.
"""

from chalicelib import browsers, config
from chalicelib.problems import MethodNotAllowed, NotFound
from chalicelib.redirects.follow import Answer

METHODS = ("GET", "HEAD", "OPTIONS")
"""Of a link."""


def answer(method: str, path: str) -> Answer:
    """Answer what is not about following a link; `path` has no slash before it. Raises NotFound or MethodNotAllowed."""
    if "/" in path:
        raise NotFound("There is nothing at this path for this method.")
    if method == "OPTIONS":
        return 204, browsers.options_of(METHODS), ""
    if method not in METHODS:
        raise MethodNotAllowed
    return home()


def home() -> Answer:
    """Lead to the site of whoever runs this shortener. Raises NotFound if there is none."""
    if site := config.home_url():
        return 302, {"Location": site, "Cache-Control": "no-store"}, ""
    raise NotFound("There is nothing here. A short link has a code after the slash.")
