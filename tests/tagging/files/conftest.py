"""Music files of every format, with everything in them that a writer of genres could lose."""

import base64
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import mutagen
import numpy as np
import pytest
from mutagen.apev2 import APEBinaryValue, APEv2
from mutagen.flac import FLAC, Picture
from mutagen.id3 import APIC, COMM, GEOB, ID3, PRIV, TALB, TCON, TIT2, TXXX, TYER
from mutagen.mp4 import MP4Cover, MP4FreeForm

_PICTURE = bytes(range(256)) * 20
_SECONDS = 0.6
OLD = "Old Genre"


def _frames() -> list:
    return [
        TIT2(encoding=1, text=["Tïtle – 題名"]),
        TALB(encoding=0, text=["Album"]),
        TYER(encoding=0, text=["1999"]),
        COMM(encoding=0, lang="deu", desc="x", text=["Kommentar"]),
        TXXX(encoding=0, desc="KEEP", text=["a", "b"]),
        PRIV(owner="somebody", data=bytes(range(256))),
        GEOB(encoding=0, mime="a/b", filename="f", desc="d", data=b"\xff\xe0\xff\0" * 9),
        APIC(encoding=0, mime="image/png", type=3, desc="front", data=_PICTURE),
        APIC(encoding=0, mime="image/png", type=4, desc="back", data=_PICTURE[::-1]),
        TCON(encoding=0, text=[OLD]),
    ]


def _id3(path: Path, version: int, v1: int = 0) -> None:
    tag = ID3()
    for frame in _frames():
        tag.add(frame)
    tag.save(path, v2_version=version, v1=v1, v23_sep=None)


def _id3_in_chunk(path: Path) -> None:
    file = mutagen.File(path)
    file.add_tags()
    for frame in _frames():
        file.tags.add(frame)
    file.save()


def _picture() -> Picture:
    picture = Picture()
    picture.data, picture.type, picture.mime, picture.desc = _PICTURE, 3, "image/png", "front"
    return picture


def _vorbis(path: Path) -> None:
    file = mutagen.File(path)
    file["title"], file["artist"], file["Genre"], file["GENRE_ALT"] = "Tïtle", ["A", "B"], OLD, "keep me"
    if isinstance(file, FLAC):
        file.add_picture(_picture())
    else:
        file["metadata_block_picture"] = [base64.b64encode(_picture().write()).decode()]
    file.save()


def _mp4(path: Path) -> None:
    file = mutagen.File(path)
    if file.tags is None:
        file.add_tags()
    file["\xa9nam"], file["\xa9ART"], file["\xa9gen"], file["trkn"], file["tmpo"] = (
        "Tïtle",
        ["A", "B"],
        OLD,
        [(3, 12)],
        [99],
    )
    file["----:com.apple.iTunes:X"] = [MP4FreeForm(b"uuid"), MP4FreeForm(b"\0\1", dataformat=0)]
    file["covr"] = [MP4Cover(_PICTURE, MP4Cover.FORMAT_PNG), MP4Cover(_PICTURE[::-1], MP4Cover.FORMAT_JPEG)]
    file.save()


def _ape(path: Path) -> None:
    tag = APEv2()
    tag["Title"], tag["Artist"], tag["genre"] = "Tïtle", ["A", "B"], OLD
    tag["Cover Art (Front)"] = APEBinaryValue(b"c.png\0" + _PICTURE)
    tag.save(path)


def _asf(path: Path) -> None:
    file = mutagen.File(path)
    file["Title"], file["Author"], file["WM/Genre"], file["WM/AlbumTitle"] = ["Tïtle"], ["A", "B"], [OLD], ["Album"]
    file["WM/Picture"] = [mutagen.asf.ASFByteArrayAttribute(_PICTURE)]
    file.save()


def id3v1(genre: int, title: bytes = b"other title") -> bytes:
    """Return an ID3v1 tag."""
    return (
        b"TAG"
        + title.ljust(30, b"\0")
        + b"artist".ljust(30, b"\0")
        + b"album".ljust(30, b"\0")
        + b"1999"
        + bytes(30)
        + bytes([genre])
    )


def _dsf(path: Path) -> None:
    """Noise as DSD, which no encoder of FFmpeg makes."""
    block = 4096
    sound = np.random.default_rng(1).integers(0, 256, 2 * block * 10, np.uint8).tobytes()
    fmt = b"fmt " + struct.pack("<QIIIIIIQII", 52, 1, 0, 2, 2, 2_822_400, 1, block * 10 * 8, block, 0)
    data = b"data" + struct.pack("<Q", 12 + len(sound)) + sound
    path.write_bytes(b"DSD " + struct.pack("<QQQ", 28, 28 + len(fmt) + len(data), 0) + fmt + data)
    _id3_in_chunk(path)


# Name of a file → codec (None: the usual one) and what tags it; names say the format by their suffix.
_FILES: dict[str, tuple[str | None, Callable[[Path], None]]] = {
    "v23.mp3": (None, lambda path: _id3(path, 3)),
    "v24.mp3": (None, lambda path: _id3(path, 4)),
    "v24+v1.mp3": (None, lambda path: _id3(path, 4, v1=2)),
    "v23+ape.mp3": (None, lambda path: (_ape(path), _id3(path, 3))),
    "bare.mp3": (None, mutagen.id3.delete),
    "comment.flac": (None, _vorbis),
    "bare.flac": (None, lambda path: None),
    "vorbis.ogg": (None, _vorbis),
    "flac.ogg": ("flac", _vorbis),
    "opus.opus": (None, _vorbis),
    "aac.m4a": (None, _mp4),
    "alac.m4a": ("alac", _mp4),
    "bare.m4a": (None, lambda path: None),
    "wma.wma": (None, _asf),
    "bare.wma": (None, lambda path: None),
    "pcm.wav": (None, _id3_in_chunk),
    "bare.wav": (None, lambda path: None),
    "pcm.aiff": (None, _id3_in_chunk),
    "bare.aiff": (None, lambda path: None),
    "ape.wv": (None, _ape),
    "bare.wv": (None, lambda path: None),
    "id3.tta": (None, lambda path: _id3(path, 4)),
    "dsd.dsf": (None, _dsf),
}
# What FFmpeg cannot make lies beside the project.
_SHARED = {"full.ape": "beets/full.ape", "full.mpc": "beets/full.mpc", "speex.spx": "tinytag/no_bitrate.spx"}
NAMES = [*_FILES, *_SHARED]


@pytest.fixture(scope="session")
def originals(tmp_path_factory, make_audio) -> Path:
    """A folder with one file of each name that can be made. Do not change it."""
    folder = tmp_path_factory.mktemp("tagged")
    for name, (codec, tag) in _FILES.items():
        path = folder / name
        if name != "dsd.dsf":
            make_audio(path, _SECONDS, 48_000, codec=codec)
        tag(path)
    return folder


@pytest.fixture
def music(request, tmp_path, originals) -> Callable[[str], Path]:
    """Return a function that copies the file of a name into a folder of its own, older than a minute."""

    def take(name: str) -> Path:
        source = originals / name
        if name in _SHARED:
            source = request.getfixturevalue("shared") / "hostile" / _SHARED[name]
        path = tmp_path / name
        shutil.copyfile(source, path)
        return path

    return take
