"""Genres, tempi and keys that somebody keeps beside the files, as beets does in its database."""

from typing import Protocol

from musrecd.tagging.heard import NOTHING, Heard
from musrecd.types import FileState


class Elsewhere(Protocol):
    """Who keeps genres of some of the files."""

    def genres(self, path: bytes) -> tuple[str, ...] | None:
        """Return the genres kept for a file, None if it is none of theirs."""

    def put(
        self,
        path: bytes,
        genres: tuple[str, ...],
        was: FileState | None,
        *,
        heard: Heard = NOTHING,
        no_longer: Heard = NOTHING,
    ) -> None:
        """Keep these genres, what was `heard` where nothing is kept, and `no_longer` that, if it is what is kept.

        `was` is how the file lay there before we wrote it, None if we did not.
        """


class _Nowhere:
    """For files that nobody else manages."""

    def genres(self, _path: bytes) -> tuple[str, ...] | None:
        """Return None."""
        return None

    def put(
        self,
        path: bytes,
        genres: tuple[str, ...],
        was: FileState | None,
        *,
        heard: Heard = NOTHING,
        no_longer: Heard = NOTHING,
    ) -> None:
        """Do nothing."""


NOWHERE: Elsewhere = _Nowhere()
