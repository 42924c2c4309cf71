"""Tagging the written pieces, in each format's own words."""

from dataclasses import dataclass
from pathlib import Path

from mutagen import FileType, id3
from mutagen.aiff import AIFF
from mutagen.flac import FLAC
from mutagen.mp3 import MP3
from mutagen.mp4 import MP4, MP4FreeForm
from mutagen.oggopus import OggOpus
from mutagen.oggvorbis import OggVorbis
from mutagen.wave import WAVE


@dataclass(frozen=True, slots=True)
class PieceTags:
    """What is written into a file. `genre` is empty where the file is to have none; `key` is like `C#m`."""

    artist: str
    title: str
    album: str
    genre: str
    year: int
    track: int
    bpm: int
    key: str


_FRAMES = {
    "TPE1": "artist", "TIT2": "title", "TALB": "album", "TCON": "genre", "TDRC": "year", "TRCK": "track",
    "TBPM": "bpm", "TKEY": "key",
}  # fmt: skip
_COMMENTS = {
    "artist": "artist", "title": "title", "album": "album", "genre": "genre", "date": "year",
    "tracknumber": "track", "bpm": "bpm", "initialkey": "key",
}  # fmt: skip
_ATOMS = {"\xa9ART": "artist", "\xa9nam": "title", "\xa9alb": "album", "\xa9gen": "genre", "\xa9day": "year"}
_COMMENT_FILES = {".flac": FLAC, ".ogg": OggVorbis, ".opus": OggOpus}
_ID3_FILES = {".mp3": MP3, ".wav": WAVE, ".aiff": AIFF}


def write_tags(path: Path, tags: PieceTags) -> None:
    """Write `tags` into the file at `path`, which must be of a format that `encode` writes."""
    suffix = path.suffix.lower()
    if suffix in _ID3_FILES:
        _write_id3(_ID3_FILES[suffix](path), tags)
    elif suffix in _COMMENT_FILES:
        _write_comments(_COMMENT_FILES[suffix](path), tags)
    else:
        _write_atoms(MP4(path), tags)


def _write_id3(file: FileType, tags: PieceTags) -> None:
    if file.tags is None:
        file.add_tags()
    for frame, name in _FRAMES.items():
        if value := str(getattr(tags, name)):
            file[frame] = getattr(id3, frame)(encoding=id3.Encoding.UTF8, text=value)
    file.save()


def _write_comments(file: FileType, tags: PieceTags) -> None:
    for comment, name in _COMMENTS.items():
        if value := str(getattr(tags, name)):
            file[comment] = value
    file.save()


def _write_atoms(file: MP4, tags: PieceTags) -> None:
    for atom, name in _ATOMS.items():
        if value := str(getattr(tags, name)):
            file[atom] = value
    file["trkn"] = [(tags.track, 0)]
    file["tmpo"] = [tags.bpm]
    file["----:com.apple.iTunes:initialkey"] = [MP4FreeForm(tags.key.encode())]
    file.save()
