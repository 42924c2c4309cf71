"""Learns a person's own genres from the tracks that have some: which can be told by their sound, and how surely.

Every judgement is of artists that had no part in it. scikit-learn and SciPy are imported late: who only asks needs
`learnt.py` alone.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from musrecd.errors import LearningError
from musrecd.tagging import discriminant
from musrecd.tagging.discriminant import GOAL
from musrecd.tagging.learnt import GenreReport, Learnt, NotLearnt, Report, calibrated, log_odds, own_genres
from musrecd.types import FloatArray

LEAST_TRACKS = 10
LEAST_ARTISTS = 3
# A list that is longer than that nobody looks through; what is at its top is worth it.
_MOST_SUSPICIOUS = 0.03
_INNER_SEED, _OUTER_SEED = 1, 0


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A track whose sound disagrees with the genre that it has: the `index` among those asked about."""

    index: int
    genre: str
    suggested: str
    probability: float


@dataclass(frozen=True, slots=True, eq=False)
class _Labelled:
    """Tracks that have genres: embeddings (n, dim), own genres, and artists as numbers (n,)."""

    X: FloatArray
    genres: list[tuple[str, ...]]
    artists: np.ndarray

    def classes(self, names: Sequence[str]) -> tuple[np.ndarray, FloatArray]:
        """Which tracks have which genre (n, n_genres), and each track shared out among its classes (n, n_classes).

        Tracks of other genres are a class of their own, the last, if there are any.
        """
        has = own_genres(self.genres, names)
        others = ~has.any(1, keepdims=True)
        member = np.hstack([has, others]) if others.any() else has
        return has, (member / member.sum(1, keepdims=True)).astype(np.float32)

    def folds(self, member: FloatArray, seed: int) -> list[np.ndarray]:
        """Deal the artists to folds; of a track with several genres the rarest counts."""
        rarity = np.where(member > 0, member.sum(0), np.inf)
        return discriminant.folds_over(rarity.argmin(1), self.artists, seed)


def learn(
    embeddings: FloatArray, genres: Sequence[Sequence[str]], artists: Sequence[str], *, encoder_version: str
) -> Learnt:
    """Learn genres from embeddings (n, dim) of unit length, their genres and artists ('' is not known).

    Tracks without a genre are left out. Raises LearningError if nothing can be learnt from them.
    """
    tracks, _ = _labelled(embeddings, genres, artists)
    names, not_learnt = _vocabulary(tracks)
    has, Y = tracks.classes(names)
    if Y.shape[1] < 2:
        raise LearningError(_nothing_to_learn(names, not_learnt))
    strength = discriminant.choose_strength(tracks.X, Y, tracks.folds(Y, _INNER_SEED))
    folds = tracks.folds(Y, _OUTER_SEED)
    [scores] = discriminant.cross_scores(tracks.X, Y, folds, [strength])
    temperature, _ = discriminant.cool(scores, Y)
    log_shares = discriminant.log_shares(Y)
    odds = log_odds(scores / temperature + log_shares)[:, : len(names)]
    slopes, offsets = discriminant.calibrate(odds, has)
    probable = calibrated(scores / temperature + log_shares, slopes, offsets)
    [(weights, bias)] = discriminant.fit(tracks.X, Y, [strength])
    return Learnt(
        names=names,
        encoder_version=encoder_version,
        weights=(weights / temperature).astype(np.float32),
        bias=(bias / temperature + log_shares).astype(np.float32),
        slopes=slopes,
        offsets=offsets,
        thresholds=discriminant.choose_thresholds(probable, has, tracks.artists),
        strength=strength,
        temperature=temperature,
        report=_report(tracks, names, not_learnt, has, probable, _cross_thresholds(tracks, probable, has, folds)),
    )


def suspicious(
    learnt: Learnt, embeddings: FloatArray, genres: Sequence[Sequence[str]], artists: Sequence[str]
) -> list[Suspicion]:
    """List tracks whose sound disagrees strongly with the genres they have, the strongest first.

    Each is judged by what other artists' tracks among these say, so that a wrong genre does not vouch for itself: give
    all that there are. Few in a hundred are listed at most, and only tracks with a genre that was learnt. Raises
    LearningError if the genres are not those that were learnt.
    """
    tracks, indexes = _labelled(embeddings, genres, artists)
    names, _ = _vocabulary(tracks)
    has, Y = tracks.classes(learnt.names)
    if Y.shape[1] < 2 or not set(learnt.names) <= set(names):
        raise LearningError("the genres of these tracks are not those that were learnt; learn them again")
    [scores] = discriminant.cross_scores(tracks.X, Y, tracks.folds(Y, _OUTER_SEED), [learnt.strength])
    scores = scores / learnt.temperature + discriminant.log_shares(Y)
    probable = calibrated(scores, learnt.slopes, learnt.offsets)
    own = np.where(has, probable, 0.0)
    other = np.where(has, 0.0, probable)
    rows = np.arange(len(has))
    best_own, suggested = own.argmax(1), other.argmax(1)
    against, for_it = own[rows, best_own], other[rows, suggested]
    wrong = np.flatnonzero(has.any(1) & (for_it >= GOAL) & (against <= 1 - GOAL))
    order = wrong[np.argsort(against[wrong] - for_it[wrong], kind="stable")]
    return [
        Suspicion(int(indexes[row]), learnt.names[best_own[row]], learnt.names[suggested[row]], float(for_it[row]))
        for row in order[: int(np.ceil(_MOST_SUSPICIOUS * len(rows)))]
    ]


def _labelled(
    embeddings: FloatArray, genres: Sequence[Sequence[str]], artists: Sequence[str]
) -> tuple[_Labelled, np.ndarray]:
    """Take the tracks with genres, and their indexes among all; refuse what cannot be learnt from."""
    if embeddings.ndim != 2 or not len(embeddings) == len(genres) == len(artists):
        raise LearningError(
            f"embeddings of shape {embeddings.shape}, {len(genres)} genres and {len(artists)} artists do not belong "
            "together; give one of each for every track"
        )
    if not np.isfinite(embeddings).all():
        raise LearningError("an embedding contains NaN or infinite numbers; `musrecd scan --force` makes it anew")
    own = [tuple(dict.fromkeys(str(name) for name in names if name.strip())) for names in genres]
    indexes = np.array([index for index, names in enumerate(own) if names], np.int64)
    chosen = [artists[index].strip().casefold() or index for index in indexes]
    numbers: dict[str | int, int] = {}
    groups = np.array([numbers.setdefault(artist, len(numbers)) for artist in chosen], np.int64)
    X = np.ascontiguousarray(embeddings[indexes], np.float32)
    return _Labelled(X, [own[index] for index in indexes], groups), indexes


def _vocabulary(tracks: _Labelled) -> tuple[tuple[str, ...], tuple[NotLearnt, ...]]:
    """Sort genres into those with enough tracks and artists, by name, and the others with the reason."""
    artists_of: dict[str, list[int]] = defaultdict(list)
    for own, artist in zip(tracks.genres, tracks.artists, strict=True):
        for name in own:
            artists_of[name].append(int(artist))
    learnt: list[str] = []
    not_learnt: list[NotLearnt] = []
    for name in sorted(artists_of):
        n_tracks, n_artists = len(artists_of[name]), len(set(artists_of[name]))
        if reason := _reason(n_tracks, n_artists):
            not_learnt.append(NotLearnt(name, n_tracks, n_artists, reason))
        else:
            learnt.append(name)
    return tuple(learnt), tuple(not_learnt)


def _reason(n_tracks: int, n_artists: int) -> str:
    if n_tracks < LEAST_TRACKS:
        return f"too few tracks: {n_tracks}"
    return f"too few artists: {n_artists}" if n_artists < LEAST_ARTISTS else ""


def _nothing_to_learn(names: Sequence[str], not_learnt: Sequence[NotLearnt]) -> str:
    needed = f"at least {LEAST_TRACKS} tracks by {LEAST_ARTISTS} artists"
    if names:
        return f"all tracks have the genre {names[0]}; set a second one on {needed} to learn from"
    if not not_learnt:
        return f"no track has a genre; set some, each on {needed}, to learn from"
    most = max(not_learnt, key=lambda each: (each.n_tracks, each.n_artists))
    return (
        f"no genre has {needed}, which is needed to learn it; "
        f"most has {most.name}: {most.n_tracks} tracks by {most.n_artists}"
    )


def _cross_thresholds(
    tracks: _Labelled, probable: FloatArray, has: np.ndarray, folds: Sequence[np.ndarray]
) -> FloatArray:
    """Thresholds (n, n_genres) that the artists of each track had no say in."""
    thresholds = np.empty(probable.shape, np.float32)
    for rows in folds:
        others = np.ones(len(has), bool)
        others[rows] = False
        thresholds[rows] = discriminant.choose_thresholds(probable[others], has[others], tracks.artists[others])
    return thresholds


def _report(
    tracks: _Labelled,
    names: tuple[str, ...],
    not_learnt: tuple[NotLearnt, ...],
    has: np.ndarray,
    probable: FloatArray,
    thresholds: FloatArray,
) -> Report:
    written = probable >= thresholds
    first = np.where(written, probable, 0.0).argmax(1)
    best, rows = probable.argmax(1), np.arange(len(has))
    known, any_written = has.any(1), written.any(1)
    own_first = np.array([names.index(own[0]) if own[0] in names else -1 for own in tracks.genres])
    confusion = np.zeros((len(names), len(names)), np.int64)
    np.add.at(confusion, (own_first[own_first >= 0], best[own_first >= 0]), 1)
    return Report(
        n_tracks=len(has),
        n_artists=len(np.unique(tracks.artists)),
        accuracy=float(has[rows, best][known].mean()),
        share_written=float(any_written.mean()),
        precision=_mean(has[rows, first][any_written]),
        genres=tuple(
            _genre_report(name, has[:, i], probable[:, i], written[:, i], tracks.artists)
            for i, name in enumerate(names)
        ),
        not_learnt=not_learnt,
        confusion=confusion,
    )


def _genre_report(
    name: str, has: np.ndarray, probable: FloatArray, written: np.ndarray, artists: np.ndarray
) -> GenreReport:
    from sklearn.metrics import average_precision_score

    return GenreReport(
        name=name,
        n_tracks=int(has.sum()),
        n_artists=len(np.unique(artists[has])),
        precision=_mean(has[written]),
        recall=float(written[has].mean()),
        share_written=float(written.mean()),
        average_precision=float(average_precision_score(has, probable)),
    )


def _mean(right: np.ndarray) -> float | None:
    return float(right.mean()) if right.size else None
