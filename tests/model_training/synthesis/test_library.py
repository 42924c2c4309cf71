"""The written library: every format decodes, has its length and its tags, and is written once."""

import av
import numpy as np
import pytest
from click.testing import CliRunner
from mutagen import File

from model_training.synthesis import STYLES, render_piece, write_audio, write_library
from model_training.synthesis.__main__ import main
from model_training.synthesis.encode import ENCODINGS
from model_training.synthesis.names import album_of
from musrecd.errors import MusrecError

SECONDS = 4.0
N_PIECES = 14


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("library")


@pytest.fixture(scope="module")
def written(folder):
    return write_library(folder, n_pieces=N_PIECES, seconds=SECONDS)


def decoded(path):
    """Return the samples (channels, n) of a file and its sample rate."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        resampler = av.AudioResampler("fltp", stream.layout, stream.rate)
        frames = [r.to_ndarray() for frame in container.decode(stream) for r in resampler.resample(frame)]
        return np.concatenate(frames, axis=1), stream.rate


def words(path):
    """Return the tags of a file under one set of names, whatever its format."""
    tags = File(path).tags
    names = {
        ".m4a": (
            "\xa9ART",
            "\xa9nam",
            "\xa9alb",
            "\xa9gen",
            "\xa9day",
            "trkn",
            "tmpo",
            "----:com.apple.iTunes:initialkey",
        ),
        ".id3": ("TPE1", "TIT2", "TALB", "TCON", "TDRC", "TRCK", "TBPM", "TKEY"),
        ".vorbis": ("artist", "title", "album", "genre", "date", "tracknumber", "bpm", "initialkey"),
    }
    kind = ".m4a" if path.suffix == ".m4a" else ".id3" if path.suffix in (".mp3", ".wav", ".aiff") else ".vorbis"
    ours = ("artist", "title", "album", "genre", "date", "track", "bpm", "key")
    return {word: plain(tags[name]) for word, name in zip(ours, names[kind], strict=True) if name in tags}


def plain(value):
    first = value[0] if isinstance(value, list) else value
    if isinstance(first, tuple):
        first = first[0]
    return first.decode() if isinstance(first, bytes) else str(first)


def test_every_format_decodes_with_its_length_and_level(written):
    assert {piece.path.suffix for piece in written} == set(ENCODINGS)
    for piece in written:
        y, sr = decoded(piece.path)
        assert y.shape[1] / sr == pytest.approx(SECONDS, abs=0.06), piece.path
        assert 0.02 < np.sqrt(np.mean(y**2)) < 0.4, piece.path
        assert np.abs(y).max() < 1.0, piece.path


def test_rates_and_channels_take_turns(written):
    shapes = {(decoded(piece.path)[0].shape[0], decoded(piece.path)[1]) for piece in written}
    assert {channels for channels, _ in shapes} == {1, 2}
    assert {sr for _, sr in shapes} == {44_100, 48_000}


def test_every_format_carries_its_tags(written, folder):
    for number, piece in enumerate(written):
        tags = words(piece.path)
        style = STYLES[piece.piece.style]
        assert tags["artist"] in style.artists
        assert tags["title"] == piece.piece.title
        assert tags.get("genre") == (None if number % 8 == 5 else style.genre)
        assert (float(tags["bpm"]), tags["key"]) == (piece.piece.tempo_bpm, piece.piece.key)
        assert 1990 < int(tags["date"]) < 2030
        artist, album, name = piece.path.relative_to(folder).parts
        assert (artist, album) == (tags["artist"], tags["album"])
        assert name == f"{int(tags['track']):02d} {tags['title']}{piece.path.suffix}"


def test_a_second_run_writes_nothing_and_mends_what_is_missing(written, folder):
    before = {piece.path: piece.path.stat().st_mtime_ns for piece in written}
    lost = written[3].path
    contents = lost.read_bytes()
    lost.unlink()
    seen = []
    again = write_library(
        folder, n_pieces=N_PIECES, seconds=SECONDS, on_progress=lambda done, total, piece: seen.append((done, total))
    )
    assert [piece.path for piece in again if piece.is_new] == [lost]
    assert lost.read_bytes() == contents
    assert all(path.stat().st_mtime_ns == mtime for path, mtime in before.items() if path != lost)
    assert seen == [(n + 1, N_PIECES) for n in range(N_PIECES)]
    assert sorted(before) == sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".aiff"])
@pytest.mark.parametrize("channels", [1, 2])
def test_lossless_formats_give_back_the_samples(tmp_path, suffix, channels):
    y = render_piece("reggae", 1, 2.0, 44_100, channels=channels)
    write_audio(tmp_path / f"a{suffix}", y, 44_100)
    back, sr = decoded(tmp_path / f"a{suffix}")
    assert sr == 44_100
    assert np.abs(back - np.atleast_2d(y)).max() < 2 / 32_768


@pytest.mark.parametrize("suffix", [".mp3", ".ogg", ".opus", ".m4a"])
@pytest.mark.parametrize("channels", [1, 2])
def test_lossy_formats_keep_level_and_place(tmp_path, suffix, channels):
    y = np.atleast_2d(render_piece("house", 1, 3.0, 48_000, channels=channels))
    write_audio(tmp_path / f"a{suffix}", y[0] if channels == 1 else y, 48_000)
    back, _ = decoded(tmp_path / f"a{suffix}")
    n = min(y.shape[1], back.shape[1])
    error = np.mean((back[:, :n] - y[:, :n]) ** 2) / np.mean(y**2)
    assert 10 * np.log10(error) < -12


def test_an_unknown_suffix_is_refused(tmp_path):
    with pytest.raises(MusrecError, match=r"cannot write a\.wma"):
        write_audio(tmp_path / "a.wma", np.zeros(100, dtype=np.float32), 44_100)


def test_albums_of_an_artist_never_share_a_name():
    assert len({album_of(5, number)[0] for number in range(40)}) == 40


def test_the_command_ends_with_one_line_of_figures(tmp_path):
    arguments = [str(tmp_path), "--pieces", "3", "--seconds", "1"]
    first, second = (CliRunner().invoke(main, arguments) for _ in range(2))
    assert first.exit_code == 0
    assert first.stdout.startswith("3 files written: flac, mp3, wav; ")
    assert second.stdout.startswith("0 files written (3 kept): flac, mp3, wav; ")
