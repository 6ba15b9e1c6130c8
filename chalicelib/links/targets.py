"""What a link may point at, by the rules of the WHATWG URL standard, as browsers apply them (https://url.spec.whatwg.org)."""

import re

import ada_url

from chalicelib import config
from chalicelib.links.hosts import is_host, is_public
from chalicelib.links.link import LONGEST_URL
from chalicelib.problems import InvalidUrl

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
# "example.com:8080/x" begins like a scheme, but is a host and a port.
_HOST_AND_PORT = re.compile(r"(localhost|[^/?#:]*\.[^/?#:]*):\d+(?=[/?#]|$)")


def normalise_url(text: str, own_addresses: frozenset[str]) -> str:
    """The URL that a browser would go to for `text`: absolute, ASCII, at most 2,048 characters.

    Without a scheme it gets https. `own_addresses` are URLs of the shortener itself: a link to their hosts, at any
    port, could lead a visitor in circles. Hosts of private networks are refused, unless a setting allows them. Raises
    InvalidUrl, saying what to change.
    """
    text = text.strip(" ")
    if len(text) > LONGEST_URL:
        raise InvalidUrl(f"The url has {len(text)} characters. At most {LONGEST_URL} are allowed.")
    if not text:
        raise InvalidUrl("The url is empty. Give the address to redirect to.")
    if _CONTROL.search(text):
        raise InvalidUrl("The url contains a control character, such as a line break. Remove it.")
    if not _SCHEME.match(text) or _HOST_AND_PORT.match(text):
        text = f"https://{text}"
    try:
        url = ada_url.URL(text)
    except ValueError as error:
        raise InvalidUrl("The url is not valid. Give one like https://example.com/page.") from error
    if url.protocol not in {"http:", "https:"}:
        raise InvalidUrl(f"The url's scheme is {url.protocol!r}. Only http: and https: are redirected to.")
    if url.username or url.password:
        raise InvalidUrl("The url contains a user name or password. Remove it: everybody who follows it would see it.")
    _check_host(_host(url), {_host(ada_url.URL(own)) for own in own_addresses if ada_url.check_url(own)})
    if len(url.href) > LONGEST_URL:
        raise InvalidUrl(f"Written out, the url has {len(url.href)} characters. At most {LONGEST_URL} are allowed.")
    return url.href


def host_of(url: str) -> str:
    """The host of a URL that `normalise_url` has returned."""
    return _host(ada_url.URL(url))


def _check_host(host: str, own_hosts: set[str]) -> None:
    if not is_host(host):
        raise InvalidUrl(f"The url's host {host!r} is neither a domain nor an address. Check its spelling.")
    if host in own_hosts:
        raise InvalidUrl("The url points at this shortener itself. Give the address where the visitor should end.")
    if not is_public(host) and not config.private_targets_allowed():
        raise InvalidUrl(
            f"The url's host {host!r} is only known on a private network. Give one that everybody can reach."
        )


def _host(url: ada_url.URL) -> str:
    # go.example.com. is go.example.com, from the root of all names.
    return url.hostname.removesuffix(".")
