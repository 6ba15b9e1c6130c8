"""The process of the emulated AWS: ministack, and what it lacks for being stopped and started again.

A program for the environment in `.venv-aws`, which `ops/local/emulator.py` starts. ministack writes its state down when
it is told to stop, and reads it when it starts. By its source, version 1.5.33, not all of it is then as it was:

- It writes down how far a consumer has read a DynamoDB stream, but not the stream, which is empty after a start: what
  nobody had read is gone, and as many new records as had been read are passed over. Here a stream is written down with
  its table, in the same file.
- It closes the way to AWS while functions are at work, and then writes its state down. A batch of a queue that is cut
  off comes back after the visibility time-out; a message on its way from a topic to a function is gone. Here nothing
  more is begun when it is told to stop, and what is under way may end.
- It gives out work before it listens to what functions call. Here it does when it listens.
- What waits in a queue or a stream expires by the clock, although nobody could take it. Here time stands still for it
  while nothing runs.

It also takes every request for one over HTTPS: the policies of queues and topics forbid plain HTTP, which it speaks.

It unpacks a function's zip for each process that it starts, which takes most of the time of a start. Here the processes
share what was unpacked once. On AWS none could write there either.

Its CloudFront answers by the host that is asked for. Here it does by a path as well, below `/_aws/cloudfront/`, since
no distribution's name leads to this machine. It asks no API Gateway, lest it be the real one. Here it asks its own.
"""

import asyncio
import copy
import os
import pkgutil
import re
import signal
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import hypercorn.asyncio
from ministack import app
from ministack.core import lambda_runtime
from ministack.services import cloudfront, dynamodb, lambda_svc, sns, sqs

SECONDS_TO_FINISH = 30
"""The time-out of count_created_links, whose messages are kept nowhere: a queue or a stream has those of the others."""

CLOUDFRONT = "/_aws/cloudfront/"
"""What ops/shared/emulation.py calls BY_PATH: nothing of ours can be imported here."""

_NAMES = (
    "hypercorn.asyncio:serve",
    "ministack.app:_HEALTH_PATHS",
    "ministack.app:_load_persisted_state",
    "ministack.app:pin_request_origin",
    "ministack.core.lambda_runtime:zipfile",
    "ministack.services.cloudfront:_forward_to_origin",
    "ministack.services.dynamodb:_stream_records",
    "ministack.services.dynamodb:_stream_trimmed",
    "ministack.services.dynamodb:get_state",
    "ministack.services.dynamodb:load_persisted_state",
    "ministack.services.dynamodb:stream_end_position",
    "ministack.services.lambda_svc:_dynamodb_stream_positions",
    "ministack.services.lambda_svc:_esm_inflight",
    "ministack.services.lambda_svc:_esms",
    "ministack.services.lambda_svc:_iter_all_esms",
    "ministack.services.sns:_deliver_to_lambda",
    "ministack.services.sqs:_queues",
)
"""What is replaced or read here. Most of it is private, and may be gone in another version."""


def main() -> None:
    """Run ministack until a signal, as `python -m ministack` does."""
    _require_names()
    _take_http_for_https()
    _let_cloudfront_ask_the_api()
    _write_streams_down()
    _resume_after_loading()
    _work_only_while_listening()
    with tempfile.TemporaryDirectory(prefix="linkly-code-") as directory:
        _unpack_once(Path(directory))
        app.main()


def _require_names() -> None:
    missing = []
    for name in _NAMES:
        try:
            pkgutil.resolve_name(name)
        except AttributeError:
            missing.append(name)
    if missing:
        sys.exit(f"This version of ministack has no {', '.join(missing)}. See what it does now, and change {__file__}.")


def _take_http_for_https() -> None:
    pin = app.pin_request_origin
    app.pin_request_origin = lambda address, _: pin(address, True)


def _unpack_once(directory: Path) -> None:
    """Have all that is unpacked lie in `directory`, by what it is, and elsewhere only links to it."""
    one_at_a_time = threading.Lock()

    class UnpackedOnce(zipfile.ZipFile):
        def extractall(self, path: Any = None, *_: Any) -> None:
            unpacked = directory / sha256(Path(str(self.filename)).read_bytes()).hexdigest()
            with one_at_a_time:
                if not unpacked.exists():
                    super().extractall(unpacked)
            Path(path).rmdir()
            Path(path).symlink_to(unpacked)

    lambda_runtime.zipfile = SimpleNamespace(**{**vars(zipfile), "ZipFile": UnpackedOnce})


def _let_cloudfront_ask_the_api() -> None:
    forward = cloudfront._forward_to_origin

    def forward_to_the_api_too(origin: Mapping[str, Any], method: str, path: str, *rest: Any) -> Any:
        if api := re.fullmatch(r"([a-z0-9]+)\.execute-api\.[a-z0-9-]+\.amazonaws\.com", origin["domain_name"]):
            here = {"domain_name": "127.0.0.1", "protocol_policy": "http-only", "http_port": os.environ["GATEWAY_PORT"]}
            origin, path = {**origin, **here}, f"/_aws/execute-api/{api[1]}{path}"
        return forward(origin, method, path, *rest)

    cloudfront._forward_to_origin = forward_to_the_api_too
    # Of these, it answers /health itself, whatever host is asked.
    app._HEALTH_PATHS = [path for path in app._HEALTH_PATHS if path != "/health"]


def _cloudfront_by_path(asgi_app: Any) -> Any:
    """An app that hands on what is asked for below CLOUDFRONT as it would be asked for by a distribution's host."""

    async def by_path(scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"].startswith(CLOUDFRONT):
            label, _, path = scope["path"].removeprefix(CLOUDFRONT).partition("/")
            raw_path = scope["raw_path"].removeprefix(f"{CLOUDFRONT}{label}".encode()) or b"/"
            own = {b"host": f"{label}.cloudfront.net".encode(), b"x-forwarded-proto": b"https"}
            others = [(name, value) for name, value in scope["headers"] if name.lower() not in own]
            scope = {**scope, "path": f"/{path}", "raw_path": raw_path, "headers": [*own.items(), *others]}
        await asgi_app(scope, receive, send)

    return by_path


def _write_streams_down() -> None:
    get_state, load = dynamodb.get_state, dynamodb.load_persisted_state
    streams = ("_stream_records", "_stream_trimmed")

    def get_state_and_streams() -> Mapping[str, Any]:
        return {**get_state(), **{name: copy.deepcopy(getattr(dynamodb, name)) for name in streams}}

    def load_with_streams(state: Mapping[str, Any]) -> None:
        load(state)
        for name in streams:
            getattr(dynamodb, name).update(state.get(name, {}))

    dynamodb.get_state, dynamodb.load_persisted_state = get_state_and_streams, load_with_streams


def _resume_after_loading() -> None:
    load = app._load_persisted_state

    def load_and_resume() -> None:
        load()
        written = Path(os.environ["STATE_DIR"], "dynamodb.json")
        if written.exists():
            _let_no_time_pass(time.time() - written.stat().st_mtime)
            _forget_impossible_positions()

    app._load_persisted_state = load_and_resume


def _let_no_time_pass(seconds: float) -> None:
    """Make what waits younger by the time for which nothing ran."""
    for queue in sqs._queues.all_values():
        for message in queue["messages"]:
            message["visible_at"] += seconds
            message["enqueued_at"] = message.get("enqueued_at", message["sent_at"]) + seconds
    for records in dynamodb._stream_records.all_values():
        for record in records:
            record["dynamodb"]["ApproximateCreationDateTime"] += int(seconds)


def _forget_impossible_positions() -> None:
    """Have consumers begin anew that have read more than their stream holds: it was not written down."""
    positions = lambda_svc._dynamodb_stream_positions
    for (account, region, mapping_id), mapping in lambda_svc._esms.all_items():
        table = mapping["EventSourceArn"].partition("/stream/")[0].rpartition("/")[2]
        end = dynamodb.stream_end_position(table, account_id=account, region=region)
        if positions.get_scoped(account, region, mapping_id, 0) > end:
            positions.pop_scoped(account, region, mapping_id)


def _work_only_while_listening() -> None:
    """Give functions work while AWS answers them, and let them finish it before it does not."""
    listening = threading.Event()
    under_way: set[object] = set()

    @contextmanager
    def piece_of_work() -> Iterator[None]:
        piece = object()
        under_way.add(piece)
        try:
            yield
        finally:
            under_way.discard(piece)

    mappings, deliver, serve = lambda_svc._iter_all_esms, sns._deliver_to_lambda, hypercorn.asyncio.serve

    def mappings_while_listening() -> Iterator[Any]:
        for mapping in mappings():
            with piece_of_work():  # until the next one is asked for; a stream's batch is worked on in between
                if not listening.is_set():
                    return
                yield mapping

    def deliver_to_the_end(*notification: Any) -> None:
        with piece_of_work():
            deliver(*notification)

    async def serve_to_the_end(asgi_app: Any, config: Any) -> None:
        told = asyncio.Event()
        for ending in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(ending, told.set)

        # Called when the server listens, which it does until this returns:
        # https://hypercorn.readthedocs.io/en/latest/how_to_guides/api_usage.html#graceful-shutdown
        async def listen() -> None:
            listening.set()
            await told.wait()
            listening.clear()
            deadline = time.monotonic() + SECONDS_TO_FINISH
            while (under_way or lambda_svc._esm_inflight) and time.monotonic() < deadline:  # noqa: ASYNC110 (in threads)
                await asyncio.sleep(0.1)

        await serve(_cloudfront_by_path(asgi_app), config, shutdown_trigger=listen)

    lambda_svc._iter_all_esms = mappings_while_listening
    sns._deliver_to_lambda = deliver_to_the_end
    hypercorn.asyncio.serve = serve_to_the_end


if __name__ == "__main__":
    main()
