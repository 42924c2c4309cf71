"""Musical keys and how they mix: names as beets writes them, the wheels of Camelot and Open Key, relations of DJs."""

from enum import StrEnum
from functools import cache

TONICS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
KEYS = TONICS + tuple(f"{tonic}m" for tonic in TONICS)
"""All 24: the major keys by pitch class (0 is C), then the minor ones."""

_HOURS = 12
_C_MAJOR_HOUR = 8
_OPEN_KEY_LAG = 7


class Relation(StrEnum):
    """Why two keys mix. `ENERGY` lifts: from the first key to the second it is one or two semitones up, same mode."""

    SAME = "same"
    RELATIVE = "relative"
    NEIGHBOUR = "neighbour"
    ENERGY = "energy"


def camelot(key: str) -> str:
    """Return the place of a key on Camelot's wheel: `8B` for `C`, `12A` for `C#m`. Raises ValueError if it is none."""
    return f"{_hour(key)}{'A' if _is_minor(key) else 'B'}"


def open_key(key: str) -> str:
    """Return a key in Open Key notation: `1d` for `C`, `5m` for `C#m`. Raises ValueError if it is none."""
    return f"{(_hour(key) - _OPEN_KEY_LAG - 1) % _HOURS + 1}{'m' if _is_minor(key) else 'd'}"


@cache
def relation(first: str, second: str) -> Relation | None:
    """Say how `second` may follow `first`, None if their notes clash. Raises ValueError if one is no key."""
    steps = (_hour(second) - _hour(first)) % _HOURS
    if _is_minor(first) != _is_minor(second):
        return Relation.RELATIVE if steps == 0 else None
    if steps == 0:
        return Relation.SAME
    if steps in (1, _HOURS - 1):
        return Relation.NEIGHBOUR
    # On the wheel seven hours are one semitone up, and two hours are two.
    return Relation.ENERGY if steps in (2, 7) else None


def are_compatible(first: str, second: str) -> bool:
    """Whether two keys mix as they are: the same, relatives, or neighbours on the wheel. Raises ValueError."""
    return relation(first, second) in (Relation.SAME, Relation.RELATIVE, Relation.NEIGHBOUR)


@cache
def shift_to(first: str, second: str) -> int:
    """Return by how many semitones (-6 to 6) `second` has to move to mix with `first`: the fewest; up if it is equal.

    Raises ValueError if one is no key.
    """
    shifts = sorted(range(-6, 7), key=lambda shift: (abs(shift), -shift))
    return next(shift for shift in shifts if are_compatible(first, transposed(second, shift)))


def transposed(key: str, semitones: int) -> str:
    """Return a key that many semitones up. Raises ValueError if it is none."""
    index = _index(key)
    return KEYS[index - index % _HOURS + (index + semitones) % _HOURS]


def _index(key: str) -> int:
    try:
        return KEYS.index(key)
    except ValueError:
        raise ValueError(f"{key!r} is no key; keys are written like C, C#m, A#") from None


def _is_minor(key: str) -> bool:
    return _index(key) >= _HOURS


def _hour(key: str) -> int:
    """Return the number on Camelot's wheel, 1 to 12: a fifth up is an hour on, relatives share one."""
    tonic = _index(key) % _HOURS + (3 if _is_minor(key) else 0)
    return (_C_MAJOR_HOUR - 1 + 7 * tonic) % _HOURS + 1
