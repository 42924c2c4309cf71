"""Labels are compared with a teacher on those that it knows, and only where the truth is known."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from model_training.evaluation.intervals import clip_weights
from model_training.evaluation.label_quality import areas, measure_labels
from model_training.labels import LABELS
from tests.model_training.evaluation.conftest import make_clip

NAMES = [source.label.name for source in LABELS]
WORDS = [word for source in LABELS for vocabulary, word in source.teachers if vocabulary == "msd"]
N = 60


def test_areas_are_over_the_clips_of_known_truth():
    rng = np.random.default_rng(0)
    truths, probabilities = rng.integers(0, 2, (80, 2)).astype(float), rng.random((80, 2))
    truths[:30, 0] = np.nan
    probabilities[:, 1] = np.nan
    found = areas("ROC-AUC", truths, probabilities, clip_weights(np.arange(80)))
    assert found.measured[0] == pytest.approx(roc_auc_score(truths[30:, 0], probabilities[30:, 0]))
    assert np.isnan(found.measured[1])
    low, high = found.macro(np.array([0]))[1:]
    assert low < found.measured[0] < high


def study_of(make_study, ours: np.ndarray, theirs: np.ndarray):
    genres = ["Blues", "Jazz", "Disco"]
    clips = [make_clip(str(i), "gtzan", (genres[i % 3],)) for i in range(N)]
    return make_study(
        clips,
        {"musrec": np.zeros((N, 1)), "mfcc": np.zeros((N, 1)), "fcn_msd": np.zeros((N, 1))},
        probabilities={"musrec": ours, "fcn_msd": theirs},
        vocabularies={"fcn_msd": WORDS},
    )


def said(names: list[str], *, right: bool) -> np.ndarray:
    """Probabilities (N, len(names)) that rank the three genres perfectly, or all alike."""
    probabilities = np.full((N, len(names)), 0.2)
    genres = [("Blues", "blues"), ("Jazz", "jazz"), ("Disco", "disco")]
    for i in range(N):
        for name in genres[i % 3]:
            if right and name in names:
                probabilities[i, names.index(name)] = 0.9
    return probabilities


def test_a_teacher_is_compared_on_the_labels_that_it_knows(make_study):
    """MSD has no word for disco; our labels hold all three."""
    tables = measure_labels(study_of(make_study, said(NAMES, right=True), said(WORDS, right=False)))
    table = tables["labels, ROC-AUC"]
    assert table["musrec"] == {"labels": 3, "its own": (1, 1, 1)}
    assert table["fcn_msd"]["labels"] == 2
    assert table["fcn_msd"]["its own"][0] == 0.5
    assert table["fcn_msd"]["musrec on the same"][0] == 1
    assert table["fcn_msd"]["gain"] == (0.5, 0.5, 0.5)
    assert tables["labels, PR-AUC"]["fcn_msd"]["its own"][0] == pytest.approx(1 / 3)


def test_each_label_names_its_best_teacher(make_study):
    table = measure_labels(study_of(make_study, said(NAMES, right=False), said(WORDS, right=True)))[
        "labels, one by one"
    ]
    assert set(table) == {"Blues", "Jazz", "Disco"}
    assert table["Blues"]["positives"] == 20
    assert (table["Blues"]["best teacher"], table["Blues"]["its ROC-AUC"]) == ("fcn_msd", 1.0)
    assert "best teacher" not in table["Disco"]


def test_labels_of_few_clips_are_left_out(make_study):
    clips = [make_clip(str(i), "gtzan", ("Jazz" if i < 9 else "Blues",)) for i in range(N)]
    probabilities = np.random.default_rng(0).random((N, len(LABELS)))
    study = make_study(clips, {"musrec": np.zeros((N, 1))}, probabilities={"musrec": probabilities})
    assert set(measure_labels(study)["labels, one by one"]) == {"Blues"}
