"""The words by which a person recognises a file, read and never written."""

import logging

import mediafile

from musrecd.types import Tags

_log = logging.getLogger(__name__)
_LONGEST = 500


def read_tags(path: bytes) -> Tags:
    """Read artist, title, album, genres and year; empty ones where a file has none or they cannot be read."""
    try:
        file = mediafile.MediaFile(path)
        genres = tuple(filter(None, map(_text, file.genres or ())))
        return Tags(_text(file.artist), _text(file.title), _text(file.album), genres, file.year or None)
    except Exception as error:  # tag libraries raise anything over a damaged file; the sound is what counts
        _log.debug("no tags: %s", error)
        return Tags()


def _text(value: str | None) -> str:
    return (value or "")[:_LONGEST]
