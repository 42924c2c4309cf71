"""The words by which a person recognises a file, read and never written."""

import logging

import mediafile

from musrecd.types import Tags

_log = logging.getLogger(__name__)
_LONGEST = 500


def read_tags(path: bytes) -> Tags:
    """Read artist, title and album; empty ones where a file has none or they cannot be read."""
    try:
        file = mediafile.MediaFile(path)
        return Tags(artist=_text(file.artist), title=_text(file.title), album=_text(file.album))
    except Exception as error:  # tag libraries raise anything over a damaged file; the sound is what counts
        _log.debug("no tags: %s", error)
        return Tags()


def _text(value: str | None) -> str:
    return (value or "")[:_LONGEST]
