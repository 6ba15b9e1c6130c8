"""Domains that no link may point at: table `blocked_domains`, by `domain`.

A domain stands for whatever is in it: evil.example for www.evil.example too. The list is asked when a link is created
or changed, never when it is followed: links that were there before are blocked in the redirect cache, by the operator's
command. See docs/adr/0007-a-block-is-in-the-cache.md.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from chalicelib import aws, clock, config
from chalicelib.batches import read_all
from chalicelib.links.hosts import is_host, with_parents
from chalicelib.links.link import Link
from chalicelib.links.targets import host_of
from chalicelib.problems import BlockedTarget

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

_NO_HOST = re.compile(r"[\s/\\?#@]")


class NotADomain(ValueError):
    """A text that is neither a domain nor an address; the message says what to give instead."""


@dataclass(frozen=True, slots=True)
class BlockedDomain:
    """A domain on the list, since when, and why: a note for the operator, shown to nobody else."""

    domain: str
    since: datetime
    reason: str


def check_targets(link: Link) -> None:
    """Raise BlockedTarget if an address of a link is one that no link may point at."""
    for host in sorted(hosts_of(link)):
        _check_host(host)


def check_target(url: str) -> None:
    """Raise BlockedTarget if the host of a URL that `normalise_url` returned is on the list, or in a domain that is."""
    _check_host(host_of(url))


def _check_host(host: str) -> None:
    if listed := blocked_domains_over(host):
        raise BlockedTarget(listed[0])


def hosts_of(link: Link) -> set[str]:
    """The hosts that a link may lead to."""
    return {host_of(url) for url in (link.url, link.expired_url) if url}


def is_blocked(link: Link) -> bool:
    """Whether a host that a link may lead to is on the list, or in a domain that is, as of now."""
    return any(blocked_domains_over(host) for host in hosts_of(link))


def blocked_domains_over(host: str) -> list[str]:
    """Which of a host and the domains that it is in are on the list, as of now (a consistent read), the host first."""
    domains = with_parents(host)
    items = read_all(config.blocked_domains_table(), [{"domain": {"S": domain}} for domain in domains])
    found = {item["domain"]["S"] for item in items}
    return [domain for domain in domains if domain in found]


def normalise_domain(text: str) -> str:
    """A domain or an address as browsers write it: lower case, punycode, without the root's dot. Raises NotADomain."""
    refusal = f"{text!r} is not a domain. Give one like evil.example: no https://, no port, no path and no *."
    is_address = text.startswith("[") and text.endswith("]")
    if _NO_HOST.search(text) or (":" in text and not is_address):
        raise NotADomain(refusal)
    try:
        host = host_of(f"https://{text}/")
    except ValueError as error:
        raise NotADomain(refusal) from error
    if not is_host(host):
        raise NotADomain(refusal)
    return host


def put_domain(domain: str, reason: str | None) -> None:
    """Put a normalised domain on the list. One that is there keeps its date, and without a new reason the old one."""
    aws.dynamodb().update_item(
        TableName=config.blocked_domains_table(),
        Key={"domain": {"S": domain}},
        UpdateExpression=(
            "SET #since = if_not_exists(#since, :now), "
            f"#reason = {':reason' if reason else 'if_not_exists(#reason, :reason)'}"
        ),
        ExpressionAttributeNames={"#since": "since", "#reason": "reason"},
        ExpressionAttributeValues={":now": {"S": clock.rfc3339(clock.now())}, ":reason": {"S": reason or ""}},
    )


def remove_domain(domain: str) -> None:
    """Take a domain off the list, if it is there."""
    aws.dynamodb().delete_item(TableName=config.blocked_domains_table(), Key={"domain": {"S": domain}})


def list_domains() -> Iterator[BlockedDomain]:
    """The whole list, in no order. For the operator: it scans the table."""
    for page in aws.dynamodb().get_paginator("scan").paginate(TableName=config.blocked_domains_table()):
        yield from map(_from_item, page["Items"])


def _from_item(item: "dict[str, AttributeValueTypeDef]") -> BlockedDomain:
    return BlockedDomain(item["domain"]["S"], datetime.fromisoformat(item["since"]["S"]), item["reason"]["S"])
