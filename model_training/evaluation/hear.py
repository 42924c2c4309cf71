"""What every system makes of every sound: embeddings, and the label probabilities of those that have labels.

Systems are the encoder (through `analyse`, so exactly as it serves), hand-made MFCC features and the teachers.
"""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory

import librosa
import numpy as np
import torch
from rich.progress import track

from model_training.datasets.base import Clip
from model_training.evaluation.variants import decode_whole, write_variant
from model_training.teachers import load_teachers
from model_training.teachers.base import SR, Heard, Teacher
from musrecd.analysis.analyse import analyse
from musrecd.analysis.encoder import TorchEncoder, load_encoder
from musrecd.types import FloatArray

OURS = "musrec"
HAND_MADE = "mfcc"


@dataclass(frozen=True, slots=True)
class Sound:
    """A recording, as it is or as one of the variants of `variants.py`."""

    name: str
    path: Path
    variant: str = ""

    @property
    def key(self) -> str:
        """What a cache knows it by."""
        return f"{self.name}|{self.variant}"


@dataclass(frozen=True, slots=True)
class Systems:
    """Which systems listen: the encoder in `weights`, MFCC, and those named of the folder `teachers`."""

    weights: Path
    teachers: Path | None = None
    names: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """Every system by name, ours first."""
        return (OURS, HAND_MADE, *self.names)


@dataclass(frozen=True, slots=True)
class Answers:
    """What one system says of n sounds: `embeddings` (n, dim) and `probabilities` (n, n_labels, may be 0)."""

    embeddings: FloatArray
    probabilities: FloatArray


def mfcc_features(y: FloatArray, sr: int) -> FloatArray:
    """Mean and spread of 20 MFCC and spread of their deltas (60,): what similarity was made of without a network."""
    mfcc = librosa.feature.mfcc(y=y, sr=sr, n_mfcc=20)
    width = min(9, mfcc.shape[1] - 1 + mfcc.shape[1] % 2)
    deltas = librosa.feature.delta(mfcc, width=max(3, width))
    features: FloatArray = np.concatenate([mfcc.mean(1), mfcc.std(1), deltas.std(1)]).astype(np.float32)
    return features


_Job = tuple[Sound, tuple[str, ...]]
_Mapping = Callable[[Callable[[_Job], dict[str, Heard]], Sequence[_Job]], Iterator[dict[str, Heard]]]


class Listener:
    """Asks every system about sounds, each once, in `n_processes` processes.

    Answers of teachers and hand-made features are kept in the folder `kept`, if one is given; the encoder's
    never are, because it is what changes.
    """

    def __init__(self, systems: Systems, *, kept: Path | None = None, n_processes: int = 1) -> None:
        self.systems, self._kept, self._n_processes = systems, kept, n_processes
        self._answers: dict[str, dict[str, Heard]] = {name: self._read(name) for name in systems.all}

    def hear(
        self, sounds: Sequence[Sound], what: str = "Hearing", *, names: Sequence[str] | None = None
    ) -> dict[str, Answers]:
        """Return the answers of every system, or of those in `names`, one row for each sound."""
        asked = [name for name in self.systems.all if names is None or name in names]
        missing = [(sound, self._missing(sound, asked)) for sound in sounds]
        if jobs := [(sound, unasked) for sound, unasked in missing if unasked]:
            try:
                self._ask(jobs, what)
            finally:
                self._write()
        return {name: self._stacked(name, sounds) for name in asked}

    def _missing(self, sound: Sound, asked: Sequence[str]) -> tuple[str, ...]:
        return tuple(name for name in asked if sound.key not in self._answers[name])

    def _ask(self, jobs: list[_Job], what: str) -> None:
        with _mapping(self._n_processes) as mapped:
            answers = mapped(partial(_hear, self.systems), jobs)
            for (sound, _), heard in track(zip(jobs, answers, strict=True), what, total=len(jobs)):
                for name, answer in heard.items():
                    self._answers[name][sound.key] = answer

    def _stacked(self, name: str, sounds: Sequence[Sound]) -> Answers:
        heard = [self._answers[name][sound.key] for sound in sounds]
        return Answers(np.stack([h.embedding for h in heard]), np.stack([h.probabilities for h in heard]))

    def _read(self, name: str) -> dict[str, Heard]:
        if not self._kept or name == OURS or not (path := self._kept / f"{name}.npz").exists():
            return {}
        with np.load(path, allow_pickle=False) as arrays:
            rows = zip(*(arrays[key] for key in ("sounds", "embeddings", "probabilities")), strict=True)
            return {str(sound): Heard(embedding, probabilities) for sound, embedding, probabilities in rows}

    def _write(self) -> None:
        for name, heard in self._answers.items():
            if not self._kept or name == OURS or not heard:
                continue
            self._kept.mkdir(parents=True, exist_ok=True)
            partial_file = self._kept / f"{name}.partial.npz"
            np.savez(
                partial_file,
                allow_pickle=False,
                sounds=np.array(list(heard)),
                embeddings=np.stack([h.embedding for h in heard.values()]),
                probabilities=np.stack([h.probabilities for h in heard.values()]),
            )
            partial_file.replace(self._kept / f"{name}.npz")


@contextmanager
def _mapping(n_processes: int) -> Iterator[_Mapping]:
    """`map` in this process, or over several."""
    if n_processes == 1:
        yield map
        return
    with multiprocessing.get_context("spawn").Pool(n_processes) as pool:
        yield partial(pool.imap, chunksize=4)


def _hear(systems: Systems, job: _Job) -> dict[str, Heard]:
    """Let the named systems hear one sound; a variant is written to a file first, because files are what is served."""
    sound, names = job
    if not sound.variant:
        return _ask(systems, names, sound.path)
    with TemporaryDirectory() as folder:
        return _ask(systems, names, write_variant(sound.path, sound.variant, Path(folder)))


def _ask(systems: Systems, names: Sequence[str], path: Path) -> dict[str, Heard]:
    heard = {}
    if OURS in names:
        analysis = analyse(bytes(path), _encoder(systems.weights))
        heard[OURS] = Heard(analysis.embedding, analysis.probabilities)
    if others := [name for name in names if name != OURS]:
        y = decode_whole(path, SR)
        heard |= {name: _ask_other(systems, name, y) for name in others}
    return heard


def _ask_other(systems: Systems, name: str, y: FloatArray) -> Heard:
    if name == HAND_MADE:
        return Heard(mfcc_features(y, SR), np.empty(0, np.float32))
    return _teacher(systems.teachers or Path(), name).hear(y)


@cache
def _encoder(weights: Path) -> TorchEncoder:
    torch.set_num_threads(1)
    return load_encoder(weights)


@cache
def _teacher(folder: Path, name: str) -> Teacher:
    torch.set_num_threads(1)
    return load_teachers(folder, (name,))[name]


def sounds_of(clips: Sequence[Clip]) -> list[Sound]:
    """Take the clips as they are."""
    return [Sound(clip.name, clip.path) for clip in clips]
