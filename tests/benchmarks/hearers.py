"""Programs that hear files, each in a process of its own: it is told paths, and says what each of them cost.

    python -m tests.benchmarks.hearers NAME [teachers=FOLDER]

is one of them, and is started by `Hearer`.
"""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

FULL_COVERAGE = "musrec, full coverage"
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds of all threads, wall seconds, and the most memory the process ever had, in MB."""

    cpu_s: float
    wall_s: float
    peak_mb: float


class Hearer:
    """One such process; a context manager that ends it."""

    def __init__(self, name: str, teachers: Path | None = None) -> None:
        command = [sys.executable, "-m", "tests.benchmarks.hearers", name, str(teachers or "")]
        root = Path(__file__).parents[2]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root, env=os.environ | _ONE_THREAD
        )

    def __enter__(self) -> "Hearer":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def hear(self, path: Path) -> Cost:
        """Let it hear one file."""
        print(path, file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._process.args} ended with {self._process.wait()}")
        return Cost(**json.loads(line))


def available(name: str, teachers: Path | None) -> bool:
    """Whether what `name` needs is installed here."""
    if name == "bliss-audio":
        return find_spec("bliss_audio") is not None
    if name == "librosa":
        return find_spec("librosa") is not None
    return "musicnn" not in name or (teachers is not None and teachers.is_dir())


def _musrec(_: Path | None) -> Callable[[Path], object]:
    from musrecd.analysis.analyse import analyse
    from musrecd.analysis.encoder import load_encoder

    encoder = load_encoder()
    return lambda path: analyse(path, encoder)


def _full(_: Path | None) -> Callable[[Path], object]:
    from musrecd.analysis.analyse import analyse
    from musrecd.analysis.encoder import load_encoder

    encoder = load_encoder(coverage="full")
    return lambda path: analyse(path, encoder)


def _own_decoding(_: Path | None) -> Callable[[Path], object]:
    from musrecd.analysis.analyse import excerpt_plan
    from musrecd.analysis.audio import listen

    def decode(path: Path) -> object:
        with listen(path, excerpt_plan(10.0)) as recording:
            return recording.decode(16_000)

    return decode


def _plain_decoding(_: Path | None) -> Callable[[Path], object]:
    from musrecd.analysis.analyse import excerpt_plan
    from tests.benchmarks.floors import decode_excerpts

    return lambda path: decode_excerpts(path, excerpt_plan(10.0), 16_000)


def _whole_decoding(_: Path | None) -> Callable[[Path], object]:
    from tests.benchmarks.floors import decode_whole

    return lambda path: decode_whole(path, 16_000)


def _bliss(_: Path | None) -> Callable[[Path], object]:
    from bliss_audio import Song

    return lambda path: Song(str(path)).analysis


def _librosa(_: Path | None) -> Callable[[Path], object]:
    import librosa

    def hear(path: Path) -> object:
        y, sr = librosa.load(path)
        features = librosa.feature.mfcc(y=y, sr=sr), librosa.feature.chroma_stft(y=y, sr=sr)
        return features, librosa.beat.beat_track(y=y, sr=sr)

    return hear


def _musicnn(teachers: Path | None, *, is_whole: bool, is_single: bool = False) -> Callable[[Path], object]:
    import numpy as np
    import torch

    if is_single:  # as it was published: the loader's bfloat16 is made undone, in this process alone
        torch.Tensor.bfloat16, torch.autocast = torch.Tensor.float, lambda *_: nullcontext()
    from model_training.teachers.musicnn import load_musicnn

    assert teachers is not None
    teacher = load_musicnn(teachers / "MSD_musicnn.npz", teachers / "labels.json", "musicnn_msd")
    decode = (_whole_decoding if is_whole else _own_decoding)(None)
    return lambda path: teacher.hear(np.concatenate(decode(path))).embedding


HEARERS: dict[str, Callable[[Path | None], Callable[[Path], object]]] = {
    "musrec": _musrec,
    "decoding what is heard, as musrec does it": _own_decoding,
    "decoding what is heard, plainly": _plain_decoding,
    "decoding whole files": _whole_decoding,
    "bliss-audio": _bliss,
    "librosa": _librosa,
    "musicnn, of what musrec hears": lambda teachers: _musicnn(teachers, is_whole=False),
    "musicnn, of whole files": lambda teachers: _musicnn(teachers, is_whole=True),
    "musicnn, of whole files, float32": lambda teachers: _musicnn(teachers, is_whole=True, is_single=True),
    FULL_COVERAGE: _full,
}


def _peak_mb() -> float:
    try:
        # Not from getrusage: on Linux that counts what the parent had when it started us.
        found = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())
    except OSError:
        found = None
    if found:
        return int(found[1]) / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def _serve(name: str, teachers: Path | None) -> None:
    if name != "bliss-audio":
        import torch

        torch.set_num_threads(1)
    hear = HEARERS[name](teachers)
    for line in sys.stdin:
        cpu_s, wall_s = time.process_time(), time.perf_counter()
        hear(Path(line.rstrip("\n")))
        cost = (time.process_time() - cpu_s, time.perf_counter() - wall_s, _peak_mb())
        print(json.dumps(dict(zip(("cpu_s", "wall_s", "peak_mb"), cost, strict=True))), flush=True)


if __name__ == "__main__":
    _serve(sys.argv[1], Path(sys.argv[2]) if sys.argv[2] else None)
