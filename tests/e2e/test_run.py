"""`make run`, as a new user types it, in a copy of the checkout."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from ops import PROJECT
from ops.local.emulator import stop
from tests.checkout import copy_checkout
from tests.deployed import eventually, free_port, ops


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of this checkout, in which nothing has run yet."""
    return copy_checkout(tmp_path)


@contextmanager
def make_run(checkout: Path, port: int, aws_port: int, target: str = "run") -> Iterator[tuple[dict[str, Any], Path]]:
    """Run it until the end of the block, and then press Ctrl-C; gives .local/run.json and the file of its output."""
    run_file = checkout / ".local" / "run.json"
    started = time.time()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MAKE"))}
    output = checkout.parent / "output"
    with output.open("wb") as terminal:
        process = subprocess.Popen(
            ["make", target],
            cwd=checkout,
            env={**environment, "PORT": str(port), "AWS_PORT": str(aws_port)},
            stdin=subprocess.DEVNULL,
            stdout=terminal,
            stderr=terminal,
            start_new_session=True,
        )
        try:
            eventually(lambda: run_file.exists() and run_file.stat().st_mtime > started, within=60)
            yield json.loads(run_file.read_text()), output
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(60)


def processes_of(checkout: Path) -> list[str]:
    """The command lines of the processes that work in a checkout."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink().is_relative_to(checkout):
                found.append((process / "cmdline").read_text())
        except OSError:  # it has ended, or is not ours
            continue
    return found


@contextmanager
def holders(run: dict[str, Any]) -> Iterator[list[httpx.Client]]:
    """Clients with the keys that `make run` gives: a user's and an admin's."""
    with ExitStack() as clients:
        yield [
            clients.enter_context(
                httpx.Client(base_url=run["url"], headers={"Authorization": f"Bearer {run['keys'][role]}"})
            )
            for role in ("user", "admin")
        ]


def create(user: httpx.Client, url: str) -> dict[str, Any]:
    """A new link."""
    link: dict[str, Any] = user.post("/links", json={"url": url}).json()
    return link


def links_created(admin: httpx.Client) -> int:
    """How many new links were counted."""
    return sum(day["links"] for day in admin.get("/analytics/links").json()["by_day"])


def visit(link: dict[str, Any]) -> tuple[int, str | None]:
    """What a visitor is answered, the status and the target; not counted."""
    answer = httpx.head(link["short_url"])
    return answer.status_code, answer.headers.get("Location")


def test_make_run_serves_counts_shows_logs_stops_without_a_trace_and_goes_on(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)  # the commands below find the stack of their checkout
    port, aws_port = free_port(), free_port()

    with make_run(checkout, port, aws_port) as (run, output), holders(run) as (user, admin):
        link, changed, deleted, unannounced = (create(user, f"https://example.com/{number}") for number in range(4))
        followed = [httpx.get(link["short_url"]), httpx.get(f"{run['deployed_url']}/{link['code']}", timeout=30)]
        before = [visit(each) for each in (changed, deleted, unannounced)]
        eventually(lambda: user.get(f"/stats/{link['code']}").json()["total"] == 2)
        eventually(lambda: links_created(admin) == 4)
        eventually(lambda: "record_clicks       | INFO clicks recorded" in output.read_text())
        eventually(lambda: output.read_text().count("| INFO click accepted") == 2)
        ops("pause", "publish_link_events", checkout=checkout)
        user.put(f"/links/{unannounced['code']}", json={"url": "https://example.com/changed-at-the-end"})
        create(user, "https://example.com/created-at-the-end")
    processes_left = processes_of(checkout)
    with make_run(checkout, port, aws_port) as (run_again, _), holders(run_again) as (user, admin):
        kept = user.get(f"/links/{link['code']}")
        ops("resume", "publish_link_events", checkout=checkout)
        user.put(f"/links/{changed['code']}", json={"url": "https://example.com/changed"})
        user.delete(f"/links/{deleted['code']}")
        create(user, "https://example.com/created")
        after = [(302, "https://example.com/changed"), (410, None), (302, "https://example.com/changed-at-the-end")]
        eventually(lambda: [visit(each) for each in (changed, deleted, unannounced)] == after)
        eventually(lambda: links_created(admin) == 6)

    assert [answer.status_code for answer in followed] == [302, 302]
    assert [(302, f"https://example.com/{number}") for number in (1, 2, 3)] == before
    assert f"http://localhost:{port}/{link['code']}" == link["short_url"]
    assert f"curl -X POST http://localhost:{port}/links" in output.read_text()
    assert {"url", "deployed_url", "aws_endpoint", "keys", "outputs"} == set(run)
    assert [] == processes_left == processes_of(checkout)
    assert (200, link) == (kept.status_code, kept.json())
    assert run["keys"] == run_again["keys"]


def test_make_dev_takes_over_each_edit_and_goes_on_with_the_code_of_before_if_it_is_wrong(checkout: Path) -> None:
    port, aws_port = free_port(), free_port()
    health, recorder = checkout / "chalicelib/service/routes.py", checkout / "chalicelib/clicks/recorder.py"

    with make_run(checkout, port, aws_port, "dev") as (run, output), holders(run) as (user, _):
        edit(health, '"ok"', '"ok" "')
        eventually(lambda: "The code of before goes on." in output.read_text())
        unharmed = health_of(run["url"])
        edit(recorder, "clicks recorded", "clicks edited")
        edit(health, '"ok" "', '"edited"')
        eventually(lambda: health_of(run["url"]) == health_of(run["deployed_url"]) == {"status": "edited"})
        eventually(lambda: "the edit is in place" in output.read_text())
        httpx.get(create(user, "https://example.com/")["short_url"])
        eventually(lambda: "record_clicks       | INFO clicks edited" in output.read_text())
        told = output.read_text()
    edit(recorder, "clicks edited", "clicks recorded")
    edit(health, '"edited"', '"ok"')
    with make_run(checkout, port, aws_port) as (run_again, _):
        taken_back = health_of(run_again["deployed_url"])

    assert {"status": "ok"} == unharmed == taken_back
    line = health.read_text().partition('"ok"')[0].count("\n") + 1
    assert f"chalicelib/service/routes.py, line {line}, SyntaxError: unterminated string literal" in told
    assert [] == processes_of(checkout)


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def health_of(url: str) -> Any:
    """What the app says of itself; None if nobody answers."""
    try:
        return httpx.get(f"{url}/health", timeout=30).json()
    except httpx.TransportError:
        return None


def test_chalice_local_works_on_the_local_stack(checkout: Path) -> None:
    port, aws_port, own_port = free_port(), free_port(), free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_") and name != "STAGE"}

    with make_run(checkout, port, aws_port) as (run, _), holders(run) as (user, _):
        process = subprocess.Popen(
            # Its reloader looks at every file in the checkout, so it restarts when the local stack stores something.
            [".venv/bin/chalice", "local", "--no-autoreload", "--port", str(own_port)],
            cwd=checkout,
            env=environment,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            eventually(lambda: health_of(f"http://localhost:{own_port}") is not None)
            link = create(user, "https://example.com/")
            followed = httpx.get(f"http://localhost:{own_port}/{link['code']}")
        finally:
            stop(process)

    assert (302, "https://example.com/") == (followed.status_code, followed.headers["Location"])


@pytest.mark.parametrize("setting", ["PORT", "AWS_PORT"])
def test_make_run_says_so_if_a_port_is_taken(aws_endpoint: str, setting: str) -> None:
    taken = aws_endpoint.rpartition(":")[2]
    ports = {"PORT": str(free_port()), "AWS_PORT": str(free_port()), setting: taken}

    done = subprocess.run(
        [sys.executable, "-m", "ops", "run"],
        cwd=PROJECT,
        env={**os.environ, **ports},
        capture_output=True,
        text=True,
        check=False,
    )

    expected = (
        f"Port {taken} is taken by another program. "
        f"Stop it, or choose another port: {setting}={int(taken) + 1} make run\n"
    )
    assert (1, expected) == (done.returncode, done.stderr)
