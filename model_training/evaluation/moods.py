"""Moods: whether a linear probe finds the quadrant of valence and arousal that people gave a clip."""

import numpy as np

from model_training.datasets.base import Clip
from model_training.evaluation.hear import OURS
from model_training.evaluation.intervals import interval
from model_training.evaluation.probe import cross_probe, fit_and_predict
from model_training.evaluation.study import Study, groups_of
from model_training.evaluation.tables import Table
from model_training.labels import LABELS

_QUADRANTS = ("Q1", "Q2", "Q3", "Q4")


def quadrant(clip: Clip) -> str:
    """Quadrant of a clip, its last mood word; '' if it has none."""
    return clip.moods[-1] if clip.moods and clip.moods[-1] in _QUADRANTS else ""


def measure_moods(study: Study) -> dict[str, Table]:
    """Probes fitted within the validating clips and, as they would be used, on the training clips; if any has moods."""
    tested, fitted = ([clip for clip in side if quadrant(clip)] for side in (study.validating, study.training))
    if not tested or not fitted:
        return {}
    labels, groups = np.array([quadrant(clip) for clip in tested]), groups_of(tested)
    labels_fitted, groups_fitted = np.array([quadrant(clip) for clip in fitted]), groups_of(fitted)
    others = study.embeddings(fitted, "Moods of training artists")
    table: Table = {}
    for name, X in study.embeddings(tested, "Moods").items():
        within = cross_probe(X, labels, groups)
        across = fit_and_predict(others[name], labels_fitted, groups_fitted, X)
        table[name] = {
            "clips": len(tested),
            "fitted within": interval(within == labels, groups),
            "fitted on training artists": interval(across == labels, groups),
        }
    return {"moods": table | _own_labels(study, tested)}


def _own_labels(study: Study, clips: list[Clip]) -> Table:
    """No probe at all: the most probable of our labels that mean a quadrant."""
    names = [label.name for label in study.labels]
    meaning = {
        source.label.name: word for source in LABELS for word in source.truths.get("taffc", ()) if word in _QUADRANTS
    }
    columns = [names.index(name) for name in meaning if name in names]
    if not columns:
        return {}
    words = np.array([meaning[names[column]] for column in columns])
    probabilities = study.hear(clips, "Moods")[OURS].probabilities[:, columns]
    right = words[probabilities.argmax(1)] == [quadrant(clip) for clip in clips]
    return {f"{OURS}, its own labels": {"fitted on training artists": interval(right, groups_of(clips))}}
