"""Label probabilities become words: the most probable labels of a group, or those that are certain."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from musrecd.labels import INSTRUMENTAL, SINGERS, SUNG, THRESHOLDS
from musrecd.types import FloatArray, Label


@dataclass(frozen=True, slots=True)
class Prediction:
    """One label and how probable it is, 0 to 1; from `threshold` on it is believed."""

    name: str
    probability: float
    threshold: float = 1.0


def most_probable(
    probabilities: FloatArray, labels: Sequence[Label], *, group: str = "genre", number: int = 3
) -> list[Prediction]:
    """Return the `number` most probable labels of `group`, best first; `probabilities` is (n_labels,)."""
    columns = [i for i, label in enumerate(labels) if label.group == group]
    order = sorted(columns, key=lambda i: (-probabilities[i], i))[:number]
    return [Prediction(labels[i].name, float(np.clip(probabilities[i], 0, 1))) for i in order]


def certain(
    probabilities: FloatArray, labels: Sequence[Label], group: str, threshold: float | None = None
) -> list[Prediction]:
    """Return the labels of `group` that are probable enough, best first; `probabilities` is (n_labels,).

    `threshold` (0 to 1) is that of THRESHOLDS if none is given. Of the voices at most one is returned, Instrumental or
    Vocals, with its share of both.
    """
    found = most_probable(probabilities, labels, group=group, number=len(labels))
    if group == "voice":
        found = _voice({prediction.name: prediction.probability for prediction in found})
    least = THRESHOLDS[group] if threshold is None else threshold
    return [prediction for prediction in found if prediction.probability >= least]


def _voice(probabilities: dict[str, float]) -> list[Prediction]:
    """Weigh Instrumental against the most probable singer, best first: a track is one or the other.

    All of them are small, because taggers seldom say so; their ratio tells. It does not tell who sings.
    """
    instrumental = probabilities.get(INSTRUMENTAL, 0.0)
    sung = max(probabilities.get(singer, 0.0) for singer in SINGERS)
    if instrumental + sung == 0:
        return []
    share = instrumental / (instrumental + sung)
    both = [Prediction(INSTRUMENTAL, share), Prediction(SUNG, 1 - share)]
    return sorted(both, key=lambda prediction: -prediction.probability)
