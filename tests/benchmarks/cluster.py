"""How much longer a scan takes when a cluster hears, on one machine, than with as many processes of its own.

    python -m tests.benchmarks.cluster [--files 40] [--runs 3]

All ways run by turns, over new libraries, so that a busy machine is busy for all of them. Wall time is that of the scan
alone, workers wait for it; processor time is that of everything, workers and scheduler from their start.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import numpy as np
import psutil

from tests.conftest import encode

_MUSRECD = [sys.executable, "-m", "musrecd.cli"]
_PORT = 28786
_ADDRESS = f"tcp://127.0.0.1:{_PORT}"
WAYS = ("-t 1", "-t 2", "1 worker", "2 workers")


def render(folder: Path, n_files: int) -> None:
    """Write minutes of noise as mp3, each another one."""
    for number in range(n_files):
        y = np.random.default_rng(number).uniform(-0.5, 0.5, (2, 60 * 44_100)).astype(np.float32)
        encode(folder / f"{number}.mp3", y, 44_100)


def processor_seconds(processes: list[subprocess.Popen[bytes]]) -> float:
    """Processor time of these processes and of what they started, also of what has ended."""
    total = 0.0
    for process in processes:
        for each in [found := psutil.Process(process.pid), *found.children(recursive=True)]:
            times = each.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


@contextmanager
def cluster(n_workers: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Run a scheduler and workers of one process each, ready to hear."""
    dask = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--no-dashboard", "--host", "127.0.0.1"]
    commands = [[*dask, "--port", str(_PORT)]] + [[*_MUSRECD, "worker", _ADDRESS, "-t", "1"]] * n_workers
    processes = [
        subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE if number else subprocess.DEVNULL)
        for number, command in enumerate(commands)
    ]
    try:
        for process in processes[1:]:
            while b"Hearing" not in process.stderr.readline():
                pass
        yield processes
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait()


def scan(folder: Path, *options: str) -> tuple[float, float]:
    """Scan into a new library; returns wall and processor time in seconds."""
    before, started = os.times(), time.perf_counter()
    with tempfile.TemporaryDirectory() as place:
        command = [*_MUSRECD, "--library", f"{place}/library.db", "scan", *options, str(folder)]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    wall, after = time.perf_counter() - started, os.times()
    return wall, after.children_user + after.children_system - before.children_user - before.children_system


def measure(folder: Path, way: str) -> tuple[float, float]:
    """Wall and processor time of a scan in one of the ways."""
    if way.startswith("-t"):
        return scan(folder, *way.split())
    with cluster(int(way[0])) as processes:
        wall, own = scan(folder, "--scheduler", _ADDRESS)
        return wall, own + processor_seconds(processes)


@click.command()
@click.option("--files", default=40, help="How many minutes of noise are heard.")
@click.option("--runs", default=3, help="How often each way is tried.")
def main(files: int, runs: int) -> None:
    """Print medians."""
    with tempfile.TemporaryDirectory() as name:
        render(Path(name), files)
        found = [{way: measure(Path(name), way) for way in WAYS} for _ in range(runs)]
    click.echo(f"{files} files, medians of {runs} runs, load {os.getloadavg()[0]:.1f}")
    for way in WAYS:
        wall, processor = (statistics.median(run[way][part] for run in found) for part in (0, 1))
        click.echo(
            f"{way:>10}  {wall:6.1f} s  {files / wall:5.2f} files/s  {processor / files:5.2f} s of processor a file"
        )


if __name__ == "__main__":
    main()
