"""What may have happened to files, as far as somebody noticed: hints, which only a look at the disk makes facts."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Touched:
    """A file was made or written to."""

    path: bytes


@dataclass(frozen=True, slots=True)
class Moved:
    """A file was renamed within what is watched."""

    source: bytes
    destination: bytes


@dataclass(frozen=True, slots=True)
class Gone:
    """A file or folder was deleted or moved away."""

    path: bytes


@dataclass(frozen=True, slots=True)
class Missed:
    """Something was not noticed below `folder`: it has to be looked through."""

    folder: bytes


Hint = Touched | Moved | Gone | Missed
