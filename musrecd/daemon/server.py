"""Answers whoever asks over the Unix socket: a line of JSON in, a line of JSON out, for the daemon's owner alone."""

import json
import logging
import os
import socketserver
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from pathlib import Path
from threading import BoundedSemaphore, Thread
from typing import Any

from musrecd.daemon.answering import Answering
from musrecd.daemon.messages import Ask, LookThrough, Message, Stop, Upkeep
from musrecd.daemon.state import State
from musrecd.daemon.upkeep import check
from musrecd.display import printable, printable_path
from musrecd.errors import MusrecError
from musrecd.ingest.work import Outcome
from musrecd.types import Analysis

_log = logging.getLogger(__name__)

_LONGEST_LINE = 65_536
_READ_S = 10.0
_SOON_S = 0.01
_HEAR_S = 600.0
# As many are listened to at once; who comes next is told nothing, as if there were no daemon.
_MOST_AT_ONCE = 64
# How long the end of listening takes at most; so often the thread wakes.
_NOTICE_S = 0.5

Answer = dict[str, Any]


class Server:
    """Listens at `path` from threads of its own; what it is asked goes to `tell`, what it shows comes from `state`.

    `answering`, if there is one, answers what sounds alike. Raises MusrecError if there can be no socket.
    """

    def __init__(
        self, path: Path, tell: Callable[[Message], None], state: State, answering: Answering | None = None
    ) -> None:
        self._path, self._tell, self._state, self._answering = path, tell, state, answering
        self._listener: _Listener | None = self._listen()

    def check(self) -> None:
        """Listen anew where the socket was taken away, as logind does when the person's last session ends."""
        if self._listener is not None and os.path.lexists(self._path):
            return
        was_heard = self._listener is not None
        self._hang_up()
        try:
            self._listener = self._listen()
            _log.info("listens again", extra={"path": bytes(self._path)})
        except MusrecError as error:
            _log.log(logging.WARNING if was_heard else logging.DEBUG, "nobody can ask", extra={"reason": str(error)})

    def stop(self) -> None:
        """Answer no more."""
        with suppress(OSError):
            self._path.unlink()
        self._hang_up()

    def _listen(self) -> "_Listener":
        try:
            listener = self._bound()
        except OSError as error:
            where = printable_path(bytes(self._path))
            raise MusrecError(f"cannot listen at {where}: {error.strerror or error}") from error
        Thread(target=listener.serve_forever, kwargs={"poll_interval": _NOTICE_S}, daemon=True).start()
        return listener

    def _bound(self) -> "_Listener":
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Whatever it was before: only its owner may put anything there.
        self._path.parent.chmod(0o700)
        # Whoever holds the lock of the library is the only one here: an old socket is of somebody who was killed.
        self._path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            return _Listener(str(self._path), self._answer)
        finally:
            os.umask(before)

    def _hang_up(self) -> None:
        if self._listener is not None:
            # Closed alone, it would be asked for ever whether somebody calls.
            self._listener.shutdown()
            self._listener.server_close()
        self._listener = None

    def _answer(self, request: Answer) -> Answer:
        match request:
            case {"do": "status"}:
                return self._state.to_dict()
            case {"do": "similar"} if self._answering is not None:
                return self._answering.similar(request)
            case {"do": "hear", "path": str(path)}:
                return self._hear(bytes.fromhex(path), request.get("encoder", self._state.encoder))
            case {"do": "look", "folders": list(folders)}:
                retry = bool(request.get("retry_failed"))
                self._tell(LookThrough(tuple(bytes.fromhex(folder) for folder in folders), retry))
                return {}
            case {"do": "check"}:
                # Whoever met damage is not believed: the daemon reads for itself.
                self._tell(Upkeep("check", check))
                return {}
            case {"do": "stop" | "reload" as what}:
                self._tell(Stop(reload=what == "reload"))
                return {"pid": os.getpid()}
        return {"error": "not understood; the daemon may be of another version: restart it"}

    def _hear(self, path: bytes, encoder: object) -> Answer:
        if encoder != self._state.encoder:
            return {"encoder": self._state.encoder}
        future: Future[Outcome] = Future()
        self._tell(Ask(path, future))
        outcome = future.result(_HEAR_S)
        if outcome.heard is None:
            return {"error": outcome.message, "reason": outcome.reason}
        if not isinstance(outcome.heard, Analysis):
            return {"known": outcome.heard.audio_id}
        return {"analysis": _in_lists(outcome.heard._asdict())}


def _in_lists(value: Any) -> Any:  # noqa: ANN401
    """Return what JSON can say of an analysis: lists in place of arrays, dictionaries in place of named tuples."""
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        return {name: _in_lists(each) for name, each in value.items()}
    return value.tolist() if hasattr(value, "tolist") else value


class _Listener(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = _MOST_AT_ONCE

    def __init__(self, path: str, answer: Callable[[Answer], Answer]) -> None:
        super().__init__(path, _Handler)
        self.answer = answer
        self._room = BoundedSemaphore(_MOST_AT_ONCE)

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        if not self._room.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:  # no thread could be started
            self._room.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()


class _Handler(socketserver.StreamRequestHandler):
    timeout = _READ_S
    server: _Listener

    def handle(self) -> None:
        try:
            answer = self._answer(self._line())
            self.wfile.write(json.dumps(answer).encode() + b"\n")
        except OSError as error:
            _log.debug("nobody waits for the answer: %s", error)

    def _line(self) -> bytes:
        """Read a line within the time there is for all of it, however slowly its bytes come. Raises OSError."""
        deadline = time.monotonic() + _READ_S
        line = b""
        while not line.endswith(b"\n") and len(line) < _LONGEST_LINE:
            self.connection.settimeout(max(deadline - time.monotonic(), _SOON_S))
            if not (piece := self.connection.recv(_LONGEST_LINE - len(line))) or time.monotonic() > deadline:
                break
            line += piece
        self.connection.settimeout(_READ_S)
        return line

    def _answer(self, line: bytes) -> Answer:
        try:
            request = json.loads(line)
            return self.server.answer(request) if isinstance(request, dict) else {"error": "not a question"}
        except (ValueError, TypeError, KeyError, RecursionError):
            return {"error": "not a question"}
        except FutureTimeoutError:
            return {"error": "not heard in time"}
        except MusrecError as error:
            return {"error": printable(str(error))}
