"""What is stated of a piece can be heard in it: tempo, key and style."""

import librosa
import numpy as np
import pytest

from model_training.synthesis import STYLES, compose, render
from model_training.synthesis.theory import NOTES

SR = 22_050
SECONDS = 16.0
PERCUSSIVE = ("techno", "house", "hard_rock", "reggae", "chiptune", "hip_hop", "swing_jazz", "bossa_nova")
MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)  # Krumhansl and Kessler
MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)


@pytest.fixture(scope="module")
def pieces():
    return [compose(style, seed, SECONDS) for style in STYLES for seed in range(3)]


@pytest.fixture(scope="module")
def sounds(pieces):
    return [render(piece, SR) for piece in pieces]


def heard_key(y):
    """Return tonic and mode (0 major, 1 minor) of the best Krumhansl profile."""
    chroma = librosa.feature.chroma_stft(y=y, sr=SR, n_fft=8192, hop_length=4096).mean(axis=1)
    profiles = [np.roll(profile, tonic) for profile in (MAJOR, MINOR) for tonic in range(12)]
    mode, tonic = divmod(int(np.argmax([np.corrcoef(profile, chroma)[0, 1] for profile in profiles])), 12)
    return tonic, mode


def is_near(stated, tonic, mode):
    """Say whether a key is the stated one, its relative or parallel, or a fifth from it."""
    stated_mode = int(stated.endswith("m"))
    stated_tonic = NOTES.index(stated.removesuffix("m"))
    if mode == stated_mode:
        return (tonic - stated_tonic) % 12 in (0, 5, 7)
    relative = 3 if stated_mode else 9
    return (tonic - stated_tonic) % 12 in (0, relative)


def test_tempo_is_heard_up_to_the_octave(pieces, sounds):
    wrong = []
    chosen = [(p, y) for p, y in zip(pieces, sounds, strict=True) if p.style in PERCUSSIVE]
    for piece, y in chosen:
        heard = float(np.atleast_1d(librosa.beat.beat_track(y=y, sr=SR)[0])[0])
        if not any(abs(heard * factor / piece.tempo_bpm - 1) < 0.04 for factor in (0.5, 1.0, 2.0)):
            wrong.append((piece.style, piece.seed, piece.tempo_bpm, heard))
    assert len(wrong) <= 0.15 * len(chosen), wrong


def test_key_is_heard_up_to_its_nearest_relations(pieces, sounds):
    wrong = []
    chosen = [(p, y) for p, y in zip(pieces, sounds, strict=True) if p.style != "techno"]
    for piece, y in chosen:
        tonic, mode = heard_key(y)
        if not is_near(piece.key, tonic, mode):
            wrong.append((piece.style, piece.seed, piece.key, NOTES[tonic] + "m" * mode))
    assert len(wrong) <= 0.15 * len(chosen), wrong


def test_styles_can_be_told_apart_by_timbre_alone(pieces, sounds):
    mfcc = [librosa.feature.mfcc(y=y, sr=SR, n_mfcc=20) for y in sounds]
    features = np.array([np.concatenate([m.mean(axis=1), m.std(axis=1)]) for m in mfcc])
    features = (features - features.mean(axis=0)) / features.std(axis=0)
    distances = np.linalg.norm(features[:, np.newaxis] - features[np.newaxis], axis=2)
    np.fill_diagonal(distances, np.inf)
    nearest = distances.argmin(axis=1)
    styles = np.array([piece.style for piece in pieces])
    assert np.mean(styles[nearest] == styles) >= 0.65
