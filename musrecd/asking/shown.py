"""A result as it is shown by beets, so plain that it can be told as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from musrecd.asking.ask import Told


class Shown(NamedTuple):
    """What is shown of a result. `number` is that of the item, `why` are the parts of the score by name.

    `bpm` and `key` are None where there is none.
    """

    number: int
    score: float
    sound: float
    bpm: float | None
    key: str | None
    why: dict[str, Any]
    breaks: Sequence[str]
    reasons: Sequence[str]


def shown(told: Told, numbers: Mapping[int, int]) -> Shown:
    """Say what is shown of a result, whose row has one of the numbers."""
    result = told.result
    why = {name: value for name, value in result.parts._asdict().items() if value is not None}
    number, sound = numbers[result.row], result.parts.sound
    return Shown(number, result.score, sound, told.bpm, told.key, why, result.breaks, told.reasons)
