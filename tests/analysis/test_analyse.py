"""The one entry: a path in, an Analysis out; what is known already is not decoded."""

import os
import shutil
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musrecd.analysis.analyse import analyse, analyse_unless_known, excerpt_plan
from musrecd.analysis.audio import Recording
from musrecd.analysis.card import read_card
from musrecd.analysis.encoder import Encoded, HeardChunks, load_encoder
from musrecd.analysis.excerpts import ExcerptPlan
from musrecd.analysis.frontend import FrontendConfig
from musrecd.errors import NoSoundError, NotAudioError, UnreadableFileError
from musrecd.keys import KEYS
from musrecd.types import Analysis, EncoderInfo, KnownRecording, Label


class FakeEncoder:
    """An encoder that remembers what it was given."""

    info = EncoderInfo("fake-1", 2, (Label("Rock", "genre"),))
    coverage = "windows"

    def __init__(self, chunk_s: float = 2.0) -> None:
        self.frontend = FrontendConfig(sr=8000, chunk_s=chunk_s)
        self.heard: list[np.ndarray] = []

    def spectra(self, ys: Sequence[np.ndarray]) -> HeardChunks:
        self.heard = list(ys)
        return HeardChunks(np.empty((0, 96, 100), np.float32), np.empty(0, np.int64), np.empty((0, 2), np.int64))

    def encode(self, heard: HeardChunks) -> Encoded:
        return Encoded(np.array([1, 0], np.float32), np.array([0.5], np.float32), np.empty((0, 2), np.float32))


@pytest.fixture
def no_decoding(monkeypatch):
    """Fail if anything is decoded."""

    def decode(self: Recording, sr: int) -> None:
        pytest.fail("it was decoded")

    monkeypatch.setattr(Recording, "decode", decode)


def test_an_analysis_says_everything_that_was_heard(rendered_files, tiny_weights, audio_id):
    encoder = load_encoder(tiny_weights)
    for path in rendered_files[::4]:
        analysis = analyse(path, encoder)
        assert analysis.audio_id == audio_id(path)
        assert analysis.encoder_version == "tiny-1"
        assert analysis.embedding.shape == (32,)
        assert np.linalg.norm(analysis.embedding) == pytest.approx(1, abs=1e-5)
        assert analysis.probabilities.shape == (11,)
        assert analysis.duration_s == pytest.approx(6.0, abs=0.1)
        assert analysis.n_damaged_packets == 0
        assert analysis.bpm is None or 40 <= analysis.bpm <= 242
        assert analysis.key in KEYS
        assert 0 < analysis.key_confidence <= 1


@pytest.mark.parametrize(("seconds", "n_chunks"), [(4.0, 1), (25.0, 3), (60.0, 6), (95.0, 6)])
def test_chunks_tell_how_that_part_of_the_recording_sounds(tmp_path, make_audio, tiny_weights, seconds, n_chunks):
    y = make_audio(tmp_path / "track.flac", seconds, 16_000, 1)[0]
    encoder = load_encoder(tiny_weights)
    chunks = analyse(tmp_path / "track.flac", encoder).chunks
    assert chunks.spans_s.shape == (n_chunks, 2)
    assert chunks.spans_s[0, 0] >= 0
    assert chunks.spans_s[-1, 1] <= seconds + 0.01
    np.testing.assert_allclose(np.diff(chunks.spans_s), min(seconds, 10.0), atol=1e-3)
    for (begin, end), direction in zip(np.rint(chunks.spans_s * 16_000).astype(int), chunks.directions, strict=True):
        alone = encoder.encode(encoder.spectra([y[begin:end].astype(np.float32)]))
        assert alone.embedding @ direction > 0.999


def test_silence_has_no_chunks(tmp_path, make_audio, tiny_weights):
    encoder, y = load_encoder(tiny_weights), np.zeros((1, 30 * 16_000))
    make_audio(tmp_path / "silent.flac", sr=16_000, y=y)
    assert analyse(tmp_path / "silent.flac", encoder).chunks is None
    y[:, 10 * 16_000 : 20 * 16_000] = np.random.default_rng(0).uniform(-0.5, 0.5, 10 * 16_000)
    make_audio(tmp_path / "mostly.flac", sr=16_000, y=y)
    assert analyse(tmp_path / "mostly.flac", encoder).chunks.spans_s.tolist() == [[10.0, 20.0]]


def test_paths_may_be_bytes_or_text(rendered_files, tiny_weights):
    encoder = load_encoder(tiny_weights)
    first, second, third = (analyse(f(rendered_files[0]), encoder) for f in (str, os.fsencode, lambda path: path))
    np.testing.assert_array_equal(first.embedding, second.embedding)
    np.testing.assert_array_equal(first.embedding, third.embedding)


def test_a_short_recording_is_given_whole_and_at_the_rate_of_the_encoder(tmp_path, make_audio):
    make_audio(tmp_path / "short.flac", 7.0)
    encoder = FakeEncoder()
    analyse(tmp_path / "short.flac", encoder)
    assert [len(y) for y in encoder.heard] == [7 * 8000]


@pytest.mark.parametrize(
    ("chunk_s", "n_excerpts", "excerpt_s"),
    [(0.8, 6, 10.4), (2.0, 6, 10.0), (2.032, 6, 10.16), (10.0, 6, 10.0), (20.0, 3, 20.0), (29.0, 2, 29.0)],
)
def test_of_a_long_recording_a_minute_is_given_however_long_chunks_are(
    tmp_path, make_audio, chunk_s, n_excerpts, excerpt_s
):
    make_audio(tmp_path / "long.flac", 70.0, 8000, 1)
    encoder = FakeEncoder(chunk_s)
    analysis = analyse(tmp_path / "long.flac", encoder)
    assert [len(y) for y in encoder.heard] == [round(excerpt_s * 8000)] * n_excerpts
    assert analysis.duration_s == pytest.approx(70.0)


def test_chunks_of_ten_seconds_are_heard_as_they_always_were():
    """The shipped encoder's embeddings are in libraries already."""
    assert excerpt_plan(10.0) == ExcerptPlan(excerpt_s=10.0, n_excerpts=6) == ExcerptPlan()


@given(st.floats(0.8, 29.0))
def test_excerpts_are_whole_chunks_of_ten_seconds_or_more_and_make_about_a_minute(chunk_s):
    plan = excerpt_plan(chunk_s)
    n_chunks = plan.excerpt_s / chunk_s
    assert n_chunks == pytest.approx(round(n_chunks))
    assert 10 - 1e-9 <= plan.excerpt_s < max(29.1, 10 + chunk_s)
    assert 48 - 1e-9 <= plan.whole_s <= 72 + 1e-9


def test_full_coverage_hears_all_of_a_song_and_ten_minutes_of_what_is_longer(tmp_path, make_audio):
    plan = excerpt_plan(10.0, "full")
    assert plan.starts_s(599.0) == [0.0]
    assert plan.lasting_s(599.0) == 600.0
    assert len(plan.starts_s(36_000.0)) * plan.lasting_s(36_000.0) == 600.0
    encoder = FakeEncoder(10.0)
    encoder.coverage = "full"
    make_audio(tmp_path / "long.flac", 70.0, 8000, 1)
    analyse(tmp_path / "long.flac", encoder)
    assert [len(y) for y in encoder.heard] == [70 * 8000]


def test_what_was_heard_of_more_is_another_version_of_the_same_encoder(rendered_files, tiny_weights):
    """Versions are never compared, so coverages cannot mix in a library without anybody noticing."""
    windows, full = load_encoder(tiny_weights), load_encoder(tiny_weights, "full")
    assert (windows.info.version, full.info.version) == ("tiny-1", "tiny-1+full")
    assert read_card(tiny_weights, "full").info == full.info
    assert analyse(rendered_files[0], full).encoder_version == "tiny-1+full"
    # Six seconds are heard whole either way.
    assert np.array_equal(analyse(rendered_files[0], full).embedding, analyse(rendered_files[0], windows).embedding)


def test_a_chunk_longer_than_a_minute_is_heard_once():
    assert excerpt_plan(120.0) == ExcerptPlan(excerpt_s=120.0, n_excerpts=1)


def test_the_same_music_in_another_format_sounds_alike(tmp_path, make_audio, rendered_files, hear, tiny_weights):
    encoder = load_encoder(tiny_weights)
    y, _ = hear(rendered_files[0])
    embeddings = []
    for name in ("a.flac", "a.mp3", "a.m4a"):
        make_audio(tmp_path / name, sr=16_000, y=y)
        embeddings.append(analyse(tmp_path / name, encoder).embedding)
    assert min(embeddings[0] @ other for other in embeddings[1:]) > 0.97


def test_a_recording_that_is_known_is_not_decoded(rendered_files, audio_id, no_decoding):
    asked = []

    def is_known(name: str) -> bool:
        asked.append(name)
        return True

    answer = analyse_unless_known(rendered_files[0], FakeEncoder(), is_known)
    assert answer == KnownRecording(audio_id(rendered_files[0]))
    assert asked == [answer.audio_id]


def test_moved_and_retagged_files_are_known_and_not_decoded(tmp_path, rendered_files, audio_id, tagged, no_decoding):
    known = {audio_id(path) for path in rendered_files}
    for path in rendered_files:
        moved = tmp_path / f"moved{path.suffix}"
        shutil.copy(path, moved)
        if path.suffix not in {".wav", ".aiff"}:
            tagged(moved, "another title " * 50)
            assert moved.read_bytes() != path.read_bytes()
        assert isinstance(analyse_unless_known(moved, FakeEncoder(), known.__contains__), KnownRecording), path.name


def test_a_recording_that_is_not_known_is_analysed(rendered_files):
    answer = analyse_unless_known(rendered_files[0], FakeEncoder(), lambda name: False)
    assert isinstance(answer, Analysis)
    assert answer.encoder_version == "fake-1"


def test_damage_is_counted_in_the_analysis(tmp_path, make_audio):
    make_audio(tmp_path / "song.mka", 4.0, 44_100, 1)
    data = bytearray((tmp_path / "song.mka").read_bytes())
    frame = data.index(b"\xff\xf8", len(data) // 2)
    data[frame : frame + 8] = bytes(8)
    (tmp_path / "song.mka").write_bytes(data)
    assert analyse(tmp_path / "song.mka", FakeEncoder()).n_damaged_packets == 1


def test_what_cannot_be_heard_is_an_audio_error_and_not_known(tmp_path, make_audio):
    (tmp_path / "letter.mp3").write_text("My dear friend" * 100)
    make_audio(tmp_path / "sample.wav", y=np.ones((1, 1)))
    expected = {"letter.mp3": NotAudioError, "missing.mp3": UnreadableFileError, "sample.wav": NoSoundError}
    for name, error in expected.items():
        with pytest.raises(error):
            analyse(tmp_path / name, FakeEncoder())
        with pytest.raises(error):
            analyse_unless_known(tmp_path / name, FakeEncoder(), lambda name: False)
