"""Where the processor time of one analysis goes, stage by stage."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

import numpy as np

from musrecd.analysis import analyse, audio
from musrecd.analysis.encoder import Encoder
from musrecd.library.store import Library
from musrecd.types import Analysis, FileState, Tags
from tests.benchmarks.floors import decode_packets, demux

# In the order of the work. The parts of `hash` and `mix` are what is left when FFmpeg's own share is taken away.
STAGES = ("demux", "hash", "decode", "mix", "front-end", "network", "tempo", "key", "rest", "store")


class _Clock:
    """Sums CPU seconds by name."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        began = time.process_time()
        try:
            yield
        finally:
            self.seconds[name] += time.process_time() - began

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **keywords: Any) -> Any:
            with self.of(name):
                return function(*arguments, **keywords)

        return call


class _TimedEncoder:
    def __init__(self, encoder: Encoder, clock: _Clock) -> None:
        self.info, self.frontend, self.coverage = encoder.info, encoder.frontend, encoder.coverage
        self.spectra = clock.timed("front-end", encoder.spectra)
        self.encode = clock.timed("network", encoder.encode)


def measure(path: Path, encoder: Encoder, runs: int) -> dict[str, float]:
    """Median CPU milliseconds of each of STAGES; the first run is warm-up."""
    passes = [_one_pass(path, encoder) for _ in range(runs + 1)][1:]
    return {stage: 1000 * median(each[stage] for each in passes) for stage in STAGES}


def _one_pass(path: Path, encoder: Encoder) -> dict[str, float]:
    clock = _Clock()
    with clock.of("total"):
        analysis = _analyse(path, encoder, clock)
    _alone(path, encoder.frontend.chunk_s, clock)
    seconds = clock.seconds
    heard = sum(seconds[stage] for stage in ("listen", "decoding", "front-end", "network", "tempo", "key"))
    return dict(seconds) | {
        "hash": max(0.0, seconds["listen"] - seconds["demux"]),
        "mix": max(0.0, seconds["decoding"] - seconds["decode"]),
        "rest": max(0.0, seconds["total"] - heard),
        "store": _store_seconds(path, analysis, encoder),
    }


def _analyse(path: Path, encoder: Encoder, clock: _Clock) -> Analysis:
    @contextmanager
    def listen(*arguments: Any) -> Iterator[audio.Recording]:
        with ExitStack() as stack:
            with clock.of("listen"):
                recording = stack.enter_context(audio.listen(*arguments))
            yield recording

    with (
        patch.object(analyse, "listen", listen),
        patch.object(analyse, "estimate_tempo", clock.timed("tempo", analyse.estimate_tempo)),
        patch.object(analyse, "estimate_key", clock.timed("key", analyse.estimate_key)),
        patch.object(audio.Recording, "decode", clock.timed("decoding", audio.Recording.decode)),
    ):
        return analyse.analyse(path, _TimedEncoder(encoder, clock))


def _alone(path: Path, chunk_s: float, clock: _Clock) -> None:
    """Take the time of FFmpeg's share: demuxing all, and decoding what is heard."""
    with clock.of("demux"):
        demux(path)
    with audio.listen(path, analyse.excerpt_plan(chunk_s)) as recording, clock.of("decode"):
        for excerpt in recording.excerpts:
            decode_packets(excerpt.packets)


_N_STORED = 50


def _store_seconds(path: Path, analysis: Analysis, encoder: Encoder) -> float:
    """CPU seconds of storing one analysis: a share of many, in a library of its own."""
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder, Library.open(Path(folder) / "library.db") as library:
        library.register_encoder(encoder.info)
        rows = [(FileState(b"%s.%d" % (bytes(path), i), 1, 1), _renamed(analysis, i)) for i in range(_N_STORED)]
        began = time.process_time()
        for file, each in rows:
            library.add(file, each, Tags())
        return (time.process_time() - began) / _N_STORED


def _renamed(analysis: Analysis, number: int) -> Analysis:

    return analysis._replace(audio_id=f"{number:040x}", embedding=np.array(analysis.embedding))


def share_of_decoding(stages: dict[str, float]) -> float:
    """How many times the CPU time of decoding what is heard (demux, decode, mix) the whole analysis takes."""
    return sum(stages[s] for s in STAGES if s != "store") / sum(stages[s] for s in ("demux", "decode", "mix"))


def rows(measured: dict[str, dict[str, float]]) -> Sequence[Sequence[str]]:
    """Return a row for each format: its stages, the sum without storing, and how often decoding goes into it."""
    return [
        [
            name,
            *(f"{stages[s]:.0f}" if s != "store" else f"{stages[s]:.1f}" for s in STAGES),
            f"{sum(stages[s] for s in STAGES if s != 'store'):.0f}",
            f"{share_of_decoding(stages):.2f}",
        ]
        for name, stages in measured.items()
    ]
