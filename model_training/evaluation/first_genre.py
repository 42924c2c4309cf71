"""The first genre, which is what gets written into files: how often it is right, and from which probability on."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import beta
from sklearn.model_selection import StratifiedGroupKFold

from model_training.datasets.base import Clip
from model_training.evaluation.calibration import calibration_error
from model_training.evaluation.hear import OURS
from model_training.evaluation.intervals import interval
from model_training.evaluation.study import Study, groups_of
from model_training.evaluation.tables import Cells, Table
from model_training.labels import LabelSource, family, main_genre, truth
from musrecd.types import FloatArray

GOAL = 0.85
_SURE = 0.8
_N_CONFUSIONS = 10
# taffc says Pop/Rock where we say either; what it calls so may also be of these kinds, what it does not is none.
_POP_OR_ROCK = ("Pop", "Rock")
_POP_ROCK_KINDS = (*_POP_OR_ROCK, "Alternative", "Indie", "Metal", "Punk")


@dataclass(frozen=True, slots=True)
class FirstGenres:
    """The most probable genre of each of n clips.

    `names` (n,), how `probable` (n,), and whether they are `right` (n,): 1, 0, or NaN where the data set has
    no word for them.
    """

    clips: Sequence[Clip]
    names: np.ndarray
    probable: FloatArray
    right: FloatArray


def first_genres(study: Study, probabilities: FloatArray, clips: Sequence[Clip]) -> FirstGenres:
    """Judge the most probable genres in `probabilities` (n, n_labels)."""
    columns = np.flatnonzero([label.group == "genre" for label in study.labels])
    best = columns[probabilities[:, columns].argmax(1)]
    right = [judge(study.sources[column], clip) for column, clip in zip(best, clips, strict=True)]
    names = np.array([study.labels[column].name for column in best])
    return FirstGenres(clips, names, probabilities[np.arange(len(best)), best], np.array(right, np.float32))


def judge(source: LabelSource, clip: Clip) -> float:
    """1.0 if a clip is of this genre, 0.0 if not, NaN if its data set cannot say."""
    known = truth(source, clip)
    if known is None and family(clip.source) == "taffc" and source.label.name in _POP_ROCK_KINDS:
        if "Pop/Rock" not in clip.genres:
            return 0.0
        known = 1.0 if source.label.name in _POP_OR_ROCK else None
    return np.nan if known is None else known


def judged_clips(study: Study) -> list[Clip]:
    """Take the validating clips with genres, of collections whose genres are ours."""
    genres = [source for source in study.sources if source.label.group == "genre"]
    return [c for c in study.validating if c.genres and any(truth(source, c) is not None for source in genres)]


def measure_calibration(study: Study) -> dict[str, Table]:
    """Calibration of all genre probabilities and of the first ones; what a threshold keeps."""
    clips = judged_clips(study)
    if not clips:
        return {}
    probabilities = study.hear(clips, "Calibration")[OURS].probabilities
    groups = groups_of(clips)
    columns = np.flatnonzero([label.group == "genre" for label in study.labels])
    truths = study.truths(clips)[:, columns]
    first = first_genres(study, probabilities, clips)
    return {
        "calibration": {
            "all genres": {
                "probabilities": int((~np.isnan(truths)).sum()),
                "calibration error": calibration_error(probabilities[:, columns], truths, groups),
            },
            "first genre": {
                "probabilities": int((~np.isnan(first.right)).sum()),
                "calibration error": calibration_error(first.probable[:, None], first.right[:, None], groups),
            },
        },
        "first genre": _written(first, groups),
        "confusions": confusions(first),
    }


def confusions(first: FirstGenres) -> Table:
    """Which wrong first genres the clips of one genre get most often."""
    genres = [main_genre(clip) for clip in first.clips]
    totals = Counter(genres)
    judged = zip(genres, map(str, first.names), first.right, strict=True)
    wrong = Counter((genre, name) for genre, name, right in judged if genre and right == 0)
    return {
        f"{genre} taken for {name}": {"clips": n, "of": totals[genre]}
        for (genre, name), n in wrong.most_common(_N_CONFUSIONS)
    }


def _written(first: FirstGenres, groups: np.ndarray) -> Table:
    """Show what is written without a threshold, with thresholds chosen on other artists, and with the one of all."""
    chosen = choose_threshold(first.probable, first.right)
    return {
        "all written": _kept(first, np.zeros(len(first.names)), groups),
        "threshold chosen on other artists": _kept(first, cross_fitted(first, groups), groups),
        f"threshold {chosen:.3f}, chosen on these": _kept(first, np.full(len(first.names), chosen), groups),
    }


def _kept(first: FirstGenres, thresholds: np.ndarray, groups: np.ndarray) -> Cells:
    kept = first.probable >= thresholds
    right = np.where(kept, first.right, np.nan)
    undecided = np.isnan(first.right)
    return {
        "threshold": " / ".join(f"{value:.3f}" for value in np.unique(thresholds)),
        "tracks written": interval(kept.astype(float), groups),
        "of them right": interval(right, groups),
        "right, unknown as wrong": interval(np.where(kept, np.nan_to_num(first.right), np.nan), groups),
        "unknown": float(undecided[kept].mean()) if kept.any() else 0.0,
    }


def choose_threshold(probable: FloatArray, right: FloatArray, goal: float = GOAL) -> float:
    """Find the lowest probability from which on `goal` of the first genres with a known truth will be right.

    As far as so few clips can tell: what counts is the lower end of the interval of the share (Jeffreys, see Brown, Cai
    & DasGupta 2001). The share itself would be the luckiest of many, and less than `goal` on other clips.
    1.0 if there is none, so that nothing is written.
    """
    known = ~np.isnan(right)
    order = np.argsort(-probable[known], kind="stable")
    n_right, n = right[known][order].cumsum(), np.arange(1, known.sum() + 1)
    reached = np.flatnonzero(beta.ppf(1 - _SURE, n_right + 0.5, n - n_right + 0.5) >= goal)
    return float(probable[known][order][reached[-1]]) if reached.size else 1.0


def cross_fitted(first: FirstGenres, groups: np.ndarray) -> np.ndarray:
    """Return a threshold for each clip, chosen on the half of the artists that the clip is not among."""
    thresholds = np.empty(len(first.names))
    halves = StratifiedGroupKFold(2, shuffle=True, random_state=0)
    strata = np.array([clip.source for clip in first.clips])
    for others, own in halves.split(strata, strata, groups):
        thresholds[own] = choose_threshold(first.probable[others], first.right[others])
    return thresholds
