"""The values that travel between the floors: they cannot be changed and have no behaviour."""

from enum import IntEnum
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import numpy as np

# numpy.typing takes longer to import than all of this package's asking path.
if TYPE_CHECKING:
    import numpy.typing as npt

    FloatArray: TypeAlias = npt.NDArray[np.float32]
else:
    FloatArray = np.ndarray

# How much of a recording is heard: about a minute, in windows that are spread over it, or all of it.
Coverage: TypeAlias = Literal["windows", "full"]


class Label(NamedTuple):
    """What the encoder predicts. `group` is genre, instrument, voice or mood."""

    name: str
    group: str


class Chunks(NamedTuple):
    """How a recording sounds piece by piece: what is not silent of what was heard.

    `spans_s` (n, 2) are where each piece begins and ends, in seconds; `directions` (n, dim) are unit vectors.
    """

    spans_s: FloatArray
    directions: FloatArray


class Analysis(NamedTuple):
    """Everything that hearing one file told us.

    `embedding` (dim,) is of unit length; `probabilities` (n_labels,) follow the labels of the encoder named by
    `encoder_version`. `bpm` is in beats per minute, `key` like `C#m`; both are None where there is no pulse or no
    pitch, and of what was heard before musrec estimated them. `hearing` tells which of the ways of estimating them
    was used, the higher the better. `audio_id` names the recording, whatever its tags (hex, 40 characters). `chunks`
    are None where nothing but silence was heard, and of what was heard before they were kept.
    """

    audio_id: str
    encoder_version: str
    embedding: FloatArray
    probabilities: FloatArray
    duration_s: float
    n_damaged_packets: int = 0
    bpm: float | None = None
    bpm_confidence: float | None = None
    key: str | None = None
    key_confidence: float | None = None
    hearing: int = 0
    chunks: Chunks | None = None


class KnownRecording(NamedTuple):
    """A file turned out to hold a recording that was analysed before, under whatever name."""

    audio_id: str


class FileState(NamedTuple):
    """A file as the file system shows it. `path` is absolute, in the bytes of the file system.

    A tuple, because a million of them are compared with as many rows.
    """

    path: bytes
    size: int
    mtime_ns: int


class Priority(IntEnum):
    """Whose turn it is in the queue; the smaller goes first."""

    ASKED = 0
    NEW = 1
    BACKFILL = 2
    AGAIN = 3


class Job(NamedTuple):
    """A file that waits to be heard; `attempts` were made before."""

    path: bytes
    priority: Priority
    attempts: int = 0


class Tags(NamedTuple):
    """What a file says of itself, by which a person recognises and chooses it; empty and None where it says nothing."""

    artist: str = ""
    title: str = ""
    album: str = ""
    genres: tuple[str, ...] = ()
    year: int | None = None


class EncoderInfo(NamedTuple):
    """What the library must know of an encoder to answer without loading it."""

    version: str
    dim: int
    labels: tuple[Label, ...]


class Track(NamedTuple):
    """A file of the library together with the recording it holds."""

    path: bytes
    recording_id: int
    duration_s: float
    tags: Tags


class Features(NamedTuple):
    """What is known of each row of the vector matrix besides its vector: arrays (n_rows,), in the same order.

    `duration_s` is in seconds; `bpm` is NaN where there is no pulse, and `key` (an index into `keys.KEYS`) is -1 where
    there is no pitch, both also where they were not listened for yet; confidences are 0 to 1. `probabilities`
    (n_rows, n_labels) are in 255ths, of `labels`.
    """

    duration_s: FloatArray
    bpm: FloatArray
    bpm_confidence: FloatArray
    key: "npt.NDArray[np.int8]"
    key_confidence: FloatArray
    probabilities: "npt.NDArray[np.uint8]"
    labels: tuple[Label, ...]
