"""What an evaluation looks at: the clips whose artists were not trained on, and who hears them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from model_training.datasets.base import Clip
from model_training.evaluation.hear import HAND_MADE, OURS, Answers, Listener, sounds_of
from model_training.labels import LABELS, LabelSource, main_genre, truth
from musrecd.types import FloatArray, Label

PAIR = ("fcn_msd", "musicnn_msd")
ALL_TEACHERS = "all teachers"
_MIN_CLASS = 5


def single_genre(clips: Sequence[Clip]) -> list[Clip]:
    """Clips that similarity is scored on: of one genre that has enough of them."""
    chosen = [clip for clip in clips if main_genre(clip)]
    counts = Counter(main_genre(clip) for clip in chosen)
    return [clip for clip in chosen if counts[main_genre(clip)] >= _MIN_CLASS]


@dataclass(frozen=True)
class Study:
    """Clips on both sides of the split, whole tracks, who listens, and what labels are called.

    `labels` are the encoder's, `vocabularies` those of each teacher, in the order of their outputs.
    """

    validating: Sequence[Clip]
    training: Sequence[Clip]
    tracks: Sequence[Path]
    listener: Listener
    labels: tuple[Label, ...]
    vocabularies: dict[str, list[str]]

    @cached_property
    def sources(self) -> list[LabelSource]:
        """The labels that the encoder predicts, in its order, with what data sets and teachers call them."""
        known = {source.label: source for source in LABELS}
        return [known[label] for label in self.labels]

    def hear(self, clips: Sequence[Clip], what: str) -> dict[str, Answers]:
        """Answers of every system to the clips as they are."""
        return self.listener.hear(sounds_of(clips), what)

    def embeddings(self, clips: Sequence[Clip], what: str) -> dict[str, FloatArray]:
        """Embeddings of every system (n, dim), those of several teachers side by side among them."""
        return side_by_side({name: answers.embeddings for name, answers in self.hear(clips, what).items()})

    def truths(self, clips: Sequence[Clip]) -> FloatArray:
        """Look up what the data sets say of each clip and label (n, n_labels): 1, 0, or NaN where they do not know."""
        rows = [[truth(source, clip) for source in self.sources] for clip in clips]
        return np.array(rows, float).astype(np.float32)


def groups_of(clips: Sequence[Clip]) -> np.ndarray:
    """Name the artist, or what stands for one, of each clip."""
    return np.array([clip.group for clip in clips])


def side_by_side(embeddings: dict[str, FloatArray]) -> dict[str, FloatArray]:
    """Add the best known pair of teachers and all teachers; joined after each dimension's z-score."""
    teachers = [name for name in embeddings if name not in (OURS, HAND_MADE)]
    joined = {}
    if set(PAIR) <= set(teachers):
        joined[" + ".join(PAIR)] = np.hstack([embeddings[name] for name in PAIR])
    if len(teachers) > len(PAIR):
        joined[ALL_TEACHERS] = np.hstack([embeddings[name] for name in teachers])
    return embeddings | joined
