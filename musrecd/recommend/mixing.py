"""How well tempo and key of rows go with those of the seeds."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from musrecd.keys import KEYS, Relation, relation
from musrecd.recommend.asking import KeyRule
from musrecd.types import FloatArray

if TYPE_CHECKING:
    import numpy.typing as npt

WIDEST = 0.10
"""From this deviation on the tempo speaks no more for a result; few decks are pitched further."""
_OCTAVE = 0.9
# 4/3 is as far from 1 as from 2, by deviation.
_NEARER = 0.5 - math.log2(4 / 3)
_KEY_VALUES = {Relation.SAME: 1.0, Relation.RELATIVE: 0.9, Relation.NEIGHBOUR: 0.8, Relation.ENERGY: 0.5}
_ALLOWED: dict[KeyRule, tuple[Relation, ...]] = {
    "same": (Relation.SAME,),
    "compatible": (Relation.SAME, Relation.RELATIVE, Relation.NEIGHBOUR),
    "energy": tuple(Relation),
}


def ratio_to(bpm: FloatArray, seed_bpm: float) -> tuple[FloatArray, FloatArray]:
    """Return how much faster rows are played than the seed, and the factor (0.5, 1, 2) taken out before: (n,) each.

    NaN where a row has no tempo.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        octaves = np.log2(np.where(bpm > 0, bpm, np.nan) / np.float32(seed_bpm))
    factor: FloatArray = np.exp2(np.clip(np.rint(octaves + np.float32(_NEARER)), -1, 1)).astype(np.float32)
    ratio: FloatArray = bpm / (factor * np.float32(seed_bpm))
    return ratio, factor


def deviation(bpm: FloatArray, seed_bpms: Sequence[float]) -> FloatArray:
    """Return the deviation (0.06: 6 %) of rows from the nearest of the seeds' tempos, NaN where there is none: (n,)."""
    nearest = np.full(len(bpm), np.nan, np.float32)
    for seed_bpm in seed_bpms:
        nearest = np.fmin(nearest, np.abs(ratio_to(bpm, seed_bpm)[0] - 1))
    return nearest


def tempo_values(bpm: FloatArray, seed_bpms: Sequence[float]) -> FloatArray:
    """Return how well rows go with the tempo of the best of the seeds: 1 if equal, less if at half or double time.

    NaN where there is no tempo.
    """
    best = np.full(len(bpm), np.nan, np.float32)
    for seed_bpm in seed_bpms:
        ratio, factor = ratio_to(bpm, seed_bpm)
        value = np.maximum(1 - np.abs(ratio - 1) / np.float32(WIDEST), 0)
        best = np.fmax(best, np.where(factor == 1, value, value * np.float32(_OCTAVE)))
    return best


def key_values(key: "npt.NDArray[np.int8]", seed_keys: Sequence[str]) -> FloatArray:
    """Return how well rows (indices into KEYS) go with the key of the best of the seeds, NaN where there is none."""
    table = np.full(len(KEYS) + 1, np.nan, np.float32)  # the last is that of -1, no key
    for i, each in enumerate(KEYS):
        if seed_keys:
            table[i] = max(key_value(relation(seed_key, each)) for seed_key in seed_keys)
    values: FloatArray = table[key]
    return values


def key_value(found: Relation | None) -> float:
    """Return what a relation speaks for a result, 0 to 1."""
    return _KEY_VALUES[found] if found is not None else 0.0


def keys_allowed(rule: KeyRule, key: "npt.NDArray[np.int8]", seed_keys: Sequence[str]) -> "npt.NDArray[np.bool_]":
    """Say which rows have a key that may follow that of one of the seeds: (n,)."""
    table = np.zeros(len(KEYS) + 1, bool)
    for i, each in enumerate(KEYS):
        table[i] = any(relation(seed_key, each) in _ALLOWED[rule] for seed_key in seed_keys)
    allowed: npt.NDArray[np.bool_] = table[key]
    return allowed
