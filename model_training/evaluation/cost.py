"""What hearing costs: processor time for a track of four minutes on one thread, bytes of weights, time to load."""

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
import torch

from model_training.evaluation.tables import Table
from model_training.synthesis.encode import write_audio
from musrecd.analysis.analyse import analyse
from musrecd.analysis.encoder import Encoded, Encoder, HeardChunks, load_encoder
from musrecd.analysis.frontend import FrontendConfig
from musrecd.types import Coverage, EncoderInfo, FloatArray

_TRACK_S = 240
_SR = 44_100
_REPEATS = 7
_LOAD = """
import sys, time
start = time.perf_counter()
from pathlib import Path
from musrecd.analysis.analyse import analyse
from musrecd.analysis.encoder import load_encoder
load_encoder(Path(sys.argv[1]))
print(time.perf_counter() - start)
"""


class StopWatch:
    """An encoder that notes the CPU seconds of each call and the seconds of sound it was given."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.cpu_s: list[float] = []
        self.sound_s = 0.0

    @property
    def info(self) -> EncoderInfo:
        """Version, dimension and labels."""
        return self._encoder.info

    @property
    def frontend(self) -> FrontendConfig:
        """Sample rate, spectrum and chunk length."""
        return self._encoder.frontend

    @property
    def coverage(self) -> Coverage:
        """How much of a recording is heard."""
        return self._encoder.coverage

    def spectra(self, ys: Sequence[FloatArray]) -> HeardChunks:
        """Compute spectra and take the time."""
        self.sound_s = sum(y.size for y in ys) / self.frontend.sr
        start = time.process_time()
        heard = self._encoder.spectra(ys)
        self.cpu_s.append(time.process_time() - start)
        return heard

    def encode(self, heard: HeardChunks) -> Encoded:
        """Encode and take the time, together with that of the spectra."""
        start = time.process_time()
        encoded = self._encoder.encode(heard)
        self.cpu_s[-1] += time.process_time() - start
        return encoded


def measure_cost(weights: Path) -> dict[str, Table]:
    """Median CPU seconds of the front-end and the network, and of everything else, that is, decoding."""
    torch.set_num_threads(1)
    watch = StopWatch(load_encoder(weights))
    whole = _cpu_seconds_of_a_track(watch)
    network = median(watch.cpu_s[1:])
    figures = {
        "front-end and network, CPU s": network,
        "decoding, tempo and key, CPU s": max(0.0, whole - network),
        "sound heard, s": watch.sound_s,
        "weights, MB": weights.stat().st_size / 1e6,
        "import and load, s": median(_load_seconds(weights) for _ in range(_REPEATS)),
    }
    return {"cost": {"musrec": dict(figures)}}


def _cpu_seconds_of_a_track(encoder: Encoder) -> float:
    """Let `encoder` hear four minutes in mp3 some times, the first time to warm up."""
    rng = np.random.default_rng(0)
    seconds = []
    with TemporaryDirectory() as folder:
        path = Path(folder) / "track.mp3"
        write_audio(path, rng.normal(0, 0.1, (2, _TRACK_S * _SR)).astype(np.float32), _SR)
        for _ in range(1 + _REPEATS):
            start = time.process_time()
            analyse(bytes(path), encoder)
            seconds.append(time.process_time() - start)
    return median(seconds[1:])


def _load_seconds(weights: Path) -> float:
    done = subprocess.run([sys.executable, "-c", _LOAD, str(weights)], check=True, capture_output=True, text=True)  # noqa: S603
    return float(done.stdout)
