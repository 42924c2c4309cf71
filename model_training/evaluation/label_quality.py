"""Genre labels: how well their probabilities rank clips, beside each teacher on the labels that it knows."""

from dataclasses import dataclass

import numpy as np

from model_training.evaluation.areas import average_precision, roc_auc
from model_training.evaluation.hear import OURS, Answers
from model_training.evaluation.intervals import Interval, clip_weights, spread
from model_training.evaluation.study import ALL_TEACHERS, Study, groups_of
from model_training.evaluation.tables import Table
from model_training.labels import LABELS, teacher_targets
from musrecd.types import FloatArray

_MIN_POSITIVES = 10
_AREAS = {"ROC-AUC": roc_auc, "PR-AUC": average_precision}


@dataclass(frozen=True, slots=True)
class Areas:
    """One area for each label (n_labels,), and the same over the bootstrap's draws (n_draws, n_labels)."""

    measured: FloatArray
    drawn: FloatArray

    def macro(self, columns: np.ndarray) -> Interval:
        """Mean over the labels in `columns`."""
        drawn = self.drawn[:, columns]
        n_known = (~np.isnan(drawn)).sum(1)
        # A draw may miss every positive of a label: then the others speak.
        means = np.divide(np.nansum(drawn, axis=1), n_known, out=np.full(len(drawn), np.nan), where=n_known > 0)
        return spread(float(self.measured[columns].mean()), means)

    def gain(self, other: "Areas", columns: np.ndarray) -> Interval:
        """How much larger these are than another system's, draw by draw."""
        return Areas(self.measured - other.measured, self.drawn - other.drawn).macro(columns)


def measure_labels(study: Study) -> dict[str, Table]:
    """Macro areas over the genre labels with enough positives; for each teacher over those that it knows."""
    clips = study.validating
    truths, answers = study.truths(clips), study.hear(clips, "Labels")
    positives = np.nansum(truths, axis=0)
    is_genre = np.array([label.group == "genre" for label in study.labels])
    columns = np.flatnonzero(is_genre & (positives >= _MIN_POSITIVES))
    if not columns.size:
        return {}
    predictions = {OURS: answers[OURS].probabilities[:, columns]} | {
        name: p[:, _places(study)[columns]] for name, p in mapped_teachers(study, answers).items()
    }
    weights = clip_weights(groups_of(clips))
    names = [study.labels[column].name for column in columns]
    tables: dict[str, Table] = {}
    every: dict[str, dict[str, Areas]] = {}
    for area in _AREAS:
        every[area] = {system: areas(area, truths[:, columns], p, weights) for system, p in predictions.items()}
        tables[f"labels, {area}"] = _beside_teachers(every[area])
    tables["labels, one by one"] = _one_by_one(every, dict(zip(names, map(int, positives[columns]), strict=True)))
    return tables


def _places(study: Study) -> np.ndarray:
    """Where the encoder's labels stand in the one list."""
    order = [source.label for source in LABELS]
    return np.array([order.index(label) for label in study.labels])


def mapped_teachers(study: Study, answers: dict[str, Answers]) -> dict[str, FloatArray]:
    """Each teacher's probabilities in our labels (n, n_labels), and their mean; NaN where nobody knows."""
    said = {name: answers[name].probabilities for name in study.vocabularies}
    mapped = {name: teacher_targets({name: said[name]}, study.vocabularies) for name in said}
    return mapped | {ALL_TEACHERS: teacher_targets(said, study.vocabularies)} if len(mapped) > 1 else mapped


def areas(area: str, truths: FloatArray, probabilities: FloatArray, weights: np.ndarray) -> Areas:
    """Areas of every label, over the clips of which its truth is known; NaN for labels without probabilities."""
    n_draws, n_labels = len(weights), truths.shape[1]
    result = Areas(np.full(n_labels, np.nan), np.full((n_draws, n_labels), np.nan))
    for column in range(n_labels):
        known = ~np.isnan(truths[:, column])
        if np.isnan(probabilities[:, column]).any():
            continue
        yes, scores = truths[known, column], probabilities[known, column]
        result.measured[column] = _AREAS[area](yes, scores, np.ones((1, known.sum())))[0]
        result.drawn[:, column] = _AREAS[area](yes, scores, weights[:, known])
    return result


def _beside_teachers(systems: dict[str, Areas]) -> Table:
    ours = systems[OURS]
    table: Table = {}
    for name, theirs in systems.items():
        columns = np.flatnonzero(~np.isnan(theirs.measured))
        if not columns.size:
            continue
        table[name] = {"labels": int(columns.size), "its own": theirs.macro(columns)}
        if name != OURS:
            table[name] |= {"musrec on the same": ours.macro(columns), "gain": ours.gain(theirs, columns)}
    return table


def _one_by_one(every: dict[str, dict[str, Areas]], positives: dict[str, int]) -> Table:
    """Each label's areas, and the best teacher of it by ROC-AUC."""
    table: Table = {}
    for column, (label, n) in enumerate(positives.items()):
        everywhere = np.array([column])
        table[label] = {"positives": n}
        table[label].update({area: every[area][OURS].macro(everywhere) for area in _AREAS})
        teachers = {name: a.measured[column] for name, a in every["ROC-AUC"].items() if name != OURS}
        known = {name: value for name, value in teachers.items() if not np.isnan(value)}
        if known:
            best = max(known, key=lambda name: known[name])
            table[label] |= {"best teacher": best, "its ROC-AUC": float(known[best])}
    return table
