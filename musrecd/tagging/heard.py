"""Tempo and key as they are written: whole beats a minute, a name such as `C#m`; nothing that is not sure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from musrecd.library.reader import LibraryReader, Pulse

# Both confidences are probabilities, and a tempo is believed as genres are by default. Of 784 clips of real music 68 %
# have a tempo as sure as that, and 39 % a key.
_SURE = 0.74


@dataclass(frozen=True, slots=True)
class Heard:
    """Tempo (whole beats a minute) and key (like `C#m`) of a track; None where there is none."""

    bpm: int | None = None
    key: str | None = None

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return self.bpm is not None or self.key is not None

    def __str__(self) -> str:
        """Say it to a person."""
        return ", ".join(filter(None, ("" if self.bpm is None else f"{self.bpm} BPM", self.key)))

    @classmethod
    def of(cls, pulse: Pulse, *, tempo: bool, key: bool) -> Self:
        """Take what is asked for and sure enough."""
        is_tempo = tempo and pulse.bpm is not None and (pulse.bpm_confidence or 0) >= _SURE
        is_key = key and (pulse.key_confidence or 0) >= _SURE
        return cls(round(pulse.bpm) if is_tempo and pulse.bpm else None, pulse.key if is_key else None)

    def where_none(self, has_tempo: bool, has_key: bool) -> "Heard":
        """Leave out what is there already."""
        return Heard(None if has_tempo else self.bpm, None if has_key else self.key)


NOTHING = Heard()


def heard_of(reader: LibraryReader, ids: Sequence[int], version: str, *, tempo: bool, key: bool) -> Mapping[int, Heard]:
    """Tell tempo and key of recordings, as far as they are asked for and sure enough. Raises LibraryError."""
    if not tempo and not key:
        return {}
    return {number: Heard.of(pulse, tempo=tempo, key=key) for number, pulse in reader.pulses(ids, version).items()}
