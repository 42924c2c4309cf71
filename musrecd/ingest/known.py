"""The recordings that need not be heard, as a list that can be sent to whoever has no library."""

import mmap
from bisect import bisect_left
from pathlib import Path

N_BYTES = 20
"""Length of an `audio_id`; the list is nothing but them, sorted."""


class KnownList:
    """A file with such a list, which all processes of a machine share. Raises OSError, ValueError if it is empty."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._ids = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def __contains__(self, audio_id: str) -> bool:
        """Whether a recording (hex) is in the list."""
        wanted = bytes.fromhex(audio_id)
        n = len(self._ids) // N_BYTES
        place = bisect_left(range(n), wanted, key=self._id)
        return place < n and self._id(place) == wanted

    def _id(self, place: int) -> bytes:
        return self._ids[place * N_BYTES : (place + 1) * N_BYTES]
