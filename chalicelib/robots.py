"""Who is a robot, by isbot's patterns: isbot-patterns.txt, which says where they come from.

Anybody can call themselves a browser, so this finds crawlers, chats' previews and programs that say what they are, and
no others. `python -m ops robots` takes over a newer version.
"""

import re
from functools import lru_cache

LONGEST_USER_AGENT = 512
"""Characters that are looked at: those that a click's message keeps, so that everybody judges alike."""

MOST_REMEMBERED = 4096
PATTERNS = f"{__file__.rpartition('/')[0]}/isbot-patterns.txt"  # pathlib would be dear in a redirect


def is_robot(user_agent: str | None) -> bool:
    """Whether a `User-Agent` header is that of a program without a person. Whoever sends none is not taken for one."""
    return _is_robot(user_agent[:LONGEST_USER_AGENT]) if user_agent else False


def comes_by_itself(user_agent: str | None) -> bool:
    """Whether a `User-Agent` header is that of a robot, and not merely of a tool that somebody has called.

    To statistics, curl is a program without a person. But a link for one download must be good for whoever calls Wget,
    and not be used up by a chat that looks at it: a name that is no more than a tool's does not say that it is a robot.
    """
    return is_robot(_TOOLS.sub("", user_agent[:LONGEST_USER_AGENT]).strip()) if user_agent else False


_TOOLS = re.compile(
    r"\b(?:aiohttp|axios|curl|Go-http-client|got|HTTPie|node|node-fetch|okhttp|PostmanRuntime|PowerShell|Python"
    r"|python-httpx|python-requests|Python-urllib|undici|Wget|xh)(?:/\S*|$)",
    re.IGNORECASE,
)
"""What curl, Wget, HTTPie and the HTTP libraries of common languages call themselves, if nobody says otherwise."""


def forget() -> None:
    """Forget which user agents were looked at."""
    _is_robot.cache_clear()


@lru_cache(MOST_REMEMBERED)
def _is_robot(user_agent: str) -> bool:
    return _pattern().search(user_agent.lower()) is not None


@lru_cache(1)
def _pattern() -> re.Pattern[str]:
    """All patterns as one, for texts in lower case.

    What begins at the beginning is asked once and not at every character, and small letters are compared as they are:
    together, that takes a quarter of the time.
    """
    with open(PATTERNS, encoding="utf-8") as file:  # noqa: PTH123 (as above)
        patterns = [line for line in file.read().splitlines() if not line.startswith("#")]
    first = [pattern for pattern in patterns if pattern.startswith("^") and "|" not in pattern]
    anywhere = [pattern for pattern in patterns if pattern not in first]
    # They are JavaScript's, where \w, \d and \b know only ASCII.
    return re.compile(f"^(?:{'|'.join(pattern[1:] for pattern in first)})|{'|'.join(anywhere)}", re.ASCII)
