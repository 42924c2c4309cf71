"""The demuxer is shown the sound and nothing of the tags around it."""

import io
import os
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musrecd.analysis.tagspan import SoundSpan

SOUND = b"\xff\xfb" + bytes(range(256)) * 8


def id3v2(size: int, *, footer: bool = False) -> bytes:
    synchsafe = bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))
    header = b"\x04\0" + (b"\x10" if footer else b"\0") + synchsafe
    return b"ID3" + header + b"t" * size + (b"3DI" + header if footer else b"")


def ape(size: int, *, header: bool = True) -> bytes:
    """Return an APEv2 tag with `size` bytes of items; its size field counts items and footer, not the header."""
    flags = 1 << 31 if header else 0
    block = b"APETAGEX" + struct.pack("<IIII", 2000, size + 32, 1, flags) + bytes(8)
    return (block if header else b"") + b"i" * size + block


ID3V1 = b"TAG" + b"x" * 125


def shown(tmp_path: Path, data: bytes) -> bytes:
    (tmp_path / "file").write_bytes(data)
    with (tmp_path / "file").open("rb") as file:
        return SoundSpan(file).read()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(b"", b"", id="no tags"),
        pytest.param(id3v2(1000), b"", id="ID3v2"),
        pytest.param(id3v2(0), b"", id="empty ID3v2"),
        pytest.param(id3v2(300_000), b"", id="ID3v2 with a picture"),
        pytest.param(id3v2(1000, footer=True), b"", id="ID3v2 with footer"),
        pytest.param(id3v2(1000) + id3v2(77) + id3v2(5), b"", id="three ID3v2 in a row"),
        pytest.param(b"", ID3V1, id="ID3v1"),
        pytest.param(b"", ape(500), id="APEv2"),
        pytest.param(b"", ape(500, header=False), id="APEv2 without header"),
        pytest.param(b"", ape(500) + ID3V1, id="APEv2 and ID3v1"),
        pytest.param(id3v2(1000), ape(70_000) + ID3V1, id="all at once"),
    ],
)
def test_tags_are_not_shown(tmp_path, before, after):
    assert shown(tmp_path, before + SOUND + after) == SOUND


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + SOUND, id="ID3v2 longer than the file"),
        pytest.param(b"ID3", id="three letters"),
        pytest.param(b"TAG" + bytes(125), id="ID3v1 alone"),
        pytest.param(b"TAG", id="TAG alone"),
        pytest.param(ape(10), id="APEv2 alone"),
        pytest.param(id3v2(50), id="ID3v2 alone"),
        pytest.param(id3v2(50) + ID3V1, id="ID3v2 and ID3v1 alone"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_a_file_of_tags_alone_shows_no_byte_of_them(tmp_path, data):
    assert len(shown(tmp_path, data)) <= len(b"TAG")


@pytest.mark.parametrize("size", [10**6, 2**32 - 32])
def test_an_ape_tag_that_claims_more_than_the_file_holds_is_not_believed(tmp_path, size):
    footer = b"APETAGEX" + struct.pack("<IIII", 2000, size, 1, 0) + bytes(8)
    assert shown(tmp_path, SOUND + footer) == SOUND + footer


@given(data=st.binary(max_size=3000), operations=st.lists(st.tuples(st.integers(0, 2), st.integers(-50, 4000))))
def test_reading_and_jumping_is_that_of_a_file_of_the_sound_alone(tmp_path_factory, data, operations):
    path = tmp_path_factory.getbasetemp() / "jumps"
    sound = b"\xff\xfb" + data + b"\0" * 200
    path.write_bytes(id3v2(100) + sound + ape(60) + ID3V1)
    expected = io.BytesIO(sound)
    with path.open("rb") as file:
        span = SoundSpan(file)
        assert span.readable()
        assert span.seekable()
        for whence, offset in operations:
            origin = {os.SEEK_SET: 0, os.SEEK_CUR: expected.tell(), os.SEEK_END: len(sound)}[whence]
            if origin + offset < 0:
                with pytest.raises(ValueError, match="before the beginning"):
                    span.seek(offset, whence)
                continue
            assert span.seek(offset, whence) == expected.seek(origin + offset)
            n = abs(offset) % 700
            assert span.read(n) == expected.read(n)
            assert span.tell() == expected.tell()
        span.seek(0)
        assert span.read() == sound


@given(st.binary(max_size=400))
def test_any_bytes_can_be_looked_at(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "bytes"
    path.write_bytes(data)
    with path.open("rb") as file:
        assert SoundSpan(file).read() in data
