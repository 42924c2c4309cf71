"""A scheduler of the test's own on loopback, and workers as people start them: `musrecd worker`, processes each."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from distributed import LocalCluster

import musrecd
from musrecd.config import Config, read_config


class Helpers:
    """Worker processes on this machine."""

    def __init__(self, address: str, folder: Path, weights: Path) -> None:
        self.address = address
        self._folder = folder
        self._weights = weights
        self._processes: list[subprocess.Popen[str]] = []

    def start(self, *, weights: Path | None = None, paths: dict[Path, Path] | None = None, threads: int = 1) -> int:
        """Start one worker; returns its process id."""
        file = self._folder / f"worker-{len(self._processes)}.yaml"
        table = ", ".join(f"{there}: {here}" for there, here in (paths or {}).items())
        file.write_text(f"musrec: {{encoder: {weights or self._weights}, cluster: {{paths: {{{table}}}}}}}\n")
        environment = {**os.environ, "PYTHONPATH": str(Path(musrecd.__file__).parents[1])}
        options = ["--config", file, "worker", self.address, "-t", threads]
        command = [sys.executable, "-m", "musrecd.cli", *map(str, options)]
        log = (self._folder / f"worker-{len(self._processes)}.log").open("w")
        self._processes.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log, text=True))
        return self._processes[-1].pid

    def end(self) -> None:
        """End all of them; what they started ends with them."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise


@pytest.fixture(scope="session")
def scheduler() -> Iterator[LocalCluster]:
    """A scheduler without workers."""
    with LocalCluster(
        n_workers=0, processes=False, protocol="tcp", host="127.0.0.1", dashboard_address=None, silence_logs=50
    ) as cluster:
        yield cluster


@pytest.fixture
def helpers(scheduler: LocalCluster, tmp_path: Path, tiny_weights: Path) -> Iterator[Helpers]:
    """Start workers of the scheduler; they are gone from it at the end."""
    helpers = Helpers(scheduler.scheduler_address, tmp_path, tiny_weights)
    yield helpers
    helpers.end()
    deadline = time.monotonic() + 60
    while scheduler.scheduler.workers and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not scheduler.scheduler.workers


@pytest.fixture
def config(tmp_path: Path, tiny_weights: Path) -> Config:
    """Settings of the scanning machine, with a library of its own."""
    file = tmp_path / "config.yaml"
    file.write_text(
        f"musrec: {{library: {tmp_path / 'library.db'}, encoder: {tiny_weights}, threads: 1, timeout: 60}}\n"
    )
    return read_config(file)
