"""What every data set says of a clip, and what it says when something is missing."""

import csv
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

logger = logging.getLogger(__name__)

TRAINING, VALIDATION, TEST = "training", "validation", "test"

# What stands where an artist should, and says nothing about who played.
_NOBODY = frozenset({"", "va", "various", "various artists", "unknown", "unknown artist", "[unknown]", "<unknown>"})


@dataclass(frozen=True, slots=True)
class Clip:
    """A labelled excerpt of a recording.

    `name` is its path within the data set, `group` the artist or, where none is known, the smallest set of
    clips that may share one: a group never stands on both sides of a split. `genres`, `moods` and `others`
    (instruments, voices, finer genres) are in the words of `source`; `denied` are words that it says do not hold.

    `split` is the side on which the data set's makers put it: training, validation, test, or "" where they
    did not say. `recording` is the same text for all clips of one recording, "" if only the group is known.
    """

    path: Path
    name: str
    source: str
    group: str
    genres: tuple[str, ...]
    moods: tuple[str, ...]
    split: str = ""
    recording: str = ""
    others: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DataSet:
    """A data set that can be trained on: `load` reads its folder, `home` says where to get it."""

    name: str
    load: Callable[[Path], list[Clip]]
    home: str
    licence: str


class DataSetError(ValueError):
    """A data set lacks something; the message is one line that says what and where to get it."""


def need(path: Path, home: str) -> Path:
    """Return the path if there is something. Raises DataSetError that names it and where the data set is."""
    if not path.exists():
        raise DataSetError(f"{path} is missing; see {home}")
    return path


def read_table(path: Path, home: str, columns: Sequence[str], delimiter: str = ",") -> Iterator[dict[str, str]]:
    """Yield the rows of a table with a header. Raises DataSetError without the table or one of the columns."""
    with need(path, home).open(encoding="utf-8", errors="replace", newline="") as table:
        rows = csv.DictReader(table, delimiter=delimiter, restval="")
        need_columns(path, home, columns, rows.fieldnames or ())
        yield from rows


def need_columns(path: Path, home: str, wanted: Iterable[str], there: Iterable[str]) -> None:
    """Raise DataSetError if a wanted column is not there."""
    missing = sorted(set(wanted) - set(there))
    if missing:
        raise DataSetError(f"{path} has no column {', '.join(missing)}; see {home}")


def present(clips: Sequence[Clip], folder: Path, home: str) -> list[Clip]:
    """Return the clips whose audio is there and not empty; large sets are seldom unpacked without a gap.

    Says how many are missing. Raises DataSetError if all are.
    """
    there = [clip for clip in clips if clip.path.is_file() and clip.path.stat().st_size > 0]
    if not there:
        first = clips[0].path if clips else folder
        raise DataSetError(f"{folder} holds no audio of the data set, {first} is missing; see {home}")
    if len(there) < len(clips):
        logger.warning("%d of %d clips of %s have no audio", len(clips) - len(there), len(clips), folder)
    return there


def words(cell: str) -> tuple[str, ...]:
    """Split a cell at semicolons, without blanks and empty words."""
    return tuple(word.strip() for word in cell.split(";") if word.strip())


def artist_group(artist: str) -> str:
    """Return the group of an artist, the same in every data set; "" if this names nobody."""
    folded = artist.strip().casefold()
    return "" if folded in _NOBODY else f"artist:{folded}"


def recording_of(artist: str, title: str) -> str:
    """Name a recording by artist and title; "" unless both are known."""
    group, folded = artist_group(artist), title.strip().casefold()
    return f"{group}|{folded}" if group and folded else ""
