"""What the documents refer to is there: pages, sections, files."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops import PROJECT

PAGES = sorted([*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md")])
_CHANGES = PROJECT / "CHANGELOG.md"  # it names what there was
_FENCED = re.compile(r"^( *)```.*?^\1```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`]+`")
_LINK = re.compile(r"\]\((?!https?://)([^)\s]+)\)")
_FILE = re.compile(r"`((?:bench|chalicelib|docs|infra|ops|tests)/[\w./-]+)`")


def prose(page: Path) -> str:
    return _FENCED.sub("", page.read_text())


def anchors(page: Path) -> Iterator[str]:
    """What GitHub makes of the headings of a page: https://docs.github.com/en/get-started/writing-on-github."""
    seen: Counter[str] = Counter()
    for heading in re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE):
        anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        yield f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor
        seen[anchor] += 1


def leads_somewhere(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = page.parent / path if path else page
    return target.exists() and (not anchor or anchor in anchors(target))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_every_link_within_the_project_leads_somewhere(page: Path) -> None:
    assert [] == [link for link in _LINK.findall(_CODE.sub("", prose(page))) if not leads_somewhere(page, link)]


@pytest.mark.parametrize("page", [page for page in PAGES if page != _CHANGES], ids=lambda page: page.name)
def test_every_file_that_is_named_is_there(page: Path) -> None:
    assert [] == [file for file in _FILE.findall(prose(page)) if not (PROJECT / file).exists()]


def test_the_readme_is_read_in_five_minutes() -> None:
    assert len((PROJECT / "README.md").read_text().splitlines()) <= 200
