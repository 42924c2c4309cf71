"""Which playlists are wanted, how their files are written, and where MPD is."""

import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

import confuse

from musrecd.config_values import Alternatives, Hours, Line, Maybe, Number, Switch, Word, Words, as_path, table_values
from musrecd.errors import ConfigError

ORDERS = ("score", "flow")
PRESETS = ("listen", "mix", "produce")
KEY_RULES = ("compatible", "same", "energy")
_SUFFIXES = (".m3u", ".m3u8")
_LONGEST_FILE_NAME = 255  # bytes, on every file system in use
# What beets does to names of files: separators and what Windows forbids, leading and trailing dots, control characters.
_REPLACED = re.compile(r'[\\/<>:"?*|\x00-\x1f\x7f]|^\.|\.$')


class PlaylistConfig(NamedTuple):
    """One playlist: tracks like its seeds, which are words, or names of files and lists that begin with `/` or `~`.

    `file` is the name of its file. Of `labels` and `genres` one alternative has to hold, and of the names within one
    all of them. `refresh_hours` is None if only a person lets it be written.
    """

    name: str
    file: str
    seeds: tuple[str, ...]
    number: int = 50
    preset: Literal["listen", "mix", "produce"] | None = None
    tempo: float | None = None
    key: Literal["compatible", "same", "energy"] | None = None
    genres: tuple[tuple[str, ...], ...] | Literal["any", "same"] = ()
    labels: tuple[tuple[str, ...], ...] = ()
    order: Literal["score", "flow"] = "score"
    refresh_hours: float | None = None


class PlaylistsConfig(NamedTuple):
    """The playlists, and how their files are written; all keys mean what they mean in beets' smartplaylist.

    `playlist_dir` is the folder of the files; paths in them are relative to `relative_to`, absolute if that is None.
    """

    playlist_dir: Path | None = None
    relative_to: Path | None = None
    prefix: str = ""
    forward_slash: bool = False
    urlencode: bool = False
    lists: tuple[PlaylistConfig, ...] = ()


@dataclass(frozen=True, slots=True)
class MpdConfig:
    """Where MPD listens, and which folder it plays from. `host` may be the path of a socket."""

    host: str = "localhost"
    port: int = 6600
    password: str = field(default="", repr=False)
    music_directory: Path | None = None


def read_playlists(view: confuse.ConfigView, name: str) -> PlaylistsConfig:
    """Check the table `playlists:`. Raises ConfigError, or confuse.ConfigError for a bad value."""
    # As in beets' smartplaylist, it may hold a password.
    view["prefix"].redact = True
    values = table_values(view, _template(), name)
    lists = tuple(_read_list(each, f"{name}.lists#{at}") for at, each in enumerate(view["lists"].sequence()))
    _check_files(lists, name)
    folders = {key: as_path(values[key]) if values[key] else None for key in ("playlist_dir", "relative_to")}
    return PlaylistsConfig(**values | folders | {"lists": lists})


def read_mpd(view: confuse.ConfigView, name: str) -> MpdConfig:
    """Check the table `mpd:`. Raises ConfigError, or confuse.ConfigError for a bad value."""
    view["password"].redact = True
    values = table_values(view, _mpd_template(), name)
    folder = values["music_directory"]
    return MpdConfig(**values | {"music_directory": as_path(folder) if folder else None})


def _template() -> dict[str, confuse.Template[Any]]:
    """Keys of `playlists:` with their defaults."""
    return {
        "playlist_dir": confuse.Optional(confuse.Filename(in_source_dir=True)),
        "relative_to": confuse.Optional(confuse.Filename(in_source_dir=True)),
        "prefix": Line(""),
        "forward_slash": Switch(False),
        "urlencode": Switch(False),
        "lists": confuse.Sequence(dict),
    }


def _list_template() -> dict[str, confuse.Template[Any]]:
    """Keys of one playlist with their defaults."""
    return {
        "name": Line(),
        "seeds": Words(),
        "number": Number(50, 1, 100000),
        "preset": Maybe(Word(*PRESETS)),
        "tempo": Maybe(Number(0.06, 0.0, 0.5)),
        "key": Maybe(Word(*KEY_RULES)),
        "genres": Alternatives("any", "same"),
        "labels": Alternatives(),
        "order": Word(*ORDERS),
        "refresh": Maybe(Hours()),
    }


def _mpd_template() -> dict[str, confuse.Template[Any]]:
    """Keys of `mpd:` with their defaults."""
    return {
        "host": Line("localhost"),
        "port": Number(6600, 1, 65535),
        "password": Line(""),
        "music_directory": confuse.Optional(confuse.Filename(in_source_dir=True)),
    }


def _read_list(view: confuse.ConfigView, name: str) -> PlaylistConfig:
    values = table_values(view, _list_template(), name)
    return PlaylistConfig(refresh_hours=values.pop("refresh"), file=file_name(values["name"]), **values)


def _check_files(lists: tuple[PlaylistConfig, ...], name: str) -> None:
    """Raise ConfigError if two lists would be written into one file, also where case does not count."""
    seen: dict[str, str] = {}
    for each in lists:
        same = seen.setdefault(unicodedata.normalize("NFC", each.file).casefold(), each.name)
        if same is not each.name:
            raise ConfigError(f"{name}.lists: {each.name!r} and {same!r} would be the same file; rename one of them")


def file_name(name: str) -> str:
    """Name the file of a playlist: as beets would, within one folder, with `.m3u8` behind it unless it says `.m3u`."""
    stem, suffix = next(((name[: -len(s)], s) for s in _SUFFIXES if name.lower().endswith(s)), (name, _SUFFIXES[-1]))
    safe = _REPLACED.sub("_", stem.strip()) or "_"
    encoded = safe.encode("utf-8", "replace")[: _LONGEST_FILE_NAME - len(suffix)]
    return encoded.decode("utf-8", "ignore") + suffix
