"""What a run writes beside its weights: the loss in a table and for TensorBoard, and the machine it ran on."""

import csv
import json
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

_PACKAGES = ("torch", "numpy", "scipy", "av", "soxr", "librosa", "scikit-learn", "musrec")


class RunLog:
    """`log.csv` with a row per entry, and TensorBoard's files if TensorBoard is installed."""

    def __init__(self, run: Path, step: int) -> None:
        """Continue the log of `run`, or begin it; rows behind `step`, of which nothing was kept, are dropped."""
        self._path = run / "log.csv"
        self._rows = [row for row in read_log(run) if row["step"] <= step]
        self._tensorboard = _tensorboard(run)

    def __enter__(self) -> "RunLog":
        """Begin."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close TensorBoard's file."""
        if self._tensorboard:
            self._tensorboard.close()

    def write(self, step: int, terms: dict[str, float]) -> None:
        """Add the terms of the loss at `step`."""
        self._rows.append({"step": float(step)} | {name: round(value, 5) for name, value in terms.items()})
        with self._path.open("w", encoding="utf-8", newline="") as table:
            writer = csv.DictWriter(table, self._rows[0].keys())
            writer.writeheader()
            writer.writerows(self._rows)
        if self._tensorboard:
            for name, value in terms.items():
                self._tensorboard.add_scalar(name, value, step)


def _tensorboard(run: Path) -> "SummaryWriter | None":
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(run / "tensorboard")


def read_log(run: Path) -> list[dict[str, float]]:
    """Rows of `log.csv`: step and every term of the loss; none if there is no log yet."""
    path = run / "log.csv"
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as table:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(table)]


def write_environment(run: Path) -> None:
    """Write interpreter, machine and versions of what decides the outcome to `environment.json`."""
    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed"
    found = {
        "python": sys.version.split()[0],
        "machine": platform.machine(),
        "system": platform.system(),
        "threads": torch.get_num_threads(),
        "packages": versions,
        "command": sys.argv[1:],
    }
    (run / "environment.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
