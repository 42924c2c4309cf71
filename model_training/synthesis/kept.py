"""Rendered music that is kept: rendering takes longer than all that is done with it, and may be stopped at any time."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from musrecd.types import FloatArray


@dataclass(frozen=True, slots=True)
class Shelf:
    """A `folder` of pieces that were rendered before, None to keep nothing.

    It knows pieces by their names alone: whoever changes what a name stands for empties it.
    """

    folder: Path | None = None

    def take(self, name: str, sr: int, render: Callable[[], FloatArray]) -> FloatArray:
        """Return the piece `name`, (n,), mono at `sr` Hz; it is rendered if it is not there."""
        if self.folder is None:
            return render()
        path = self.folder / f"{name}-{sr}.flac"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            half = path.with_suffix(".half")
            soundfile.write(half, render(), sr, format="FLAC", subtype="PCM_16")
            half.replace(path)
        y: FloatArray = soundfile.read(path, dtype=np.float32)[0]
        return y
