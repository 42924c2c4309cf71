"""Which clips train and which validate: whole groups (artists), fixed by a committed list of names."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from zlib import crc32

from model_training.datasets.base import Clip

VALIDATION_LIST = Path(__file__).with_name("validation.txt")
_SHARE = 0.25


def draw_validation(clips: Iterable[Clip]) -> list[str]:
    """Names of about a quarter of the clips of each source and genre, in whole groups.

    Drawn once, by checksum and not by chance, and then committed; drawing again gives the same.
    """
    groups: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        groups[clip.group].append(clip)
    strata: dict[tuple[str, ...], list[list[Clip]]] = defaultdict(list)
    for group in sorted(groups, key=lambda name: crc32(name.encode())):
        members = groups[group]
        strata[(members[0].source, *members[0].genres[:1])].append(members)
    return sorted(clip.name for stratum in strata.values() for clip in _share_of(stratum))


def _share_of(stratum: list[list[Clip]]) -> list[Clip]:
    wanted = _SHARE * sum(map(len, stratum))
    chosen: list[Clip] = []
    for members in stratum:
        if len(chosen) + len(members) / 2 < wanted:
            chosen += members
    return chosen


def read_validation(path: Path = VALIDATION_LIST) -> frozenset[str]:
    """Read the committed list."""
    return frozenset(line for line in path.read_text(encoding="utf-8").splitlines() if line)


def split(clips: Iterable[Clip], validation: frozenset[str]) -> tuple[list[Clip], list[Clip]]:
    """Return (training, validating) clips. Raises ValueError if a group stands on both sides."""
    training: list[Clip] = []
    validating: list[Clip] = []
    for clip in clips:
        (validating if clip.name in validation else training).append(clip)
    shared = {clip.group for clip in training} & {clip.group for clip in validating}
    if shared:
        raise ValueError(f"{len(shared)} groups are on both sides of the split, among them {min(shared)}")
    return training, validating
