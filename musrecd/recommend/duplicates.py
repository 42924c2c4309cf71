"""Which tracks are one song: live, remastered, as a radio edit, or with a guest named in the title."""

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from musrecd.recommend.asking import Entry, Seed
from musrecd.types import FloatArray

SAME_SOUND = 0.98
"""From this cosine on tracks of one title are one song, whoever is said to play it."""

# A remix is another piece to whoever mixes, and so is a reprise.
_VERSION = (
    r"live|acoustic|unplugged|demo|mono|stereo|(?:digital(?:ly)?\s)?re-?master(?:ed)?|re-?record(?:ed|ing)|edit|version|"
    r"take\s\d+|bonus|explicit|instrumental|karaoke|original|extended|deluxe"
)
_GUEST = r"(?:feat\.?|ft\.?|featuring)\s"
_BRACKETED = re.compile(rf"[(\[](?:[^()\[\]]*\b(?:{_VERSION})\b[^()\[\]]*|{_GUEST}[^()\[\]]*)[)\]]", re.IGNORECASE)
_AFTER_DASH = re.compile(rf"\s[-\u2013\u2014]\s[^-\u2013\u2014]*\b(?:{_VERSION})\b.*$", re.IGNORECASE)
_AT_END = re.compile(rf"\s(?:(?:\d{{4}}\s)?re-?master(?:ed)?(?:\s\d{{4}})?|{_GUEST}.*)$", re.IGNORECASE)


class Song(NamedTuple):
    """What tracks of one song have in common; `title` is empty if the track has none."""

    artist: str
    title: str
    embedding: FloatArray

    @classmethod
    def of(cls, track: Entry | Seed, embedding: FloatArray) -> "Song":
        """Read the song from how a track is named."""
        return cls(artist_key(track.artist), title_key(track.title), embedding)

    def is_same(self, other: "Song") -> bool:
        """Say whether both are one song. Tracks without a title never are."""
        if not self.title or self.title != other.title:
            return False
        same_artist = bool(self.artist) and self.artist == other.artist
        return same_artist or float(self.embedding @ other.embedding) >= SAME_SOUND


@lru_cache(maxsize=4096)
def title_key(title: str) -> str:
    """Return what the titles of all versions of a song have in common; empty for an empty title."""
    return _folded(_AT_END.sub("", _AFTER_DASH.sub("", _BRACKETED.sub("", title)))) or _folded(title)


@lru_cache(maxsize=4096)
def artist_key(artist: str) -> str:
    """Return what the spellings of an artist have in common, guests aside; empty for an empty name."""
    return _folded(_AT_END.sub("", _BRACKETED.sub("", artist))) or _folded(artist)


def _folded(name: str) -> str:
    """Return letters and digits alone, without case and accents; the name itself if it has none."""
    plain = unicodedata.normalize("NFKD", name).casefold()
    return "".join(c for c in plain if c.isalnum()) or plain.strip()
