"""Which kind of file is which: mutagen and FFmpeg have to agree before anything is written."""

import io
import os
from collections.abc import Callable
from dataclasses import dataclass

import mutagen

from musrecd.errors import TagError
from musrecd.tagging.files import asf, chunks, flac, mp4, ogg, streams
from musrecd.tagging.files.model import Layout, Source, broken


@dataclass(frozen=True, slots=True)
class Format:
    """How a type of mutagen's lays out its tags, and what FFmpeg calls it."""

    layout: Callable[[Source], Layout]
    containers: tuple[str, ...]


_FORMATS = {
    "MP3": Format(streams.id3_layout, ("mp3",)),
    "TrueAudio": Format(streams.id3_layout, ("tta",)),
    "WavPack": Format(streams.ape_layout, ("wv",)),
    "MonkeysAudio": Format(streams.ape_layout, ("ape",)),
    "Musepack": Format(streams.ape_layout, ("mpc", "mpc8")),
    "TAK": Format(streams.ape_layout, ("tak",)),
    "FLAC": Format(flac.layout, ("flac",)),
    "OggVorbis": Format(ogg.layout, ("ogg",)),
    "OggOpus": Format(ogg.layout, ("ogg",)),
    "OggFLAC": Format(ogg.layout, ("ogg",)),
    "OggSpeex": Format(ogg.layout, ("ogg",)),
    "MP4": Format(mp4.layout, ("mov,mp4,m4a,3gp,3g2,mj2",)),
    "ASF": Format(asf.layout, ("asf",)),
    "WAVE": Format(chunks.layout, ("wav",)),
    "AIFF": Format(chunks.layout, ("aiff",)),
    "DSDIFF": Format(chunks.layout, ("iff",)),
    "DSF": Format(chunks.dsf_layout, ("dsf",)),
}


class NamedFile(io.FileIO):
    """An open file under a name of our choice: mutagen guesses formats by names, too."""

    def __init__(self, fd: int, name: bytes) -> None:
        super().__init__(fd, "rb", closefd=False)
        self.name = os.fsdecode(name)
        self.seek(0)


@dataclass(frozen=True, slots=True)
class Opened:
    """A file whose format and tags are known; `view` is mutagen's."""

    format: Format
    view: mutagen.FileType
    layout: Layout


def open_tags(fd: int, name: bytes) -> Opened:
    """Find out the format of an open file and read its tags. Raises TagError."""
    try:
        view = mutagen.File(NamedFile(fd, name))
        found = None if view is None else _FORMATS.get(type(view).__name__)
        if found is None:
            raise TagError("its format has no tags that can be written", "unknown format")
        size = os.fstat(fd).st_size
        # Raw, because most of what is read is a few bytes here and there.
        layout = found.layout(Source(NamedFile(fd, name), size))
    except TagError:
        raise
    except OSError as error:
        raise TagError(f"cannot be read: {error.strerror or error}", "unreadable", may_pass=True) from error
    except Exception as error:  # over hostile files mutagen raises anything, also MemoryError
        raise broken(str(error).splitlines()[0][:100] if str(error) else type(error).__name__) from error
    return Opened(found, view, layout)
