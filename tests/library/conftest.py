"""Small encoders, files and analyses, and a place where flushing to the disk costs nothing."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import musrecd
from musrecd.keys import KEYS
from musrecd.library.store import Library
from musrecd.types import Analysis, EncoderInfo, FileState, FloatArray, Label


class Make:
    """Values of the types that travel, with as little said as possible."""

    version = "enc-1"
    dim = 8
    labels = (Label("rock", "genre"), Label("flute", "instrument"), Label("calm", "mood"))

    def encoder(self, version: str = version) -> EncoderInfo:
        return EncoderInfo(version, self.dim, self.labels)

    def unit(self, seed: int, dim: int = dim) -> FloatArray:
        vector = np.random.default_rng(seed).standard_normal(dim).astype(np.float32)
        return (vector / np.linalg.norm(vector)).astype(np.float32)

    def audio_id(self, number: int) -> str:
        return f"{number:040x}"

    def analysis(self, number: int, seed: int | None = None, version: str = version) -> Analysis:
        """Analysis of the recording with this number; with another seed something else is heard."""
        seed = number if seed is None else seed
        embedding = self.unit(seed)
        probabilities = np.abs(embedding[: len(self.labels)])
        # Every fifth has no pulse, every seventh no key.
        tempo = {"bpm": 60.0 + seed % 100, "bpm_confidence": 0.75} if seed % 5 else {}
        key = {"key": KEYS[seed % len(KEYS)], "key_confidence": 0.25} if seed % 7 else {}
        return Analysis(self.audio_id(number), version, embedding, probabilities, 180.0 + number, **tempo, **key)

    def file(self, path: bytes, size: int = 1000, mtime_ns: int = 1) -> FileState:
        return FileState(path, size, mtime_ns)


@pytest.fixture(scope="session")
def make() -> Make:
    return Make()


@pytest.fixture(scope="session")
def fast_folder() -> str | None:
    """Folder in memory, where there is one, for tests that commit hundreds of times."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


@pytest.fixture
def path(fast_folder: str | None) -> Iterator[Path]:
    """Where a library may be made."""
    with tempfile.TemporaryDirectory(dir=fast_folder) as folder:
        yield Path(folder) / "library.db"


@pytest.fixture
def library(path: Path, make: Make) -> Iterator[Library]:
    """Open a library that knows one encoder."""
    with Library.open(path) as library:
        library.register_encoder(make.encoder())
        yield library


@pytest.fixture
def start() -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Start Python processes on a piece of code, with our package and standard output as a pipe."""
    processes: list[subprocess.Popen[str]] = []
    environment = {**os.environ, "PYTHONPATH": str(Path(musrecd.__file__).parents[1])}

    def start(code: str, *arguments: object) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", code, *map(str, arguments)]
        processes.append(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.communicate()
