"""Label probabilities become words: the most probable labels of a group."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

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
