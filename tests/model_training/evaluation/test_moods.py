"""Quadrants are found by probes within and across, and by the labels that mean them."""

import numpy as np

from model_training.evaluation.moods import measure_moods, quadrant
from model_training.labels import LABELS
from tests.model_training.evaluation.conftest import make_clip

NAMES = [source.label.name for source in LABELS]
OF_QUADRANT = {"Q1": "Happy", "Q2": "Aggressive", "Q3": "Sad", "Q4": "Calm"}


def test_the_quadrant_is_the_last_mood():
    assert quadrant(make_clip("x", "taffc", (), moods=("Wry", "Q3"))) == "Q3"
    assert quadrant(make_clip("x", "taffc", (), moods=("Wry",))) == ""
    assert quadrant(make_clip("x", "gtzan", ("Jazz",))) == ""


def test_a_system_that_hears_moods_beats_one_that_does_not(make_study):
    rng = np.random.default_rng(0)
    number = np.tile(np.arange(4), 40)
    clips = [make_clip(str(i), "taffc", ("Jazz",), moods=("Wry", f"Q{q + 1}")) for i, q in enumerate(number)]
    noise = rng.standard_normal((160, 5))
    probabilities = np.full((160, len(LABELS)), 0.1)
    for i, clip in enumerate(clips):
        probabilities[i, NAMES.index(OF_QUADRANT[quadrant(clip)])] = 0.4 if i % 5 else 0.0
    study = make_study(
        clips,
        {"musrec": 20 * np.eye(5)[number] + noise, "mfcc": noise},
        probabilities={"musrec": probabilities},
        training=[clip.name for clip in clips[:80]],
    )
    table = measure_moods(study)["moods"]
    assert table["musrec"]["fitted within"][0] == table["musrec"]["fitted on training artists"][0] == 1
    assert table["mfcc"]["fitted within"][0] < 0.5
    assert table["mfcc"]["fitted on training artists"][0] < 0.5
    assert table["musrec, its own labels"]["fitted on training artists"][0] == 0.8
