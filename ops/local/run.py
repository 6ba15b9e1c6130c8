"""`python -m ops run`: the whole of Linkly on this machine."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Annotated, Any

import httpx
import typer
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib import aws as app_aws
from chalicelib import clock
from chalicelib.access import store
from chalicelib.access.keys import Role, parse_token
from ops import PROJECT
from ops.data.keys import make_key
from ops.deploying.deployment import deploy
from ops.deploying.package import package
from ops.local import edits, emulator
from ops.local.emulator import HIGHEST_PORT
from ops.shared import emulation
from ops.shared.errors import OperatorError
from ops.shared.log_lines import Line, Selection, writer
from ops.shared.stages import LOCAL, RUN_FILE, function_environment, run_file
from ops.watching import logs

DIRECTORY = RUN_FILE.parent
SECONDS_TO_START = 30
LOOK_SECONDS = 0.5
RETRY_PAUSE_SECONDS = 0.2
"""As short as the drills of docs/runbook.md want it: five deliveries take a minute, and an hour is 48 seconds."""


class AlreadyRunning(OperatorError):
    """Another `make run` works in this checkout."""


class PortChanged(OperatorError):
    """The stored stack belongs to another port."""


class HttpFailed(OperatorError):
    """`chalice local` did not start, or ended by itself."""


def run(
    port: Annotated[int, typer.Option(envvar="PORT", min=1, max=HIGHEST_PORT, help="Where HTTP is served.")] = 8000,
    aws_port: Annotated[
        int, typer.Option(envvar="AWS_PORT", min=1, max=HIGHEST_PORT, help="Where the emulated AWS listens.")
    ] = 4566,
    watch: Annotated[
        bool, typer.Option("--watch", help="Take over each edit of app.py and chalicelib/, within seconds.")
    ] = False,
) -> None:
    """Run everything on this machine, until Ctrl-C."""
    emulator.require_free_port(port, "PORT")
    emulator.require_free_port(aws_port, "AWS_PORT")
    stopping = stop_on_signals()
    since = time.time()
    with _this_checkout():
        last_keys = run_file().get("keys", {})
        RUN_FILE.unlink(missing_ok=True)  # whoever waits for it waits for this run's
        _keep_port(aws_port)
        _say(f"starting the emulated AWS on port {aws_port}")
        with emulator.emulated_aws(aws_port, DIRECTORY / "aws") as endpoint:
            os.environ.update(emulation.environment(endpoint))
            _say("packaging the app and deploying the template as stage local")
            url = f"http://localhost:{port}"
            settings = {"BaseUrl": url, "RetryPauseSeconds": str(RETRY_PAUSE_SECONDS)}
            seen = edits.look()
            packaged = package(LOCAL)
            deployment = deploy(packaged, LOCAL, settings, lambda _: None)
            emulator.complete(deployment)
            edits.put_code(packaged.code)  # what an edit put there last time, CloudFormation does not know
            os.environ.update(function_environment(LOCAL))
            app_aws.forget_clients()
            keys = {role.value: _key(role, last_keys) for role in Role}
            with ExitStack() as serving, _followed_logs(since, stopping):
                http = serving.enter_context(_chalice_local(port))
                _wait_until_it_answers(port, http, stopping)
                _write_run_file(
                    {
                        "url": url,
                        "deployed_url": emulation.deployed_url(endpoint, deployment.outputs),
                        "aws_endpoint": endpoint,
                        "keys": keys,
                        "outputs": deployment.outputs,
                    }
                )
                _greet(url, keys)
                if watch:
                    _take_over_edits(seen, packaged.code, port, serving, stopping)
                while http.poll() is None and not stopping.wait(0.2):
                    pass
                ended_by_itself = not stopping.is_set()
                _say("stopping, as soon as the functions have finished what they are at")
    if ended_by_itself:
        raise HttpFailed(f"chalice local ended by itself, with exit code {http.returncode}.")


def stop_on_signals() -> threading.Event:
    """An event that Ctrl-C sets, and whatever else tells this process to end."""
    stopping = threading.Event()
    # A handler interrupts the main thread anywhere, also where that holds the lock of the event, and so may use nothing
    # but a queue of this kind. https://docs.python.org/3/library/queue.html#queue.SimpleQueue.put
    told: SimpleQueue[None] = SimpleQueue()

    def pass_on() -> None:
        told.get()
        stopping.set()

    threading.Thread(target=pass_on, daemon=True).start()
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, lambda *_: told.put(None))
    return stopping


@contextmanager
def _this_checkout() -> Iterator[None]:
    """Let nobody else use what the local stack stores."""
    DIRECTORY.mkdir(exist_ok=True)
    with (DIRECTORY / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunning("The local stack of this checkout runs already. Stop it first with Ctrl-C.") from error
        yield


def _take_over_edits(
    seen: Mapping[Path, int], code: bytes, port: int, serving: ExitStack, stopping: threading.Event
) -> None:
    """Until the end, have `chalice local`, which `serving` stops, and the Lambda functions run each edit.

    `seen` is what the files were when the zip `code` was made of them.
    """
    while not stopping.wait(LOOK_SECONDS):
        found = edits.look()
        if found == seen:
            continue
        _say(f"edited: {', '.join(edits.differences(seen, found))}")
        seen = found
        if fault := edits.fault():
            _say(f"{fault}\nThe code of before goes on.")
            continue
        edits.put_code(edits.inject(code))
        serving.close()
        http = serving.enter_context(_chalice_local(port))
        try:
            _wait_until_it_answers(port, http, stopping)
        except HttpFailed as error:
            _say(str(error))
        else:
            _say("the edit is in place")


def gateway_command(port: int) -> list[str]:
    """The command of `chalice local` with our gateway errors, for the stage of its environment."""
    options = ("--stage", LOCAL, "--port", str(port), "--no-autoreload")
    return [sys.executable, "-m", "ops.local.gateway", "local", *options]


@contextmanager
def _chalice_local(port: int) -> "Iterator[subprocess.Popen[str]]":
    """Run `chalice local` with this process's environment, and show what it prints."""
    process = subprocess.Popen(
        gateway_command(port),
        cwd=PROJECT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    printer = threading.Thread(target=_show_lines, args=(process,))
    printer.start()
    try:
        yield process
    finally:
        emulator.stop(process)
        printer.join()


@contextmanager
def _followed_logs(since: float, stopping: threading.Event) -> Iterator[None]:
    """Show the logs of the Lambda functions, in the background."""
    follower = threading.Thread(target=logs.follow_lines, args=(Selection(LOCAL), logs.print_line, stopping, since))
    follower.start()
    try:
        yield
    finally:
        stopping.set()
        follower.join()


def _show_lines(process: "subprocess.Popen[str]") -> None:
    """Show what `chalice local` prints. Its log lines go where Lambda would take them, and are shown from there."""
    log = writer(LOCAL, "api_handler", "chalice local")
    for line in process.stdout or ():
        try:
            json.loads(line)
            log(line)
        except (ValueError, BotoCoreError, ClientError):
            logs.print_line(Line("http", 0, line))


def _wait_until_it_answers(port: int, process: "subprocess.Popen[str]", stopping: threading.Event) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline and process.poll() is None and not stopping.is_set():
        try:
            httpx.get(f"http://127.0.0.1:{port}/health", timeout=2).raise_for_status()
        except httpx.HTTPError:
            stopping.wait(0.1)
        else:
            return
    if not stopping.is_set():
        raise HttpFailed("chalice local did not start; what it printed stands above.")


def _key(role: Role, last_keys: Mapping[str, str]) -> str:
    """The key of the last run, if it still works, or a new one."""
    token = parse_token(last_keys.get(role.value, ""))
    if token and (key := store.find_key(token.id)) and key.admits(token.secret, clock.now()):
        return str(token)
    return str(make_key(role.value, role))


def _keep_port(aws_port: int) -> None:
    """Refuse another port than last time: the stored queues have it in their URLs, and would not be found."""
    note = DIRECTORY / "aws_port"
    if note.exists() and note.read_text() != str(aws_port):
        raise PortChanged(
            f"What the local stack stores here belongs to AWS_PORT={note.read_text()}. "
            "Use that port again, or forget what is stored: make reset"
        )
    note.write_text(str(aws_port))


def _write_run_file(content: Mapping[str, Any]) -> None:
    """Whole or not at all: somebody may be waiting for it."""
    unfinished = RUN_FILE.with_suffix(".tmp")
    unfinished.touch(mode=0o600)  # it holds keys
    unfinished.write_text(json.dumps(content, indent=2) + "\n")
    unfinished.rename(RUN_FILE)


def _greet(url: str, keys: Mapping[str, str]) -> None:
    _say(
        f"""
Linkly runs at {url}. Its page for owners:

  {url}/ui                sign in with   {keys["user"]}

Or create a first link from here:

  curl -X POST {url}/links -H 'Authorization: Bearer {keys["user"]}' \\
       -H 'Content-Type: application/json' -d '{{"url": "https://example.com/", "code": "first"}}'

Follow it:            curl -i {url}/first
Count its clicks:     curl {url}/stats/first -H 'Authorization: Bearer {keys["user"]}'
An admin's key:       {keys["admin"]}
Links to look at:     make demo
All of this is in     {RUN_FILE.relative_to(PROJECT)}

Below are the logs of the HTTP process and of every Lambda function. Ctrl-C stops it all.
"""
    )


def _say(text: str) -> None:
    print(text, flush=True)
