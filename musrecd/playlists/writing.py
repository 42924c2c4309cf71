"""Writing the playlists of the configuration into their folder."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from musrecd.config_playlists import PlaylistConfig, PlaylistsConfig
from musrecd.errors import PlaylistError
from musrecd.library.reader import LibraryReader
from musrecd.playlists.m3u import content, fits_a_line, put
from musrecd.playlists.tracks import tracks_for
from musrecd.types import Track


@dataclass(frozen=True, slots=True)
class Written:
    """What is in a playlist now; the paths of those that are `left_out` fit into no line.

    `is_new` is False if its file said so already.
    """

    path: Path
    tracks: list[Track]
    left_out: list[Track]
    is_new: bool


def write(reader: LibraryReader, playlist: PlaylistConfig, style: PlaylistsConfig) -> Written:
    """Write one playlist, if it is not the same already, or empty. Raises LibraryError or PlaylistError."""
    path = folder_of(style) / playlist.file
    found = tracks_for(reader, playlist)
    tracks = [track for track in found if fits_a_line(track.path, style)]
    left_out = [track for track in found if not fits_a_line(track.path, style)]
    if not tracks:
        raise PlaylistError(
            f"playlist {playlist.name!r}: nothing else in the library is what it asks for, and it stays as it is"
        )
    return Written(path, tracks, left_out, put(path, content(tracks, style)))


def folder_of(style: PlaylistsConfig) -> Path:
    """Return the folder of the playlists. Raises PlaylistError if the configuration does not say it."""
    if style.playlist_dir is None:
        raise PlaylistError("playlists have no folder; set `playlist_dir:` below `playlists:` in the configuration")
    return style.playlist_dir


def chosen(playlists: PlaylistsConfig, names: Sequence[str]) -> list[PlaylistConfig]:
    """Return the playlists of these names, all for none. Raises PlaylistError if there is none of a name."""
    if not playlists.lists:
        raise PlaylistError("there are no playlists; add some below `playlists:` `lists:` in the configuration")
    by_name = {each.name: each for each in playlists.lists}
    if unknown := [name for name in names if name not in by_name]:
        raise PlaylistError(f"no playlist is called {unknown[0]!r}; there are {', '.join(by_name)}")
    return [by_name[name] for name in dict.fromkeys(names)] if names else list(playlists.lists)
