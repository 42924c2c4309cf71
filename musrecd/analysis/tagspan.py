"""Where the sound lies in a file, between the tags before it (ID3v2) and behind it (APEv2, ID3v1).

FFmpeg reads leading tags in time quadratic in their frames and takes long trailing ones for damaged
sound; neither is music, so the demuxer is shown only what lies between.
References: id3.org/id3v2.4.0-structure, wiki.hydrogenaud.io/index.php?title=APEv2_specification.
"""

import io
import os
import struct
from typing import BinaryIO

_ID3V2_HEADER = 10
_ID3V1_SIZE = 128
_APE_FOOTER = 32
_APE_HAS_HEADER = 1 << 31


class SoundSpan(io.RawIOBase):
    """A read-only view of an open file from behind its leading tags to before its trailing ones."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._end = _sound_end(file, os.fstat(file.fileno()).st_size)
        self._begin = min(_sound_begin(file), self._end)
        self._position = 0

    def readable(self) -> bool:
        """Return True: this is for reading."""
        return True

    def seekable(self) -> bool:
        """Return True: demuxers jump to indexes and back."""
        return True

    def tell(self) -> int:
        """Bytes from the beginning of the view."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move within the view; positions before it are refused with ValueError."""
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._end - self._begin}[whence]
        if origin + offset < 0:
            raise ValueError("seek before the beginning")
        self._position = origin + offset
        return self._position

    def read(self, size: int = -1) -> bytes:
        """Read at most `size` bytes, none behind the end of the view."""
        left = max(0, self._end - self._begin - self._position)
        wanted = left if size < 0 else min(size, left)
        if wanted == 0:
            return b""
        self._file.seek(self._begin + self._position)
        data = self._file.read(wanted)
        self._position += len(data)
        return data


def _at(file: BinaryIO, position: int, size: int) -> bytes:
    if position < 0:
        return b""
    file.seek(position)
    return file.read(size)


def _sound_begin(file: BinaryIO) -> int:
    begin = 0
    while (header := _at(file, begin, _ID3V2_HEADER))[:3] == b"ID3" and len(header) == _ID3V2_HEADER:
        size = 0
        for byte in header[6:]:
            size = size << 7 | byte & 0x7F
        has_footer = bool(header[5] & 0x10)
        begin += _ID3V2_HEADER * (2 if has_footer else 1) + size
    return begin


def _sound_end(file: BinaryIO, end: int) -> int:
    if _at(file, end - _ID3V1_SIZE, 3) == b"TAG":
        end -= _ID3V1_SIZE
    footer = _at(file, end - _APE_FOOTER, _APE_FOOTER)
    if footer[:8] == b"APETAGEX":
        size, _, flags = struct.unpack("<III", footer[12:24])
        size += _APE_FOOTER if flags & _APE_HAS_HEADER else 0
        if size <= end:
            end -= size
    return end
