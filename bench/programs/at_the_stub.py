"""Every program that is measured begins with this: whatever name it looks up, it finds the stub."""

import os
import socket
from typing import Any


def _find_the_stub(*_: Any, **__: Any) -> Any:
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", int(os.environ["STUB_PORT"])))]


socket.getaddrinfo = _find_the_stub
