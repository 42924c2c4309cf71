"""One question to the daemon over its socket. Imports next to nothing: whoever wants a quick answer comes this way."""

import json
import socket
from pathlib import Path
from typing import Any

from musrecd.daemon.address import socket_path

_CONNECT_S = 1.0
ANSWER_S = 600.0


def call(library: Path, request: dict[str, Any], *, timeout_s: float = ANSWER_S) -> dict[str, Any] | None:
    """Return what the daemon of a library answers, errors included; None if there is none, or one that is older."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_CONNECT_S)
            connection.connect(str(socket_path(library)))
            connection.settimeout(timeout_s)
            connection.sendall(json.dumps(request).encode() + b"\n")
            with connection.makefile("rb") as answers:
                line = answers.readline()
    except OSError:
        return None
    if not line.endswith(b"\n"):
        return None
    answer: dict[str, Any] = json.loads(line)
    return answer
