"""Who is taken for a robot; and how the patterns come here."""

import io
import json
import re
import tarfile
import time
from pathlib import Path

import pytest

from bench.hostile import USER_AGENTS as HOSTILE
from chalicelib import robots
from chalicelib.clicks import message
from chalicelib.robots import comes_by_itself, is_robot
from ops.local.robots import FOR_PYTHON, read, text
from ops.shared.errors import OperatorError

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
)


@pytest.mark.parametrize(
    "user_agent",
    [
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
        "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
        "Twitterbot/1.0",
        "WhatsApp/2.23.20.0",
        "TelegramBot (like TwitterBot)",
        "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
        "curl/8.5.0",
        "python-requests/2.32.3",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/126.0.0.0 Safari/537.36",
        "Mozilla/5.0 (Linux; Android 5.0) AppleWebKit/537.36 (KHTML, like Gecko) (compatible; google; x) Safari/537.36",
        "Mozilla/4.0 (compatible; crawler 1.0)",
        "CURL/8.5.0",
        "curl/8.5.0, for Rexx;",
        f"{CHROME} BOT",
    ],
)
def test_a_program_that_says_so_is_a_robot(user_agent: str) -> None:
    assert is_robot(user_agent)


@pytest.mark.parametrize(
    "user_agent",
    [
        None,
        "",
        CHROME,
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile Safari/604.1",
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "Mozilla/5.0 (Linux; Android 14; CUBOT X90) AppleWebKit/537.36 Chrome/126.0.0.0 Mobile Safari/537.36",
        "Mozilla/5.0 (Linux; Android 14; Google Pixel 8) AppleWebKit/537.36 Chrome/126.0.0.0 Mobile Safari/537.36",
    ],
)
def test_a_browser_is_none(user_agent: str | None) -> None:
    assert not is_robot(user_agent)


def test_what_is_looked_at_is_what_a_message_keeps() -> None:
    padded = f"{CHROME} {'x ' * 300}"

    assert not is_robot(f"{padded}bot")
    assert is_robot(f"{padded[: robots.LONGEST_USER_AGENT - 4]} bot and more")
    assert message.LONGEST_USER_AGENT == robots.LONGEST_USER_AGENT


def test_no_user_agent_takes_long() -> None:
    """A hundred times what was measured, since machines are busy; exponential patterns would take for ever."""
    is_robot("compiled")
    for user_agent in HOSTILE:
        began = time.process_time()
        is_robot(user_agent)
        assert time.process_time() - began < 0.1, user_agent


def test_letters_and_digits_are_those_of_ascii_as_in_javascript() -> None:
    assert is_robot("word/1.0;")
    assert not is_robot(f"{CHROME} \N{ARABIC-INDIC DIGIT ONE}/1.0;")


PACKAGE = {
    "package/package.json": json.dumps({"name": "isbot", "version": "9.8.7"}),
    "package/index.mjs": 'var patterns_default = [\n  "(?<! cu)bots?(?:\\\\b|_)",\n  "\\\\(\\\\)"\n];\nvar list = 1;\n',
}


def packed(directory: Path, files: dict[str, str]) -> Path:
    path = directory / "isbot.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content.encode())
            archive.addfile(entry, io.BytesIO(content.encode()))
    return path


def test_the_patterns_of_a_package_are_read(tmp_path: Path) -> None:
    assert ("9.8.7", [r"(?<! cu)bots?(?:\b|_)", r"\(\)"]) == read(packed(tmp_path, PACKAGE))


@pytest.mark.parametrize(
    "changes",
    [
        {"package/package.json": json.dumps({"name": "another", "version": "1.0.0"})},
        {"package/package.json": "no JSON"},
        {"package/package.json": "{}"},
        {"package/index.mjs": "var others = [];"},
    ],
)
def test_another_package_is_refused(tmp_path: Path, changes: dict[str, str]) -> None:
    with pytest.raises(OperatorError):
        read(packed(tmp_path, {**PACKAGE, **changes}))


def test_what_is_no_package_is_refused(tmp_path: Path) -> None:
    (tmp_path / "isbot.tgz").write_text("no archive")

    for path in (tmp_path / "isbot.tgz", tmp_path / "missing", packed(tmp_path, {})):
        with pytest.raises(OperatorError):
            read(path)


def test_a_pattern_that_python_does_not_read_is_named() -> None:
    with pytest.raises(OperatorError, match=r"does not read the pattern \(\?<!a\|bc\)d"):
        text("9.8.7", ["fine", "(?<!a|bc)d"])


def test_a_pattern_of_capital_letters_is_refused_since_small_ones_are_looked_at() -> None:
    with pytest.raises(OperatorError, match="capital"):
        text("9.8.7", [r"fine\W\d", "Bot"])


def test_together_the_patterns_find_what_each_finds() -> None:
    patterns = [line for line in Path(robots.PATTERNS).read_text().splitlines() if not line.startswith("#")]
    each = [re.compile(pattern, re.IGNORECASE | re.ASCII) for pattern in patterns]

    for user_agent in HOSTILE:
        cut = user_agent[: robots.LONGEST_USER_AGENT]
        assert is_robot(cut) is any(pattern.search(cut) for pattern in each), user_agent


def test_what_is_changed_for_python_is_what_python_does_not_read() -> None:
    for pattern in FOR_PYTHON:
        with pytest.raises(re.error):
            re.compile(pattern)

    assert [*FOR_PYTHON.values()] == text("9.8.7", [*FOR_PYTHON]).splitlines()[2:]


def test_the_file_is_as_the_command_writes_it() -> None:
    lines = Path(robots.PATTERNS).read_text().splitlines()
    version = lines[0].split()[2]

    assert text(version, lines[2:]).splitlines() == lines
    assert set(FOR_PYTHON.values()) < set(lines)


@pytest.mark.parametrize(
    ("user_agent", "expected"),
    [
        (None, False),
        ("", False),
        (CHROME, False),
        ("curl/8.5.0", False),
        ("Wget/1.21.4", False),
        ("HTTPie/3.2.2", False),
        ("python-httpx/0.28.1", False),
        ("python-requests/2.32.3", False),
        ("Python-urllib/3.11", False),
        ("Python/3.11 aiohttp/3.9.5", False),
        ("Go-http-client/2.0", False),
        ("node", False),
        ("WhatsApp/2.23.20.0", True),
        ("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", True),
        ("python-requests/2.32.3 SomeBot/1.0", True),
        ("curl/8.5.0 (compatible; Twitterbot/1.0)", True),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", True),
        ("Curly crawler", True),
    ],
)
def test_a_tool_that_somebody_calls_does_not_come_by_itself(user_agent: str | None, expected: bool) -> None:
    assert expected is comes_by_itself(user_agent)
