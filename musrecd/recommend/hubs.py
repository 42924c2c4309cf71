"""Tracks that are everyone's neighbour, and how much less they count for it."""

from typing import TYPE_CHECKING

import numpy as np

from musrecd.recommend.similarity import gathered
from musrecd.types import FloatArray

if TYPE_CHECKING:
    import numpy.typing as npt

_N_NEIGHBOURS = 20
_N_SAMPLED = 2000
_N_JUDGED = 200
_CROWDED = 75  # percentile
# Half of the excess, as in CSLS. On 785 clips the worst hub falls from 4.6 % to 3.7 % of all lists of ten, and genre
# precision from .701 to .698. CSLS itself, which takes from all tracks, gets to 2.8 %, but to .686.
_SHARE = 0.5


_latest: "list[Hubs]" = []


def hubs_of(vectors: FloatArray) -> "Hubs":
    """Return what is known of an array; whoever asks about the same one again waits for that but once."""
    if not (_latest and _latest[0].is_of(vectors)):
        _latest[:] = [Hubs(vectors)]
    return _latest[0]


def forget() -> None:
    """Let go of the array that was asked about last."""
    _latest.clear()


class Hubs:
    """Takes from the cosine of tracks in the most crowded quarter of the library half of what they are more crowded.

    How crowded it is around a track is its mean cosine to its nearest neighbours in an even sample of the library,
    which is all of it if it is small.
    """

    def __init__(self, vectors: FloatArray) -> None:
        self._vectors = vectors
        self._sample = np.linspace(0, len(vectors) - 1, min(len(vectors), _N_SAMPLED)).astype(np.intp)
        self._sampled: FloatArray = np.ascontiguousarray(gathered(vectors, self._sample).T)
        self._floor = self._usual()

    def is_of(self, vectors: FloatArray) -> bool:
        """Whether this is what was told of this very array."""
        return self._vectors is vectors

    def penalty(self, rows: "npt.NDArray[np.intp]") -> FloatArray:
        """Return what is taken from the cosine of each row: 0 or more."""
        if self._sample.size <= _N_NEIGHBOURS:
            return np.zeros(rows.size, np.float32)
        excess = np.maximum(self._crowdedness(rows, self._vectors[rows]) - self._floor, 0)
        taken: FloatArray = excess * np.float32(_SHARE)
        return taken

    def _usual(self) -> float:
        if self._sample.size <= _N_NEIGHBOURS:
            return 1.0
        judged = slice(None, None, -(-self._sample.size // _N_JUDGED))
        crowdedness = self._crowdedness(self._sample[judged], self._sampled.T[judged])
        return float(np.percentile(crowdedness, _CROWDED))

    def _crowdedness(self, rows: "npt.NDArray[np.intp]", embeddings: FloatArray) -> FloatArray:
        near = embeddings @ self._sampled
        places = np.minimum(np.searchsorted(self._sample, rows), self._sample.size - 1)
        near[np.flatnonzero(self._sample[places] == rows), places[self._sample[places] == rows]] = -1
        nearest = np.partition(near, near.shape[1] - _N_NEIGHBOURS, axis=1)[:, -_N_NEIGHBOURS:]
        crowdedness: FloatArray = nearest.mean(axis=1)
        return crowdedness
