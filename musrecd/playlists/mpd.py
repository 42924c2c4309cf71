"""Handing tracks to MPD, the music player daemon, through python-mpd2."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from musrecd.config_playlists import MpdConfig
from musrecd.errors import PlaylistError

_TIMEOUT_S = 10.0


def queue(paths: Sequence[bytes], config: MpdConfig, *, replace: bool = False) -> list[bytes]:
    """Add tracks to the end of MPD's queue; return those it does not have, because they are elsewhere or not yet known.

    With `replace` what was in the queue is taken out afterwards, if any track was added, and the first of them is
    played. Raises PlaylistError if MPD cannot be reached or says no.
    """
    names = {path: _name(path, config) for path in paths}
    with _connected(config) as client:
        n_before = int(client.status()["playlistlength"])
        missing = [path for path in paths if not _add(client, names[path])]
        if replace and len(missing) < len(paths):
            if n_before:
                client.delete((0, n_before))
            client.play(0)
    return missing


def _name(path: bytes, config: MpdConfig) -> str | None:
    """Name a file as MPD knows it, relative to its music directory; None if it lies elsewhere or cannot be named."""
    if config.music_directory is None:
        raise PlaylistError("MPD's folder is not known; set `music_directory:` below `mpd:` in the configuration")
    folder = os.path.join(os.path.abspath(bytes(config.music_directory)), b"")
    # An end of line would end the command, and what follows would be another one.
    if not path.startswith(folder) or b"\n" in path:
        return None
    with suppress(UnicodeDecodeError):
        return path.removeprefix(folder).decode("utf-8")
    return None


def _add(client: Any, name: str | None) -> bool:  # noqa: ANN401
    """Whether MPD took a track into its queue."""
    from mpd import CommandError, FailureResponseCode

    if name is None:
        return False
    try:
        client.add(name)
    except CommandError as error:
        if error.errno != FailureResponseCode.NO_EXIST:
            raise
        return False
    return True


@contextmanager
def _connected(config: MpdConfig) -> Iterator[Any]:
    """Connect to MPD and be let in. Raises PlaylistError, also for what goes wrong later."""
    try:
        import mpd
    except ImportError as error:
        raise PlaylistError("MPD is reached through python-mpd2; install it: pip install 'musrec[mpd]'") from error
    client = mpd.MPDClient()
    client.timeout = _TIMEOUT_S
    where = config.host if config.host.startswith(("/", "~", "@")) else f"{config.host}:{config.port}"
    try:
        client.connect(os.path.expanduser(config.host), config.port)
        if config.password:
            client.password(config.password)
        yield client
    except mpd.CommandError as error:
        raise PlaylistError(f"MPD at {where} says no: {error.msg or error}") from error
    except (mpd.MPDError, OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise PlaylistError(f"MPD at {where} cannot be reached: {reason}; is it running?") from error
    finally:
        client.disconnect()
