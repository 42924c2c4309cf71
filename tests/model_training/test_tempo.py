"""Music of known tempo, the head trained on it, and how it is measured."""

from dataclasses import replace
from pathlib import Path

import librosa
import numpy as np
import pytest

from model_training.synthesis.kept import Shelf
from model_training.tempo.grooves import sketch_groove
from model_training.tempo.kinds import GROOVES, Groove
from model_training.tempo.measure import Found, agrees, tables
from model_training.tempo.pieces import TempoPiece, composed, midi_files
from model_training.tempo.train import TempoExample, curves, joined, save_head, seen, target, train_head, varied
from musrecd.analysis.frontend import FrontendConfig, chunks, log_mel
from musrecd.analysis.rhythm import load_tempo_head
from musrecd.analysis.tempogram import TEMPI_BPM, onset_strength

CONFIG = FrontendConfig()
FRAME_RATE = CONFIG.sr / CONFIG.hop_length
FILTERS = librosa.filters.mel(sr=CONFIG.sr, n_fft=CONFIG.n_fft, n_mels=CONFIG.n_mels)


@pytest.fixture(scope="module")
def pieces() -> list[TempoPiece]:
    return list(composed(Shelf(), 1, 6.0, CONFIG.sr, is_test=False))


@pytest.fixture(scope="module")
def examples(pieces: list[TempoPiece]) -> list[TempoExample]:
    heard = []
    for piece in pieces:
        onsets = tuple(onset_strength(log_mel(y, CONFIG, FILTERS), FRAME_RATE) for y in chunks(piece.y, CONFIG))
        heard.append(TempoExample(onsets, np.array([1.0, 0.0], np.float32), piece.bpm))
    return heard


def test_every_fifth_piece_is_kept_for_testing_and_tempi_differ() -> None:
    trained = {p.name: p.bpm for p in composed(Shelf(), 5, 0.3, CONFIG.sr, is_test=False)}
    tested = {p.name: p.bpm for p in composed(Shelf(), 5, 0.3, CONFIG.sr, is_test=True)}
    assert len(trained) == 4 * len(tested) > 0
    assert not trained.keys() & tested.keys()
    assert len(set(trained.values())) > len(trained) / 2


def test_retimed_music_is_evidence_for_another_tempo(examples: list[TempoExample]) -> None:
    plain, faster = seen(examples[0], FRAME_RATE), seen(examples[0], FRAME_RATE * 1.01**5)
    # Five steps of the grid further on, the same is seen, but for what depends on the tempo itself.
    assert np.corrcoef(plain[:-5].ravel(), faster[5:].ravel())[0, 1] > 0.997
    assert np.corrcoef(plain.ravel(), faster.ravel())[0, 1] < 0.99


def test_varied_music_is_a_part_of_the_same_and_never_nothing(examples: list[TempoExample]) -> None:
    rng = np.random.default_rng(0)
    whole = replace(examples[0], onsets=examples[0].onsets * 3)
    counts = set()
    for _ in range(30):
        part = varied(whole, rng)
        counts.add(len(part.onsets))
        assert part.bpm == whole.bpm
        assert np.isfinite(seen(part, FRAME_RATE)).all()
        assert _likeness(part.onsets[0][0], whole.onsets[0][0]) > 0.5
    assert counts == {1, 2, 3}


def _likeness(part: np.ndarray, whole: np.ndarray) -> float:
    """Return the best correlation of a part with any place of the whole."""
    places = np.lib.stride_tricks.sliding_window_view(whole, len(part))
    return max(float(np.corrcoef(part, place)[0, 1]) for place in places)


@pytest.mark.parametrize("groove", GROOVES.values(), ids=list(GROOVES))
def test_patterns_fill_bars_of_whole_beats(groove: Groove) -> None:
    assert groove.bar % groove.steps == 0
    for pattern in (*groove.bass, *groove.chords, *(p for patterns in groove.drums.values() for p in patterns)):
        assert groove.bar % len(pattern) == 0, pattern
        assert set(pattern) <= set("xX.")


def test_grooves_at_unusual_tempi_have_drums_and_a_beat_that_can_be_told() -> None:
    sketches = [sketch_groove(seed) for seed in range(400)]
    unusual = [s for s in sketches if not s.groove.bpm[0] <= s.bpm <= s.groove.bpm[1]]
    assert len(unusual) > 50
    assert all(s.groove.drummed == 1 and s.groove.at_any_tempo for s in unusual)
    assert {s.name for s in sketches} == set(GROOVES)
    assert sketch_groove(7) == sketch_groove(7)


def test_training_learns_what_it_is_shown(examples: list[TempoExample], tmp_path: Path) -> None:
    head = train_head(examples, ["One", "Other"], FRAME_RATE, copies=1, steps=60)
    save_head(head, tmp_path / "head.npz")
    load_tempo_head.cache_clear()
    loaded = load_tempo_head(tmp_path / "head.npz")
    load_tempo_head.cache_clear()
    assert loaded.labels == ("One", "Other")
    found = []
    for example in examples:
        shares = loaded.probabilities(seen(example, FRAME_RATE), {"One": 1.0})
        found.append(agrees(float(TEMPI_BPM[shares.argmax()]), example.bpm, 0.04))
    assert np.mean(found) >= 0.8


def test_a_joined_head_says_the_mean_of_what_its_heads_say(examples: list[TempoExample]) -> None:
    heads = [train_head(part, ["One", "Other"], FRAME_RATE, copies=1, steps=3) for part in (examples[:6], examples[6:])]
    both = joined(heads, (0.25, 0.75))
    evidence, styles = seen(examples[0], FRAME_RATE), {"One": 0.7}
    each = [np.log(head.probabilities(evidence, styles)) for head in heads]
    odds = np.exp(0.25 * each[0] + 0.75 * each[1])
    np.testing.assert_allclose(both.probabilities(evidence, styles), odds / odds.sum(), rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("bpm", [41.0, 100.0, 239.0])
def test_a_target_lies_at_its_tempo(bpm: float) -> None:
    shares = target(bpm)
    assert shares.sum() == pytest.approx(1, abs=1e-5)
    assert TEMPI_BPM[shares.argmax()] == pytest.approx(bpm, rel=0.006)


def test_curves_add_up_to_one_everywhere() -> None:
    np.testing.assert_allclose(curves().sum(0), 1, atol=1e-5)


def test_agreement_counts_octaves_only_where_asked() -> None:
    assert agrees(103.9, 100.0, 0.04)
    assert not agrees(104.1, 100.0, 0.04)
    assert not agrees(200.0, 100.0, 0.04)
    assert agrees(200.0, 100.0, 0.04, (1.0, 2.0))


def test_the_table_shows_both(pieces: list[TempoPiece]) -> None:
    right, wrong = replace(pieces[0], source="clips"), pieces[1]
    text = tables([Found(right, right.bpm, right.bpm / 2), Found(wrong, 0.0, wrong.bpm)])
    lines = {line[:18].strip(): line[18:].split() for line in text.splitlines()[1:]}
    assert lines["clips"] == ["1", "100.0", "100.0", "100.0", "0.0", "100.0", "0.0"]
    assert lines["composed"] == lines["all rendered"] == ["1", "0.0", "0.0", "0.0", "100.0", "100.0", "100.0"]


def test_midi_files_of_several_tempi_are_left_out(tmp_path: Path) -> None:
    import mido

    from model_training.datasets.base import Clip

    midi = mido.MidiFile()
    track = mido.MidiTrack()
    track.append(mido.MetaMessage("set_tempo", tempo=500_000))
    track.append(mido.MetaMessage("set_tempo", tempo=400_000, time=960))
    midi.tracks.append(track)
    midi.save(tmp_path / "two.mid")
    clip = Clip(tmp_path / "two.mid", "two.mid", "midi:x", "midi:x", (), ())
    for side in (False, True):
        assert list(midi_files(Shelf(), [clip], CONFIG.sr, [], is_test=side)) == []
