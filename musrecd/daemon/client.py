"""Asks the running daemon, if there is one; whoever gets no answer does the work itself."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from musrecd.daemon.calling import ANSWER_S, call
from musrecd.errors import AudioError, LibraryDamagedError, MusrecError
from musrecd.library.database import shown
from musrecd.types import Analysis, Chunks, KnownRecording

_SOON_S = 1.0
_ANALYSIS_ARRAYS = ("embedding", "probabilities")


def ask(library: Path, request: dict[str, Any], *, timeout_s: float = ANSWER_S) -> dict[str, Any] | None:
    """Return what the daemon of a library answers, None if there is none. Raises MusrecError if it refuses."""
    answer = call(library, request, timeout_s=timeout_s)
    if answer is not None and "error" in answer:
        raise _error(answer)
    return answer


def advice(library: Path, error: LibraryDamagedError) -> str:
    """Tell the daemon that somebody met damage, so that it looks and puts it right; the line for the person."""
    with suppress(MusrecError):
        if ask(library, {"do": "check"}, timeout_s=_SOON_S) is not None:
            return f"the library {shown(library)} seems to be damaged; the daemon sees to it; try again soon"
    return str(error)


def hear(library: Path, path: bytes, encoder_version: str | None = None) -> Analysis | KnownRecording | None:
    """Let the daemon's warm worker hear a file; None if there is no daemon, or none with that encoder.

    Its workers may have begun with weights that were replaced since: what others heard is None, too.

    Raises AudioError as `analyse` does.
    """
    wanted = {} if encoder_version is None else {"encoder": encoder_version}
    answer = ask(library, {"do": "hear", "path": path.hex(), **wanted})
    if answer is None or "encoder" in answer:
        return None
    if "known" in answer:
        return KnownRecording(answer["known"])
    heard = _analysis(answer["analysis"])
    return heard if encoder_version in (None, heard.encoder_version) else None


def _analysis(fields: dict[str, Any]) -> Analysis:
    arrays: dict[str, Any] = {name: np.array(fields[name], np.float32) for name in _ANALYSIS_ARRAYS}
    if chunks := fields.get("chunks"):
        arrays["chunks"] = Chunks(**{name: np.array(values, np.float32) for name, values in chunks.items()})
    return Analysis(**fields | arrays)


def _error(answer: dict[str, Any]) -> MusrecError:
    reason = answer.get("reason")
    kinds = {kind.reason: kind for kind in AudioError.__subclasses__()}
    return kinds.get(reason, MusrecError)(answer["error"]) if reason else MusrecError(answer["error"])
