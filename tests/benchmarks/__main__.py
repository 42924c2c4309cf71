"""Measure what an analysis costs, beside what else hears music, and write docs/benchmarks.md.

    python -m tests.benchmarks [--smoke] [--teachers FOLDER] [--page docs/benchmarks.md]

CPU times are medians; programs take turns. On a busy machine CPU times are a little high, wall times worthless.
"""

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

# Before numpy and torch: several threads would be several processes' work.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import click

from tests.benchmarks import page, processes, side_by_side, sounds, stages
from tests.benchmarks.hearers import HEARERS

_INTRODUCTION = """# What an analysis costs

Written by `make benchmark` (`{command}`). Nothing here is asserted by a test; the machine was

{machine}

CPU times are of all threads, in milliseconds, medians of {runs} runs in which the programs took turns. The track is a
composed piece of {seconds:.0f} s in stereo, 44.1 kHz (Opus 48 kHz), in each format; PyAV wrote it.
"""
_STAGES = """
## Where the time goes

*demux*: FFmpeg alone reads all packets. *hash*: naming the recording and keeping the packets that will be heard.
*decode*: FFmpeg alone decodes the minute that is heard. *mix*: mean of the channels and resampling. *rest* is what
belongs to none. *sum* leaves out *store*; *×* is the sum over demux, decode and mix.

{table}
"""
_COMPARISON = """
## Beside others

*Plainly* is a short program of PyAV, NumPy and soxr that demuxes the whole file, decodes the excerpts that musrec
hears, mixes and resamples them, and names no recording; *as musrec does it* includes the hash of all packets.
bliss-audio decodes whole files. musicnn's 200 numbers come from our own loader of the published weights, one thread,
bfloat16, and were taken for the mp3 alone. *×* is the median over formats of what the program takes over what musrec
takes: how many tracks musrec hears in the time of one. *MB* is the most memory that the process ever had.

{table}
"""
_PROCESSES = """
## Two processes

{n} files, heard by workers that had loaded the encoder before, and stored: wall seconds, medians of {runs} runs by
turns.

{table}
"""
_LENGTHS = """
## Long files

One mp3 (16 kHz mono, 32 kbit/s) of each length, each heard in a fresh process; its most memory, and the CPU time.

{table}
"""


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is measured."""

    runs: int = 5
    seconds: float = 240.0
    kinds: tuple[str, ...] = tuple(sounds.FORMATS)
    programs: tuple[str, ...] = tuple(HEARERS)
    n_scanned: int = 48
    processes: tuple[int, ...] = (1, 2)
    minutes: tuple[float, ...] = (10.0, 600.0)


_SMOKE = Extent(1, 6.0, ("mp3", "flac"), ("musrec", "decoding what is heard, plainly"), 2, (1,), (1.0,))


@click.command()
@click.option("--smoke", is_flag=True, help="A few seconds of sound, once: to see that everything runs.")
@click.option("--runs", default=5, show_default=True, type=click.IntRange(min=1), help="How often each is measured.")
@click.option("--teachers", type=click.Path(path_type=Path, file_okay=False), help="Published weights of musicnn.")
@click.option("--page", "page_path", type=click.Path(path_type=Path), help="Where to write the tables, too.")
def main(smoke: bool, runs: int, teachers: Path | None, page_path: Path | None) -> None:
    """Measure and print."""
    extent = _SMOKE if smoke else Extent(runs=runs)
    parts: list[str] = []

    def tell(text: str) -> None:
        parts.append(text)
        click.echo(text)

    command = f"python -m tests.benchmarks --runs {extent.runs}" + (" --teachers FOLDER" if teachers else "")
    tell(_INTRODUCTION.format(command=command, machine=page.machine(), runs=extent.runs, seconds=extent.seconds))
    with tempfile.TemporaryDirectory() as name:
        _measure(Path(name), extent, teachers, tell)
    if page_path is not None:
        page_path.write_text("\n".join(part.strip("\n") + "\n" for part in parts), encoding="utf-8")


def _measure(folder: Path, extent: Extent, teachers: Path | None, tell: Callable[[str], None]) -> None:
    files = sounds.write_formats(folder, extent.seconds, extent.kinds)
    tell(_STAGES.format(table=_stage_table(files, extent.runs)))
    comparison = side_by_side.compare(files, extent.runs, teachers, extent.programs)
    heads = ["CPU ms", *files, "×", "MB"]
    tell(_COMPARISON.format(table=page.table(heads, side_by_side.rows(comparison, list(files)))))
    many = processes.copies(folder, list(files.values()), extent.n_scanned)
    walls = processes.scan_seconds(folder, many, extent.processes, extent.runs)
    rows = [[str(n), f"{wall:.2f}", f"{len(many) / wall:.1f}", f"{walls[1] / wall:.2f}"] for n, wall in walls.items()]
    heads = ["processes", "s", "tracks/s", "×"]
    tell(_PROCESSES.format(n=len(many), runs=extent.runs, table=page.table(heads, rows)))
    peaks = processes.peak_by_length(folder, extent.minutes)
    rows = [[f"{length:.0f} min", f"{mb:.0f}", f"{1000 * cpu_s:.0f}"] for length, (mb, cpu_s) in peaks.items()]
    tell(_LENGTHS.format(table=page.table(["length", "MB", "CPU ms"], rows)))


def _stage_table(files: dict[str, Path], runs: int) -> str:
    import torch

    from musrecd.analysis.encoder import load_encoder

    torch.set_num_threads(1)
    encoder = load_encoder()
    measured = {kind: stages.measure(path, encoder, runs) for kind, path in files.items()}
    return page.table(["CPU ms", *stages.STAGES, "sum", "×"], stages.rows(measured))


if __name__ == "__main__":
    main()
