"""The command `python -m model_training.synthesis`: write a library of invented music."""

import time
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from model_training.synthesis.library import WrittenPiece, write_library


@click.command()
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@click.option("--pieces", default=36, show_default=True, type=click.IntRange(min=1), help="How many files.")
@click.option("--seconds", default=20.0, show_default=True, type=click.FloatRange(min=1.0), help="Length of each.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(min=0), help="Another seed, other music.")
def main(out: Path, pieces: int, seconds: float, seed: int) -> None:
    """Write a library of music that nobody played to OUT: composed by rule, in twelve styles.

    Files that are there already are kept, so the command can be run again.
    """
    began = time.monotonic()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("composing", total=pieces)

        def advance(done: int, _total: int, written: WrittenPiece) -> None:
            progress.update(task, completed=done, description=written.piece.style.replace("_", " "))

        written = write_library(out, n_pieces=pieces, seconds=seconds, seed=seed, on_progress=advance)
    click.echo(_summary(written, time.monotonic() - began))


def _summary(written: list[WrittenPiece], seconds: float) -> str:
    n_new = sum(piece.is_new for piece in written)
    formats = ", ".join(sorted({piece.path.suffix[1:] for piece in written}))
    kept = f" ({len(written) - n_new} kept)" if n_new < len(written) else ""
    return f"{n_new} files written{kept}: {formats}; {seconds:.1f} s"


if __name__ == "__main__":
    main()
