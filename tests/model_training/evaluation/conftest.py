"""Studies of made-up clips, heard by systems whose answers are known."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from model_training.datasets.base import Clip
from model_training.evaluation.hear import Answers, Sound
from model_training.evaluation.study import Study
from model_training.labels import LABELS


def make_clip(
    name: str, source: str, genres: tuple[str, ...], *, moods: tuple[str, ...] = (), group: str | None = None
) -> Clip:
    return Clip(Path(name), name, source, group or f"artist:{name}", genres, moods)


class Answering:
    """A listener that was told the answers: system → name of a sound → (embedding, probabilities)."""

    def __init__(self, answers: dict[str, dict[str, tuple[np.ndarray, np.ndarray]]]) -> None:
        self._answers = answers

    def hear(self, sounds: Sequence[Sound], what: str = "", *, names: Sequence[str] | None = None) -> dict:
        def rows(system: str, part: int) -> np.ndarray:
            return np.stack([self._answers[system][sound.name][part] for sound in sounds])

        return {
            system: Answers(rows(system, 0), rows(system, 1))
            for system in self._answers
            if names is None or system in names
        }


@pytest.fixture
def make_study() -> Callable[..., Study]:
    """Return a function (clips, embeddings, *, probabilities, training, vocabularies) that makes a study.

    `embeddings` and `probabilities` map systems to rows in the order of the clips; `training` names the clips that
    do not validate; the labels are all of ours.
    """

    def make(
        clips: list[Clip],
        embeddings: dict[str, np.ndarray],
        *,
        probabilities: dict[str, np.ndarray] | None = None,
        training: Sequence[str] = (),
        vocabularies: dict[str, list[str]] | None = None,
    ) -> Study:
        said = probabilities or {}
        answers = {
            system: {
                clip.name: (rows[i], said[system][i] if system in said else np.empty(0)) for i, clip in enumerate(clips)
            }
            for system, rows in embeddings.items()
        }
        labels = tuple(source.label for source in LABELS)
        validating, trained = ([c for c in clips if (c.name in training) == side] for side in (False, True))
        return Study(validating, trained, [], Answering(answers), labels, vocabularies or {})

    return make
