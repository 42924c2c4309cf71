"""What cannot be heard is refused with the right error, quickly, and without touching anything else."""

import ctypes
import os
import socket
import struct
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import av
import numpy as np
import pytest

from musrecd.analysis.audio import listen
from musrecd.analysis.excerpts import ExcerptPlan
from musrecd.errors import AudioError, NotAudioError, UnreadableFileError

PLAN = ExcerptPlan()
SR = 16_000


def hear(path) -> list[np.ndarray]:
    with listen(path, PLAN) as recording:
        return recording.decode(SR)


def png(width: int = 64, height: int = 64) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress(b"".join(b"\0" + bytes(3 * width) for _ in range(height)))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_a_missing_file_is_unreadable(tmp_path):
    with pytest.raises(UnreadableFileError, match="No such file"):
        hear(tmp_path / "missing.mp3")


def test_a_folder_is_unreadable(tmp_path):
    with pytest.raises(UnreadableFileError):
        hear(tmp_path)


def test_a_name_with_a_zero_byte_is_unreadable():
    with pytest.raises(UnreadableFileError):
        hear(b"/tmp/a\0b.mp3")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_unreadable(tmp_path, make_audio):
    make_audio(tmp_path / "private.flac", 1.0)
    (tmp_path / "private.flac").chmod(0)
    with pytest.raises(UnreadableFileError, match="Permission"):
        hear(tmp_path / "private.flac")


@pytest.mark.timeout(20)
def test_a_fifo_is_refused_at_once_and_never_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp3")
    began = time.monotonic()
    with pytest.raises(UnreadableFileError, match="not a regular file"):
        hear(tmp_path / "pipe.mp3")
    assert time.monotonic() - began < 5


@pytest.mark.timeout(20)
@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/random"])
def test_devices_are_refused(device):
    with pytest.raises(UnreadableFileError, match="not a regular file"):
        hear(device)


def test_sockets_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("sock.mp3")
        with pytest.raises(UnreadableFileError):
            hear("sock.mp3")


def test_a_link_to_nothing_and_a_link_to_itself_are_unreadable(tmp_path):
    (tmp_path / "nowhere.mp3").symlink_to(tmp_path / "gone")
    (tmp_path / "loop.mp3").symlink_to(tmp_path / "loop.mp3")
    for name in ("nowhere.mp3", "loop.mp3"):
        with pytest.raises(UnreadableFileError):
            hear(tmp_path / name)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"x", id="one byte"),
        pytest.param(b"My dear friend,\nthis is a letter.\n" * 200, id="text"),
        pytest.param(b"<!DOCTYPE html><html><body>404</body></html>" * 50, id="html"),
        pytest.param(png(), id="picture"),
        pytest.param(b"PK\x03\x04" + bytes(4000), id="zip"),
        pytest.param(bytes(100_000), id="zeros"),
        pytest.param(np.random.default_rng(1).bytes(200_000), id="noise"),
        pytest.param(b"ID3\x04\0\0\0\0\x0f\x76" + bytes(2000), id="tag alone"),
        pytest.param(b"fLaC", id="four letters of FLAC"),
        pytest.param(b"RIFF\xff\xff\xff\xffWAVE", id="twelve bytes of WAV"),
        pytest.param(b"OggS" + bytes(24), id="one empty page of Ogg"),
    ],
)
@pytest.mark.parametrize("suffix", [".mp3", ".wav"])
def test_what_is_no_audio_is_refused_whatever_it_is_called(tmp_path, content, suffix):
    path = tmp_path / f"letter{suffix}"
    path.write_bytes(content)
    with pytest.raises(AudioError) as caught:
        hear(path)
    assert str(caught.value).strip()
    assert "\n" not in str(caught.value)
    assert not isinstance(caught.value, UnreadableFileError)


def test_an_empty_file_is_said_to_be_empty(tmp_path):
    (tmp_path / "empty.mp3").touch()
    with pytest.raises(NotAudioError, match="empty"):
        hear(tmp_path / "empty.mp3")


def test_a_film_without_sound_is_not_audio(tmp_path):
    with av.open(str(tmp_path / "film.mkv"), "w") as container:
        stream = container.add_stream("mpeg4", 25)
        stream.width = stream.height = 64
        for _ in range(5):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8))))
        container.mux(stream.encode(None))
    with pytest.raises(NotAudioError, match="no audio stream"):
        hear(tmp_path / "film.mkv")


@pytest.mark.parametrize("entry", [b"drms", b"enca"])
def test_encrypted_files_are_refused_instead_of_heard_as_noise(tmp_path, make_audio, entry):
    make_audio(tmp_path / "song.m4a", 1.0)
    data = (tmp_path / "song.m4a").read_bytes()
    assert data.count(b"mp4a\0\0\0\0") == 1
    (tmp_path / "song.m4a").write_bytes(data.replace(b"mp4a\0\0\0\0", entry + b"\0\0\0\0"))
    with pytest.raises(NotAudioError, match="encrypted"):
        hear(tmp_path / "song.m4a")


def test_an_m4a_whose_index_is_cut_off_is_not_audio(tmp_path, make_audio):
    make_audio(tmp_path / "song.m4a", 2.0)
    data = (tmp_path / "song.m4a").read_bytes()
    (tmp_path / "song.m4a").write_bytes(data[: data.index(b"moov") - 4])
    with pytest.raises(NotAudioError):
        hear(tmp_path / "song.m4a")


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "content",
    [
        pytest.param(struct.pack(">I4sQ", 1, b"ftyp", 2**62) + bytes(100), id="atom of 2^62 bytes"),
        pytest.param(b"".join(struct.pack(">I4s", 8 * (2000 - i), b"moov") for i in range(2000)), id="nested atoms"),
        pytest.param(b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + bytes(1000), id="tag of 256 MB"),
        pytest.param(
            b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\1\0\xff\xff\xff\xff\xff\x7f" + bytes(200), id="65535 channels"
        ),
        pytest.param(b"FORM\x7f\xff\xff\xffAIFFCOMM\x7f\xff\xff\xff" + bytes(200), id="chunk of 2 GB"),
    ],
)  # fmt: skip
def test_headers_that_claim_monstrous_sizes_are_refused_quickly(tmp_path, content):
    (tmp_path / "monster.mp3").write_bytes(content)
    began = time.monotonic()
    with pytest.raises(AudioError):
        hear(tmp_path / "monster.mp3")
    assert time.monotonic() - began < 5


def test_refused_and_heard_files_are_closed_again(tmp_path, make_audio):
    """A scan of a hundred thousand files must not run out of descriptors."""
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        pytest.skip("open files cannot be counted here")
    make_audio(tmp_path / "good.flac", 1.0)
    (tmp_path / "letter.mp3").write_bytes(b"words " * 1000)
    os.mkfifo(tmp_path / "pipe.mp3")
    (tmp_path / "empty.mp3").touch()

    def hear_all() -> None:
        for path in [*tmp_path.iterdir(), tmp_path, tmp_path / "missing"]:
            with suppress(AudioError):
                hear(path)

    hear_all()
    before = len(list(folder.iterdir()))
    for _ in range(5):
        hear_all()
    assert len(list(folder.iterdir())) == before


IN_OPEN, IN_ACCESS = 0x20, 0x01


@contextmanager
def openings(path: Path) -> Iterator[list[bytes]]:
    """Gather what the kernel reports of openings and readings of `path` while the block runs."""
    if not sys.platform.startswith("linux"):
        pytest.skip("needs inotify")
    libc = ctypes.CDLL(None, use_errno=True)
    fd = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    assert fd >= 0
    assert libc.inotify_add_watch(fd, os.fsencode(path), IN_OPEN | IN_ACCESS) >= 0
    events: list[bytes] = []
    try:
        yield events
        with suppress(BlockingIOError):
            events.append(os.read(fd, 65536))
    finally:
        os.close(fd)


PLAYLISTS = {
    "hls": "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:10\n#EXTINF:9.0,\n{url}\n#EXT-X-ENDLIST\n",
    "hls master": "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=128000\n{url}\n",
    "ffconcat": "ffconcat version 1.0\nfile '{name}'\n",
    "ffconcat absolute": "ffconcat version 1.0\nfile '{url}'\n",
    "m3u": "#EXTM3U\n#EXTINF:9,secret\n{name}\n",
    "pls": "[playlist]\nFile1={url}\nNumberOfEntries=1\n",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 9 RTP/AVP 0\n",
    "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><AdaptationSet '
    'mimeType="audio/mp4"><Representation id="1" bandwidth="1"><BaseURL>{url}</BaseURL></Representation>'
    "</AdaptationSet></Period></MPD>",
    "imf": '<?xml version="1.0"?><CompositionPlaylist xmlns="http://www.smpte-ra.org/schemas/2067-3/2016">{url}'
    "</CompositionPlaylist>",
}  # fmt: skip


@pytest.mark.parametrize("kind", PLAYLISTS)
@pytest.mark.parametrize("suffix", [".mp3", ".m3u8"])
def test_a_playlist_called_music_opens_no_file_that_it_names(tmp_path, make_audio, kind, suffix):
    secret = tmp_path / "secret.wav"
    make_audio(secret, 1.0)
    path = tmp_path / f"song{suffix}"
    path.write_text(PLAYLISTS[kind].format(url=f"file://{secret}", name=secret.name), encoding="utf-8")
    with openings(secret) as events, pytest.raises(NotAudioError):
        hear(path)
    assert events == []


def test_the_check_above_would_notice_an_opened_file(tmp_path, make_audio):
    """FFmpeg left to itself does open what a concat text names."""
    secret = tmp_path / "secret.wav"
    make_audio(secret, 1.0)
    path = tmp_path / "song.mp3"
    path.write_text(PLAYLISTS["ffconcat"].format(url="", name=secret.name), encoding="utf-8")
    with openings(secret) as events, av.open(str(path)) as container:
        assert container.streams.audio
    assert events


def test_reading_never_changes_a_file(rendered_files):
    for path in rendered_files[:4]:
        before = path.stat()
        hear(path)
        after = path.stat()
        assert (after.st_mtime_ns, after.st_ctime_ns, after.st_size) == (
            before.st_mtime_ns,
            before.st_ctime_ns,
            before.st_size,
        )
