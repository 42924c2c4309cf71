"""What a person likes, from tracks that they like: which genres, against what is merely usual, and which sound."""

from dataclasses import dataclass

import numpy as np

from musrecd.types import FloatArray

# From here on a track counts as being of a genre: the probabilities are calibrated.
_IS_OF = 0.5
# A few liked tracks say little: they are judged together with so many that are as usual.
_USUAL_TRACKS = 2.0
_LEAST_USUAL = 0.005
_FAVOURED = 1.5
_SIGMAS = 2.0
# How much more the nearest of the liked tracks count: of 4 to 10, on clips of one to three genres, all found about as
# much, and more than the mean (favours what is between two tastes), the nearest alone and k-means' nearest centre.
_SHARPNESS = 6.0


@dataclass(frozen=True, slots=True)
class Favourite:
    """A genre among liked tracks: its `column`, how often it is heard there, and how often elsewhere.

    `share` is the mean probability over the liked tracks, `usual` that over all; `tracks` are those liked tracks that
    are of it, surest first. It is favoured where it is clearly more than usual; `weight` (0 to 1, the greatest is 1)
    is how much it counts.
    """

    column: int
    share: float
    usual: float
    tracks: tuple[int, ...]
    is_favoured: bool
    weight: float


def usual_shares(probabilities: FloatArray) -> FloatArray:
    """Return how usual genres (n_genres,) are among tracks (n, n_genres)."""
    shares: FloatArray = np.maximum(probabilities.mean(axis=0, dtype=np.float64), _LEAST_USUAL).astype(np.float32)
    return shares


def favourites(liked: FloatArray, usual: FloatArray) -> list[Favourite]:
    """Return genres by how much they count: `liked` (n, n_genres), n at least 1, against `usual` (n_genres,).

    A genre counts by how much of what is liked it is, times how much more that is than usual (its part of the
    divergence of the two). Where nothing is more than usual genres count by their share. Those left out count
    nothing and are in no liked track.
    """
    n = len(liked)
    expected = liked.sum(axis=0, dtype=np.float64)
    shares = (expected + _USUAL_TRACKS * usual) / (n + _USUAL_TRACKS)
    weights = shares * np.maximum(np.log(shares / usual), 0)
    if weights.max() < 1e-6:
        weights = shares
    weights /= weights.max()
    surprise = (expected - n * usual) / np.sqrt(n * usual * (1 - np.minimum(usual, 0.99)) + 0.25)
    is_favoured = (shares >= _FAVOURED * usual) & (surprise >= _SIGMAS)
    found = [
        Favourite(
            column=column,
            share=float(liked[:, column].mean(dtype=np.float64)),
            usual=float(usual[column]),
            tracks=_of(liked[:, column]),
            is_favoured=bool(is_favoured[column]),
            weight=float(weights[column]),
        )
        for column in range(liked.shape[1])
    ]
    kept = [each for each in found if each.is_favoured or each.tracks]
    return sorted(kept, key=lambda each: (not each.is_favoured, -each.weight, each.column)) or _strongest(found)


def by_genre(candidates: FloatArray, favoured: list[Favourite]) -> FloatArray:
    """Return how likely each candidate (m, n_genres) is of a genre that is liked (m,), 0 to 1.

    The chance that at least one of its genres is one, each counted by its weight: a track of two that are liked comes
    before one of either, and half of ten genres is no match for all of one.
    """
    columns = [each.column for each in favoured]
    weights = np.array([each.weight for each in favoured], np.float32)
    scores: FloatArray = 1 - np.prod(1 - candidates[:, columns] * weights, axis=1)
    return scores


def by_sound(candidates: FloatArray, liked: FloatArray) -> FloatArray:
    """Return how near candidates (m, dim) are to any of the sounds that are liked (n, dim), as a cosine (m,).

    A soft maximum over the liked tracks: tastes are several, and their mean would be a sound that nobody asked for;
    but near to many of them is better than near to one.
    """
    closeness = (candidates @ liked.T).astype(np.float64)
    scores: FloatArray = (np.log(np.exp(_SHARPNESS * closeness).mean(axis=1)) / _SHARPNESS).astype(np.float32)
    return np.clip(scores, -1, 1)


def ranked(scores: FloatArray) -> list[int]:
    """Return places by falling score, equal ones as they came."""
    order: list[int] = np.argsort(-scores, kind="stable").tolist()
    return order


def _of(probabilities: FloatArray) -> tuple[int, ...]:
    return tuple(place for place in ranked(probabilities) if probabilities[place] >= _IS_OF)


def _strongest(found: list[Favourite]) -> list[Favourite]:
    """Return what there is to go by where no track is surely of any genre."""
    return sorted(found, key=lambda each: (-each.weight, each.column))[:3]
