"""A result as it is shown by beets, so plain that it can be told as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from musrecd.asking.ask import Told
    from musrecd.recommend.asking import Parts


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
    number, sound = numbers[result.row], result.parts.sound
    return Shown(number, result.score, sound, told.bpm, told.key, why(result.parts), result.breaks, told.reasons)


def why(parts: Parts) -> dict[str, Any]:
    """Name the parts of a score that are known."""
    known = {name: value for name, value in parts._asdict().items() if value is not None}
    return known if parts.closest is None else known | {"closest": parts.closest._asdict()}
