"""Whether genres are written, which, and why not: what a person chose is never overwritten unasked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from musrecd.tagging.heard import NOTHING, Heard
from musrecd.tagging.predict import Prediction

Manner: TypeAlias = Literal["fill", "extend", "replace"]
# Whether genres, as people write them, say a genre already.
Among: TypeAlias = Callable[[str, Sequence[str]], bool]


@dataclass(frozen=True, slots=True)
class Policy:
    """`fill` writes where no genre is, `extend` adds to those there are, `replace` puts ours in their place.

    At most `count` are written. Predictions below `threshold` are not, or where that is None below their own.
    """

    manner: Manner
    count: int
    threshold: float | None = None

    def believes(self, prediction: Prediction) -> bool:
        """Whether a prediction is sure enough to be written."""
        threshold = prediction.threshold if self.threshold is None else self.threshold
        return prediction.probability >= threshold


@dataclass(frozen=True, slots=True)
class Decision:
    """`genres` are what the file is to have, None if it is left alone; `why` says it in a few words.

    `probability` is that of the least probable genre that is written. `moods` and what was `heard` are written with it
    or by themselves.
    """

    genres: tuple[str, ...] | None
    why: str
    probability: float | None = None
    moods: tuple[str, ...] = ()
    heard: Heard = NOTHING

    @property
    def is_change(self) -> bool:
        """Whether anything would be written."""
        return self.genres is not None or bool(self.moods) or bool(self.heard)


def decide(
    current: Sequence[str],
    predicted: Sequence[Prediction],
    policy: Policy,
    *,
    among: Among,
    ours: Sequence[str] | None = None,
) -> Decision:
    """Decide about one track that has the genres `current`.

    `predicted` are genres in the person's words, best first. `ours` are the genres that we left there the last time,
    None if we never wrote any: where they are others now, somebody changed them, and only `replace` touches them.
    """
    certain = [each for each in predicted if policy.believes(each)][: policy.count]
    if ours is not None and tuple(ours) != tuple(current) and policy.manner != "replace":
        return Decision(None, "changed by you since" if current else "emptied by you since")
    if current and policy.manner == "fill":
        return Decision(None, "has a genre")
    if not policy.count:
        return Decision(None, "no genres wanted")
    if not certain:
        return Decision(None, "not sure enough" if predicted else "no genre that is allowed")
    if policy.manner == "extend":
        certain = [each for each in certain if not among(each.name, current)]
        genres = (*current, *(each.name for each in certain))
    else:
        genres = tuple(each.name for each in certain)
    if not certain or genres == tuple(current):
        return Decision(None, "has it already")
    why = {"fill": "fill", "extend": "add", "replace": "replace"}[policy.manner if current else "fill"]
    return Decision(genres, why, min(each.probability for each in certain))
