"""An answer as a playlist file, or in the queue of MPD."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from musrecd.display import counted, printable_path
from musrecd.errors import PlaylistError
from musrecd.playlists import mpd
from musrecd.playlists.m3u import content, fits_a_line, put
from musrecd.types import Track

if TYPE_CHECKING:
    from musrecd.config import Config

_SUFFIXES = (".m3u", ".m3u8")


def deliver(tracks: Sequence[Track], config: "Config", *, playlist: Path | None, to_mpd: bool) -> Iterator[str]:
    """Write tracks into a file, hand them to MPD, or both; yields what became of them, line by line.

    Raises PlaylistError if the file cannot be written or is not ours, or MPD cannot be reached.
    """
    if playlist is not None:
        if playlist.suffix.lower() not in _SUFFIXES:
            raise PlaylistError(f"a playlist is called something.m3u8 or .m3u, not {printable_path(bytes(playlist))}")
        fitting = [track for track in tracks if fits_a_line(track.path, config.playlists)]
        how = "" if put(playlist, content(fitting, config.playlists)) else " (unchanged)"
        yield f"{counted(len(fitting), 'track')} in {printable_path(bytes(playlist))}{how}"
        yield from (f"left out: {printable_path(track.path)}" for track in tracks if track not in fitting)
    if to_mpd:
        missing = set(mpd.queue([track.path for track in tracks], config.mpd)) if tracks else set()
        yield f"{counted(len(tracks) - len(missing), 'track')} handed to MPD"
        yield from (f"left out: {printable_path(path)}" for path in missing)
