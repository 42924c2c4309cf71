"""The encoder's labels: from which probability on one is believed, and which of them a person's word means."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from musrecd.errors import MusrecError
from musrecd.spelling import spelling_key
from musrecd.types import Label

if TYPE_CHECKING:
    import numpy.typing as npt

# From which probability on a label counts as certain. Moods that data sets know are calibrated; the labels of
# instruments are not: taggers taught them, who name an instrument in a small part of the tracks that have it. Of the
# validating clips 22 % have one above .2, which is about twice what is usual for drums, and more for all others.
THRESHOLDS = {"mood": 0.5, "voice": 2 / 3, "instrument": 0.2}
# Which genres are written into tags is the person's choice; to compare tracks, more likely than not is enough.
_LIKELY = 0.5
# What is less probable is no opinion at all.
_NO_OPINION = 0.1
INSTRUMENTAL, SUNG = "Instrumental", "Vocals"
SINGERS = (SUNG, "Female Vocals", "Male Vocals", "Choir")
_WORD = re.compile(r"[^\W_]+")
_SCALE = 255


def in_255ths(probabilities: "npt.ArrayLike") -> "npt.NDArray[np.uint8]":
    """Round probabilities (0 to 1) to 255ths, as they are kept of all rows."""
    scaled: npt.NDArray[np.uint8] = np.rint(np.clip(probabilities, 0, 1) * np.float32(_SCALE)).astype(np.uint8)
    return scaled


def believed(
    probabilities: "npt.NDArray[np.uint8]", labels: Sequence[Label], columns: Sequence[int]
) -> "npt.NDArray[np.bool_]":
    """Say which of the labels in `columns` are believed of each row: (n, len(columns)).

    `probabilities` (n, n_labels) are in 255ths; rounding to them is forgiven. A track is sung or instrumental, told by
    the ratio of both; of who sings the most probable is believed.
    """
    told = np.empty((len(probabilities), len(columns)), bool)
    for i, column in enumerate(columns):
        group = labels[column].group
        if group == "voice":
            told[:, i] = _voiced(probabilities, labels, labels[column].name)
        else:
            told[:, i] = probabilities[:, column] >= THRESHOLDS.get(group, _LIKELY) * _SCALE - 0.5
    return told


def likeliest(probabilities: "npt.NDArray[np.uint8]", columns: Sequence[int]) -> "npt.NDArray[np.bool_]":
    """Say which of the labels in `columns` is the most probable of each row, if it is at all: (n, len(columns)).

    `probabilities` (n, n_labels) are in 255ths.
    """
    told = np.zeros((len(probabilities), len(columns)), bool)
    if columns:
        within = probabilities[:, list(columns)]
        best = within.argmax(axis=1)[:, None]
        np.put_along_axis(told, best, np.take_along_axis(within, best, axis=1) >= _NO_OPINION * _SCALE, axis=1)
    return told


def columns_of(name: str, labels: Sequence[Label]) -> tuple[int, ...]:
    """Return which labels a word means: that genre, and all others that contain its words (`guitar`, `female`).

    Raises MusrecError with the nearest labels if there is none.
    """
    words = _words(name)
    meant = [
        i
        for i, label in enumerate(labels)
        if (label.group == "genre" and spelling_key(label.name) == spelling_key(name))
        or (label.group != "genre" and words and words <= _words(label.name))
    ]
    # Only a word that is no label by itself means the genres that contain it, or `pop` were `Traditional Pop`, too.
    meant = meant or [i for i, label in enumerate(labels) if words and words <= _words(label.name)]
    if not meant:
        raise MusrecError(f"{name!r} is no label; {_suggestion(name, labels)}")
    return tuple(meant)


def _voiced(probabilities: "npt.NDArray[np.uint8]", labels: Sequence[Label], name: str) -> "npt.NDArray[np.bool_]":
    heard = {
        label.name: probabilities[:, i].astype(np.int16) for i, label in enumerate(labels) if label.group == "voice"
    }
    nothing = np.zeros(len(probabilities), np.int16)
    instrumental = heard.get(INSTRUMENTAL, nothing)
    sung = np.maximum.reduce([heard.get(singer, nothing) for singer in SINGERS])
    part = instrumental if name == INSTRUMENTAL else sung
    # Not told by a product of floats, in which two thirds would not be two thirds.
    certain: npt.NDArray[np.bool_] = (part > 0) & (part >= THRESHOLDS["voice"] * (instrumental + sung) - 0.01)
    if name in (INSTRUMENTAL, SUNG):
        return certain
    others = [heard.get(singer, nothing) for singer in SINGERS[1:] if singer != name]
    told: npt.NDArray[np.bool_] = certain & (heard[name] > np.maximum.reduce(others))
    return told


def _words(name: str) -> set[str]:
    """Return the words of a name, singular, so that `drum` is found in `Drums`."""
    return {word[:-1] if len(word) > 3 and word.endswith("s") else word for word in _WORD.findall(name.casefold())}


def _suggestion(name: str, labels: Sequence[Label]) -> str:
    import difflib

    # A word is as near as the nearest word of a name; whole names come last, so that they win.
    names = {word: label.name for label in labels for word in _WORD.findall(label.name.casefold())}
    names |= {label.name.casefold(): label.name for label in labels}
    near = difflib.get_close_matches(name.casefold(), names, n=3, cutoff=0.6)
    if near:
        return f"did you mean {' or '.join(dict.fromkeys(names[each] for each in near))}?"
    return f"there are {', '.join(sorted({label.name for label in labels}))}"
