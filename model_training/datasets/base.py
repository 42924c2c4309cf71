"""What every data set says of a clip."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Clip:
    """A labelled excerpt of a recording.

    `name` is its path within the data set, `group` the artist or, where none is known, the smallest set of
    clips that may share one: a group never stands on both sides of a split. `genres` and `moods` are in the
    words of `source`.
    """

    path: Path
    name: str
    source: str
    group: str
    genres: tuple[str, ...]
    moods: tuple[str, ...]
