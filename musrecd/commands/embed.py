"""`musrecd embed`: analyses of files as arrays, for other programs; the library is not touched."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from musrecd.analysis.card import SHIPPED_WEIGHTS, read_card
from musrecd.commands.progress import ProgressBar
from musrecd.config import Config
from musrecd.errors import MusrecError
from musrecd.ingest.discover import find_files
from musrecd.ingest.pool import Workers
from musrecd.ingest.report import Report
from musrecd.ingest.work import Task, WorkerSettings
from musrecd.types import Analysis, EncoderInfo


def embed_files(config: Config, paths: Sequence[bytes], output: Path) -> Report:
    """Analyse every music file at or below `paths` and write their numbers to `output`.

    Rows are in the order in which the files were named or found; a file that fails has none.
    Raises MusrecError if the output cannot be written, EncoderError.
    """
    _check_output(output)
    weights = config.encoder or SHIPPED_WEIGHTS
    info = read_card(weights, config.coverage).info
    report = Report()
    analyses: dict[bytes, Analysis] = {}
    with ProgressBar("Embedding") as bar:

        def on_error(path: bytes, message: str) -> None:
            report.failed += 1
            bar.problem(path, message)

        named: dict[bytes, tuple[bytes, Task]] = {}
        for name in paths:
            for file in find_files([name], on_error):
                named.setdefault(file.path, (name, Task(file)))
        tasks = [task for _, task in named.values()]
        listener = bar.listener()
        listener.on_total(len(tasks))
        try:
            settings = WorkerSettings(weights, None, coverage=config.coverage)
            with Workers(settings, config.threads, config.timeout_s) as workers:
                for outcome in workers.perform(tasks):
                    listener.on_outcome(outcome)
                    if isinstance(outcome.heard, Analysis):
                        analyses[outcome.file.path] = outcome.heard
                    else:
                        report.failed += 1
        except KeyboardInterrupt:
            report.interrupted = True
            return report
    report.analysed = len(analyses)
    ordered = {_as_named(path, name): analyses[path] for path, (name, _) in named.items() if path in analyses}
    _write(output, ordered, info)
    return report


def _check_output(output: Path) -> None:
    """Refuse, before hours of work, an output that cannot be written or may be somebody's music."""
    if output.suffix != ".npz":
        raise MusrecError(f"the output has to be called something.npz, not {output.name}")
    if output.exists() and not output.is_file():
        raise MusrecError(f"{output} is not a file")
    if not output.parent.is_dir():
        raise MusrecError(f"{output} cannot be written: there is no folder {output.parent}")


def _as_named(path: bytes, name: bytes) -> str:
    """Return the path in the words of the person: relative if the name given was."""
    below = os.path.relpath(path, os.path.abspath(name))
    return os.fsdecode(name if below == b"." else os.path.join(name, below))


def _write(output: Path, analyses: dict[str, Analysis], info: EncoderInfo) -> None:
    rows = list(analyses.values())
    arrays = {
        "paths": np.array(list(analyses), dtype=np.str_),
        "embeddings": np.array([a.embedding for a in rows], np.float32).reshape(len(rows), info.dim),
        "probabilities": np.array([a.probabilities for a in rows], np.float32).reshape(len(rows), len(info.labels)),
        "label_names": np.array([label.name for label in info.labels]),
        "label_groups": np.array([label.group for label in info.labels]),
        "bpm": _numbers([a.bpm for a in rows]),
        "bpm_confidence": _numbers([a.bpm_confidence for a in rows]),
        "key": np.array([a.key or "" for a in rows], dtype=np.str_),
        "key_confidence": _numbers([a.key_confidence for a in rows]),
        "duration_s": _numbers([a.duration_s for a in rows]),
        "encoder_version": np.array(info.version),
    }
    unfinished = output.with_name(f"{output.name}.unfinished")
    try:
        with unfinished.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
        unfinished.replace(output)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise MusrecError(f"{output} cannot be written: {error.strerror}") from error


def _numbers(values: list[float | None]) -> np.ndarray:
    return np.array([np.nan if value is None else value for value in values], np.float32)
