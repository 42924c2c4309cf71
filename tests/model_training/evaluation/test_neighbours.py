"""Every system is scored on the same clips, and the gain is what the figures differ by."""

import numpy as np
import pytest

from model_training.evaluation.neighbours import measure_similarity
from tests.model_training.evaluation.conftest import make_clip


def test_gain_is_the_difference_and_pairs_of_teachers_stand_beside(make_study):
    rng = np.random.default_rng(0)
    number = np.arange(90) % 3
    clips = [make_clip(str(i), "gtzan", (("Blues", "Jazz", "Rock")[q],)) for i, q in enumerate(number)]
    noise = rng.standard_normal((90, 4))
    study = make_study(
        clips,
        {
            "musrec": 20 * np.eye(4)[number] + noise,
            "mfcc": noise,
            "fcn_msd": np.eye(4)[number] + noise,
            "musicnn_msd": np.eye(4)[number] + rng.standard_normal((90, 4)),
        },
    )
    tables = measure_similarity(study)
    figures, gains = tables["similarity"], tables["similarity gained over"]
    assert set(figures) == {"musrec", "mfcc", "fcn_msd", "musicnn_msd", "fcn_msd + musicnn_msd"}
    assert figures["musrec"]["mAP"][0] == pytest.approx(1, abs=0.02)
    assert figures["musrec"]["probe"][0] == 1
    assert figures["fcn_msd"]["mAP"][0] < figures["fcn_msd + musicnn_msd"]["mAP"][0]
    for name, cells in gains.items():
        for column, (gain, low, high) in cells.items():
            assert gain == pytest.approx(figures["musrec"][column][0] - figures[name][column][0])
            assert low <= gain <= high
