"""A person's own genres, learnt from ten tracks each: how often they are found for artists that are not among those.

Ours are learnt by the code that serves; from the embeddings of the other systems a linear probe learns, as everywhere
else in this evaluation. All learn from the same tracks and are asked about the same ones, drawn many times.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from model_training.evaluation.hear import OURS
from model_training.evaluation.intervals import interval
from model_training.evaluation.probe import fit_and_predict
from model_training.evaluation.study import Study, groups_of, single_genre
from model_training.evaluation.tables import Cells, Table
from model_training.labels import main_genre
from musrecd.tagging.learning import LEAST_ARTISTS, learn
from musrecd.tagging.learnt import probabilities
from musrecd.types import FloatArray

N_KNOWN = 10
N_DRAWS = 50
OURS_PROBED = f"{OURS}, probe"


@dataclass(frozen=True, slots=True)
class Draw:
    """Indexes of the tracks whose genres are known, and of those that are asked about, by other artists."""

    known: np.ndarray
    asked: np.ndarray


@dataclass
class _Score:
    """How often each of n clips was asked about (`asked`), and how often its genre was found (`right`)."""

    n: int
    right: np.ndarray = field(init=False)
    asked: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.right, self.asked = np.zeros(self.n), np.zeros(self.n)

    def add(self, indexes: np.ndarray, right: np.ndarray) -> None:
        """Count one draw."""
        self.asked[indexes] += 1
        self.right[indexes] += right

    @property
    def share(self) -> np.ndarray:
        """Share of the draws in which the genre of each clip was found; NaN where it was never asked about."""
        return np.where(self.asked > 0, self.right / np.maximum(self.asked, 1), np.nan)


def measure_own_words(study: Study) -> dict[str, Table]:
    """Accuracy of ours and of everybody's probe, and what ours gains; of what ours would write, how much is right."""
    clips = single_genre(study.validating)
    labels, groups = np.array([main_genre(clip) for clip in clips]), groups_of(clips)
    chosen = np.flatnonzero(np.isin(labels, drawable(labels, groups)))
    labels, groups = labels[chosen], groups[chosen]
    if len(set(labels)) < 2:
        return {}
    draws = list(draw_many(labels, groups))
    heard = {name: X[chosen] for name, X in study.embeddings(clips, "Own words").items()}
    ours, written = _learnt(heard[OURS], labels, groups, draws)
    scores = {OURS: ours, OURS_PROBED: _probed(heard.pop(OURS), labels, groups, draws)}
    scores |= {name: _probed(X, labels, groups, draws) for name, X in heard.items()}
    return {
        "own words": {name: _row(score, labels, groups) for name, score in scores.items()},
        "own words gained over": {
            name: {"accuracy": interval(ours.share - score.share, groups, score.asked)}
            for name, score in scores.items()
            if name != OURS
        },
        "own words written": {OURS: _written(ours, written, groups)},
    }


def drawable(labels: np.ndarray, groups: np.ndarray) -> list[str]:
    """Genres with enough tracks and artists that somebody is left to be asked about, whoever that is."""
    found = []
    for label in np.unique(labels):
        _, sizes = np.unique(groups[labels == label], return_counts=True)
        if len(sizes) > LEAST_ARTISTS and sizes.sum() - sizes.min() >= N_KNOWN:
            found.append(str(label))
    return found


def draw_many(labels: np.ndarray, groups: np.ndarray) -> Iterator[Draw]:
    """Draw ten tracks of each genre by at least three artists; all tracks of artists not drawn are asked about.

    All of `labels` have to be `drawable`, or no draw is ever found.
    """
    rng = np.random.default_rng(0)
    for _ in range(N_DRAWS):
        known = [_draw_known(np.flatnonzero(labels == label), groups, rng) for label in np.unique(labels)]
        # Whoever was drawn for one genre is not asked about for another.
        drawn = np.isin(groups, np.concatenate([artists for _, artists in known]))
        yield Draw(np.concatenate([tracks for tracks, _ in known]), np.flatnonzero(~drawn))


def _draw_known(tracks: np.ndarray, groups: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw artists until they have enough tracks, one at least left over; then their tracks, in turn."""
    names, sizes = np.unique(groups[tracks], return_counts=True)
    while True:
        order = rng.permutation(len(names))
        n_artists = max(LEAST_ARTISTS, int(np.searchsorted(sizes[order].cumsum(), N_KNOWN)) + 1)
        if n_artists < len(names):
            break
    artists = names[order[:n_artists]]
    own = [rng.permutation(tracks[groups[tracks] == artist]) for artist in artists]
    in_turn = [of_artist[turn] for turn in range(max(map(len, own))) for of_artist in own if turn < len(of_artist)]
    return np.array(in_turn[:N_KNOWN]), artists


def _learnt(X: FloatArray, labels: np.ndarray, groups: np.ndarray, draws: Sequence[Draw]) -> tuple[_Score, _Score]:
    """Count what is found, and of that which is sure enough to be written what is right."""
    found, written = _Score(len(X)), _Score(len(X))
    for draw in draws:
        genres = [(str(label),) for label in labels[draw.known]]
        learnt = learn(X[draw.known], genres, groups[draw.known].tolist(), encoder_version="")
        said = probabilities(learnt, X[draw.asked])
        right = np.array(learnt.names)[said.argmax(1)] == labels[draw.asked]
        found.add(draw.asked, right)
        sure = np.where(said >= learnt.thresholds, said, 0.0)
        is_written = sure.any(1)
        first = np.array(learnt.names)[sure.argmax(1)]
        written.add(draw.asked[is_written], (first == labels[draw.asked])[is_written])
    return found, written


def _probed(X: FloatArray, labels: np.ndarray, groups: np.ndarray, draws: Sequence[Draw]) -> _Score:
    varying = X[:, X.std(0) > 1e-9].astype(np.float64)
    score = _Score(len(X))
    for draw in draws:
        known = draw.known
        predicted = fit_and_predict(varying[known], labels[known], groups[known], varying[draw.asked])
        score.add(draw.asked, predicted == labels[draw.asked])
    return score


def _row(score: _Score, labels: np.ndarray, groups: np.ndarray) -> Cells:
    of_genre = {label: score.asked[labels == label].sum() for label in np.unique(labels)}
    alike = score.asked / np.array([max(of_genre[label], 1) for label in labels])
    return {
        "genres": len(of_genre),
        "clips": int((score.asked > 0).sum()),
        "accuracy": interval(score.share, groups, score.asked),
        "all genres alike": interval(score.share, groups, alike),
    }


def _written(found: _Score, written: _Score, groups: np.ndarray) -> Cells:
    shares = np.where(found.asked > 0, written.asked / np.maximum(found.asked, 1), np.nan)
    return {
        "tracks written": interval(shares, groups, found.asked),
        "of them right": interval(written.share, groups, written.asked),
    }
