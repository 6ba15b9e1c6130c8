"""Which links are deleted: asked by whoever works on many at once. Not in store.py, which every redirect imports."""

from collections.abc import Collection

from chalicelib import config
from chalicelib.batches import read_all
from chalicelib.links.status import Status


def deleted_among(codes: Collection[str]) -> set[str]:
    """Which of these codes, each a different one, are of links that are deleted now.

    A link that was deleted in the last second or so may be missing. One that was restored is never among them: what
    seems deleted at half the price, by an eventually consistent read, is read once more. Raises botocore's errors.
    """
    return {*_deleted(_deleted(codes, consistent=False), consistent=True)}


def _deleted(codes: Collection[str], *, consistent: bool) -> list[str]:
    keys = [{"code": {"S": code}} for code in codes]
    links = read_all(config.links_table(), keys, attributes=("code", "status"), consistent=consistent)
    return [link["code"]["S"] for link in links if link.get("status") == {"S": Status.DELETED}]
