"""Hosts of urls: names and addresses, in the one spelling that the WHATWG URL standard leaves them in.

`ada_url` has lower-cased names, turned them into punycode, and written every spelling of an IPv4 address in four
decimal numbers (https://url.spec.whatwg.org/#host-parsing). An IPv6 address stands in brackets. The dot of the root at
the end of a name is left out here: go.example.com. is go.example.com.
"""

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

MOST_LABELS = 100
"""A name may have 127 labels; that one with more than 100 exists is not known, and 100 are asked for at once."""

_NAME = re.compile(rf"([a-z0-9_-]{{1,63}}\.){{0,{MOST_LABELS - 1}}}[a-z0-9_-]{{1,63}}")
_LONGEST_NAME = 253

# Names that mean something else on every network, or on every machine.
_LOCAL_NAMES = frozenset(
    {
        "localhost", "test",  # RFC 6761
        "local",  # RFC 6762
        "intranet", "internal", "private", "corp", "home", "lan",  # RFC 6762, appendix G: in use on private networks
        "home.arpa",  # RFC 8375
        "localdomain",  # in /etc/hosts, as localhost.localdomain
    }
)  # fmt: skip

# What `is_global` lets pass, or lets pass in some versions of Python.
# https://www.iana.org/assignments/iana-ipv4-special-registry, and the same of ipv6.
_NOT_FOR_VISITORS = (
    IPv4Network("192.0.0.0/24"),  # protocol assignments; 192.0.0.192 has been Oracle Cloud's metadata
    IPv4Network("192.88.99.0/24"),  # relays of 6to4 (RFC 7526)
    # https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
    IPv4Network("168.63.129.16/32"),
    IPv6Network("2001::/23"),  # protocol assignments: Teredo and others
    IPv6Network("2002::/16"),  # 6to4, which has an IPv4 address in it
    IPv6Network("3fff::/20"),  # documentation (RFC 9637)
)
# All that is given to anybody. IPv4 in IPv6, NAT64, private and local addresses, and multicast lie outside.
_GLOBAL_UNICAST = IPv6Network("2000::/3")


def is_host(host: str) -> bool:
    """Whether `host` is an address, or a name that the DNS could have."""
    return _address(host) is not None or (len(host) <= _LONGEST_NAME and _NAME.fullmatch(host) is not None)


def is_public(host: str) -> bool:
    """Whether `host` can be the same place for every visitor: no private address, and no name of private networks.

    A name without a dot is searched for in the visitor's own network (SAC053, https://www.icann.org/groups/ssac).
    No name is looked up here: whoever has a public one can give it any address, at any time.
    """
    address = _address(host)
    if address is None:
        return "." in host and _LOCAL_NAMES.isdisjoint(with_parents(host))
    return (
        address.is_global
        and not address.is_multicast
        and (address.version == 4 or address in _GLOBAL_UNICAST)
        and not any(address in network for network in _NOT_FOR_VISITORS)
    )


def with_parents(host: str) -> list[str]:
    """The host and, if it is a name, each domain that it is in: a.example.com, example.com, com."""
    if _address(host) is not None:
        return [host]
    labels = host.split(".")
    return [".".join(labels[start:]) for start in range(len(labels))]


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None
