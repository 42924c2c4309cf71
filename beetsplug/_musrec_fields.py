"""What beets' database keeps of genres, tempo, key and all that was heard.

No plugin of its own: beets loads what it is told to load, and that is `musrec`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from beets.dbcore.pathutils import normalize_path_for_db
from beets.dbcore.query import InQuery

if TYPE_CHECKING:
    from collections.abc import Iterable

    from beets.library import Item, Library

    from musrecd.library.reader import LibraryReader, Pulse
    from musrecd.tagging.heard import Heard
    from musrecd.types import EncoderInfo, FileState

_NS = 1_000_000_000
_GROUPS = {"musrec_moods": "mood", "musrec_voice": "voice", "musrec_instruments": "instrument"}


class Database:
    """The genres that beets' database has."""

    def __init__(self, lib: Library) -> None:
        self._lib = lib

    def genres(self, path: bytes) -> tuple[str, ...] | None:
        """Return the genres that the database has for a file, None if it has no such file."""
        item = self._item(path)
        return None if item is None else genres_in(item)

    def put(
        self,
        path: bytes,
        genres: tuple[str, ...],
        was: FileState | None,
        *,
        heard: Heard | None = None,
        no_longer: Heard | None = None,
    ) -> None:
        """Put genres into the database, and tempo and key where it has none, or none any longer.

        A file that it knew as it was before our write is known as it is now.
        """
        if (item := self._item(path)) is None:
            return
        item.genres = list(genres)
        there = heard_in(item)
        if heard:
            put_heard(item, heard.where_none(there.bpm is not None, there.key is not None))
        if no_longer and no_longer.bpm is not None and no_longer.bpm == there.bpm:
            item.bpm = 0
        if no_longer and no_longer.key is not None and no_longer.key == there.key:
            item.initial_key = None
        if was is not None and (was.mtime_ns // _NS <= item.mtime or self._agrees(item)):
            item.mtime = item.current_mtime()
        item.store()

    def _agrees(self, item: Item) -> bool:
        """Whether the file says what the database does: if not, that is still to be found by `beet update`."""
        fresh = self._item(item.path)
        if fresh is None:
            return False
        fresh.read()
        # As the file grew it seems to have another bit rate.
        item.bitrate = fresh.bitrate
        return all(fresh.get(name) == item.get(name) for name in item._media_fields)

    def _item(self, path: bytes) -> Item | None:
        return self._lib.items(InQuery("path", [normalize_path_for_db(path)])).get()


def genres_in(item: Item) -> tuple[str, ...]:
    """Return the genres in the database; an empty one is none."""
    return tuple(genre for genre in item.genres if genre.strip())


def heard_in(item: Item) -> Heard:
    """Return tempo and key in the database, where a tempo of 0 is none."""
    from musrecd.tagging.heard import Heard

    return Heard(item.bpm or None, item.initial_key or None)


def put_heard(item: Item, heard: Heard) -> None:
    """Set tempo and key of an item, as far as they were heard."""
    if heard.bpm is not None:
        item.bpm = heard.bpm
    if heard.key is not None:
        item.initial_key = heard.key


def set_fields(lib: Library, reader: LibraryReader, info: EncoderInfo, items: Iterable[Item]) -> None:
    """Store moods, voice, instruments, tempo and key as flexible fields of analysed items."""
    from musrecd.tagging.predict import certain

    items = list(items)
    tracks = reader.tracks_at([item.path for item in items], info.version)
    ids = [track.recording_id for track in tracks.values()]
    heard, pulses = reader.probabilities(ids, info.version), reader.pulses(ids, info.version)
    with lib.transaction():
        for item in items:
            track = tracks.get(item.path)
            if track is None or track.recording_id not in heard:
                continue
            for name, group in _GROUPS.items():
                words = [each.name for each in certain(heard[track.recording_id], info.labels, group)]
                value = "; ".join(words) if group == "voice" else words
                if item.get(name) != value and (words or name in item):
                    item[name] = value
            _set_pulse(item, pulses[track.recording_id])
            if item._dirty:  # beets tells everybody of what is stored, changed or not
                item.store()


def _set_pulse(item: Item, pulse: Pulse) -> None:
    """Set what was heard of tempo and key, however sure; a field that has no value is not there."""
    from musrecd.keys import camelot

    fields = {
        "musrec_bpm": None if pulse.bpm is None else round(pulse.bpm, 2),
        "musrec_key": pulse.key,
        "musrec_camelot": None if pulse.key is None else camelot(pulse.key),
    }
    for name, value in fields.items():
        if value is not None and item.get(name) != value:
            item[name] = value
        elif value is None and name in item:
            del item[name]
