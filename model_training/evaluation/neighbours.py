"""Similarity: nearest neighbours and a linear probe tell the genre, of every system on the same clips."""

import numpy as np

from model_training.evaluation.hear import OURS
from model_training.evaluation.intervals import interval
from model_training.evaluation.probe import cross_probe
from model_training.evaluation.retrieval import query_scores
from model_training.evaluation.study import Study, groups_of, single_genre
from model_training.evaluation.tables import Cells, Table
from model_training.labels import main_genre
from musrecd.types import FloatArray

_COLUMNS = ("p@1", "p@10", "mAP", "probe")


def measure_similarity(study: Study) -> dict[str, Table]:
    """Figures of every system, and how much ours gains over each of the others; if any clip has one genre."""
    clips = single_genre(study.validating)
    if not clips:
        return {}
    labels, groups = np.array([main_genre(clip) for clip in clips]), groups_of(clips)
    scores = {name: _scores(X, labels, groups) for name, X in study.embeddings(clips, "Similarity").items()}
    return {
        "similarity": {name: {"clips": len(clips), **_intervals(columns, groups)} for name, columns in scores.items()},
        "similarity gained over": {
            name: _intervals(scores[OURS] - columns, groups) for name, columns in scores.items() if name != OURS
        },
    }


def _scores(embeddings: FloatArray, labels: np.ndarray, groups: np.ndarray) -> FloatArray:
    """Return the figures of each clip (n, 4); retrieval figures may be NaN."""
    right = cross_probe(embeddings, labels, groups) == labels
    return np.column_stack([query_scores(embeddings, labels, groups), right])


def _intervals(columns: FloatArray, groups: np.ndarray) -> Cells:
    return {name: interval(column, groups) for name, column in zip(_COLUMNS, columns.T, strict=True)}
