"""What two processes gain over one, and that the length of a file costs no memory."""

import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from musrecd.config import Config, read_config
from musrecd.ingest.ingest import ingest, start_workers, task_for
from tests.benchmarks.hearers import Hearer
from tests.benchmarks.sounds import write_long


def scan_seconds(folder: Path, files: Sequence[Path], counts: Sequence[int], runs: int) -> dict[int, float]:
    """Median wall seconds of storing what workers hear of `files`, by number of workers, started before, by turns."""
    config = _empty_config(folder)._replace(library=folder / "processes.db", timeout_s=600.0)
    tasks = [task_for(os.fsencode(path)) for path in files]
    seconds: dict[int, list[float]] = {count: [] for count in counts}
    workers = {count: start_workers(config._replace(threads=count), force=True) for count in counts}
    try:
        for run in range(runs + 1):
            for count, pool in workers.items():
                began = time.perf_counter()
                report = ingest(config, tasks, force=True, workers=pool)
                if report.failed:
                    raise RuntimeError(f"{report.failures[0][1]}")
                if run:
                    seconds[count].append(time.perf_counter() - began)
    finally:
        for pool in workers.values():
            pool.stop()
    return {count: median(each) for count, each in seconds.items()}


def _empty_config(folder: Path) -> Config:
    path = folder / "config.yaml"
    path.write_text("musrec: {}\n")
    return read_config(path)


def copies(folder: Path, files: Sequence[Path], n: int) -> list[Path]:
    """Return `n` names for the same few files."""
    paths = [folder / f"{i}-{files[i % len(files)].name}" for i in range(n)]
    for i, path in enumerate(paths):
        if not path.exists():
            shutil.copy(files[i % len(files)], path)
    return paths


def peak_by_length(folder: Path, minutes: Sequence[float]) -> dict[float, tuple[float, float]]:
    """Peak memory in MB and CPU seconds of hearing one file of each length, each in a process of its own."""
    peaks = {}
    for length in minutes:
        path = write_long(folder / f"{length:.0f}-minutes.mp3", length)
        peaks[length] = peak(path)
        path.unlink()
    return peaks


def peak(path: Path) -> tuple[float, float]:
    """Peak memory in MB of a process that hears one file twice, and CPU seconds of the second time."""
    with Hearer("musrec") as hearer:
        hearer.hear(path)
        cost = hearer.hear(path)
    return cost.peak_mb, cost.cpu_s
