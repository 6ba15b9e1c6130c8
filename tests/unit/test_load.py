"""`make load`: what is said when there is nothing to load."""

import functools
from collections.abc import Callable

import httpx
import pytest
from typer.testing import CliRunner

from ops import __main__ as program
from ops.watching.load import LoadFailed

URL = "https://go.example.com"


def load(
    monkeypatch: pytest.MonkeyPatch,
    answer: Callable[[httpx.Request], httpx.Response],
    url: str = URL,
    key: str = "lk_id_secret",
) -> str:
    """Have a load sent to somebody who answers so; gives what is said instead of a report."""
    client = functools.partial(httpx.Client, transport=httpx.MockTransport(answer))
    monkeypatch.setattr("ops.watching.load.httpx.Client", client)
    done = CliRunner().invoke(program.commands, ["load", "--url", url, "--key", key])
    assert isinstance(done.exception, LoadFailed), done.output
    return str(done.exception)


def test_a_wrong_key_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    said = load(monkeypatch, lambda _: httpx.Response(401))

    assert f"{URL} does not know this KEY. Make one: python -m ops keys create" == said


def test_an_address_at_which_nobody_answers_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("Connection refused")

    said = load(monkeypatch, refuse)

    assert f"Nobody can be asked at {URL} (URL) with this key (KEY): Connection refused" == said


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (httpx.Response(405, text="Not Allowed"), "POST {}/links was answered with 405. Is URL Linkly's? Not Allowed"),
        (httpx.Response(200, text="<html>"), "What answers at {} is not Linkly. See URL."),
        (httpx.Response(200, json=["code"]), "What answers at {} is not Linkly. See URL."),
        (httpx.Response(200, json={}), "What answers at {} is not Linkly. See URL."),
    ],
)
def test_an_address_of_somebody_else_is_said(
    answer: httpx.Response, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert expected.format(URL) == load(monkeypatch, lambda _: answer)


@pytest.mark.parametrize(("url", "key"), [("http://go.example.com:x", "lk_id_secret"), (URL, "schlüssel")])
def test_what_is_no_address_or_no_key_is_said(url: str, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    said = load(monkeypatch, lambda _: httpx.Response(401), url, key)

    assert said.startswith(f"Nobody can be asked at {url} (URL) with this key (KEY): ")


@pytest.mark.parametrize("command", ["run", "doctor"])
@pytest.mark.parametrize("variable", ["PORT", "AWS_PORT"])
@pytest.mark.parametrize("port", ["99999", "0", "-1"])
def test_a_port_that_there_cannot_be_is_refused(command: str, variable: str, port: str) -> None:
    done = CliRunner().invoke(program.commands, [command], env={variable: port, "COLUMNS": "200"})

    assert 2 == done.exit_code
    assert f"(env var: '{variable}'): Input should be" in done.stderr
