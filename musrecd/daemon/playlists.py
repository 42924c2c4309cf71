"""Playlists that are written again and again: what the daemon does besides upkeep of the library."""

import logging
from functools import partial

from musrecd.config import Config
from musrecd.config_playlists import PlaylistConfig, PlaylistsConfig
from musrecd.daemon.pulse import Pulse
from musrecd.daemon.upkeep import Chore
from musrecd.errors import PlaylistError
from musrecd.library.reader import LibraryReader
from musrecd.library.store import Library
from musrecd.playlists.writing import folder_of, write

_log = logging.getLogger("musrecd.daemon.upkeep")

_HOURS_A_DAY = 24


def chores(config: Config) -> list[Chore]:
    """Name the playlists that are to be written, every how many days, and how."""
    return [
        (f"playlist {each.file}", each.refresh_hours / _HOURS_A_DAY, partial(refresh, each, config.playlists))
        for each in config.playlists.lists
        if each.refresh_hours is not None
    ]


def refresh(playlist: PlaylistConfig, style: PlaylistsConfig, library: Library) -> None:
    """Write a playlist if it would be another one now; what keeps that from being done is said in the log."""
    try:
        _answers(style)
        with LibraryReader.open(library.path) as reader:
            written = write(reader, playlist, style)
    except PlaylistError as error:
        _log.error("a playlist was not written", extra={"playlist": playlist.name, "reason": str(error)})
        return
    for track in written.left_out:
        _log.warning("left out of a playlist", extra={"playlist": playlist.name, "path": track.path})
    if written.is_new:
        _log.info("wrote a playlist", extra={"path": bytes(written.path), "tracks": len(written.tracks)})


def _answers(style: PlaylistsConfig) -> None:
    """Raise PlaylistError if the disk of the playlists does not answer: the copies of the library come after us."""
    folder = folder_of(style)
    try:
        Pulse(bytes(folder)).ask()
    except TimeoutError:
        raise PlaylistError(f"the disk of {folder} does not answer") from None
