"""Which clips train, validate and test: whole artists and recordings, by committed list, official split or drawing."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from zlib import crc32

from model_training.datasets.base import TEST, TRAINING, VALIDATION, Clip

VALIDATION_LIST = Path(__file__).with_name("validation.txt")
_SHARE = 0.25
_LEFT_OUT = "left out"
# A clip that is held out binds its artist and recording more than one that trains.
_STRENGTH = (TRAINING, VALIDATION, TEST)


@dataclass(frozen=True, slots=True)
class Sides:
    """Names of the clips on each side of the split.

    `left_out` share an artist or a recording with a side held out of training more strictly than their own:
    using them would give away what is measured.
    """

    training: frozenset[str]
    validation: frozenset[str]
    test: frozenset[str]
    left_out: frozenset[str]

    @property
    def held_out(self) -> frozenset[str]:
        """All that is not trained on."""
        return self.validation | self.test | self.left_out


def sides(clips: Sequence[Clip], committed: frozenset[str] | None = None) -> Sides:
    """Say on which side every clip is. No group, no recording and no file's content stands on two sides.

    Where the committed list (ours, unless another is given) names clips of a source, it decides for that source;
    elsewhere the official split does, and where there is none, a quarter is drawn to validate. Clips without a
    side of their own follow those with whom they share an artist or a recording.
    """
    committed = read_validation() if committed is None else committed
    listed = {clip.source for clip in clips if clip.name in committed}
    own = {clip.name: _own_side(clip, committed, clip.source in listed) for clip in clips}
    parts = _kept_together(clips)
    drawn = frozenset(draw_validation(_undecided(parts, own)))
    found: dict[str, set[str]] = defaultdict(set)
    for part in parts:
        side = _side_of(part, own, drawn)
        for clip in part:
            found[side if own[clip.name] in ("", side) else _LEFT_OUT].add(clip.name)
    return Sides(*(frozenset(found[side]) for side in (*_STRENGTH, _LEFT_OUT)))


def _own_side(clip: Clip, committed: frozenset[str], is_listed: bool) -> str:
    if is_listed:
        return VALIDATION if clip.name in committed else TRAINING
    return clip.split


def _undecided(parts: Iterable[list[Clip]], own: dict[str, str]) -> list[Clip]:
    """Clips that nobody gave a side and that follow none; what is kept together is one group."""
    free = [part for part in parts if not any(own[clip.name] for clip in part)]
    return [replace(clip, group=min(each.group for each in part)) for part in free for clip in part]


def _side_of(part: list[Clip], own: dict[str, str], drawn: frozenset[str]) -> str:
    given = [own[clip.name] for clip in part if own[clip.name]]
    if given:
        return max(given, key=_STRENGTH.index)
    return VALIDATION if part[0].name in drawn else TRAINING


def _kept_together(clips: Sequence[Clip]) -> list[list[Clip]]:
    """Return the smallest sets of clips that share no group, no recording and no file's content with another."""
    contents = _repeated_contents(clips)
    parents: dict[str, str] = {}

    def root(key: str) -> str:
        while (above := parents.setdefault(key, key)) != key:
            parents[key] = key = parents[above]
        return key

    for clip in clips:
        for key in (clip.recording and f"recording {clip.recording}", contents.get(clip.path, "")):
            if key:
                parents[root(key)] = root(f"group {clip.group}")
    parts: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        parts[root(f"group {clip.group}")].append(clip)
    return list(parts.values())


def _repeated_contents(clips: Iterable[Clip]) -> dict[Path, str]:
    """Return the checksum of every file that may be another's copy: only files of one length are read."""
    by_length: dict[int, set[Path]] = defaultdict(set)
    for clip in clips:
        if clip.path.is_file():
            by_length[clip.path.stat().st_size].add(clip.path)
    return {path: _checksum(path) for paths in by_length.values() if len(paths) > 1 for path in paths}


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return f"content {hashlib.file_digest(file, 'blake2b').hexdigest()}"


def draw_validation(clips: Iterable[Clip]) -> list[str]:
    """Names of about a quarter of the clips of each source and genre, in whole groups.

    Drawn by checksum and not by chance; drawing again gives the same.
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
