"""The command `python -m model_training.tonality`: learn to hear keys, and measure how well they are heard.

learn    render music in known keys and write the weights that `musrecd.analysis.tonality` loads
measure  compare with librosa and Krumhansl's profiles on rendered music that was not learnt from, and time it
"""

import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click
import numpy as np
from safetensors.numpy import save_file

from model_training.synthesis.kept import Shelf
from model_training.tonality.learn import Example, learn
from model_training.tonality.material import SECONDS, SR, Rendered, bands, compositions, songs, tunes
from model_training.tonality.score import krumhansl_key, mirex_score
from musrecd.analysis.pitch import hear_pitches
from musrecd.analysis.tonality import KEY_WEIGHTS, compressed, estimate_key
from musrecd.keys import KEYS

_DETUNED_CENTS = 45


@click.group()
def main() -> None:
    """Learn to hear keys, and measure how well they are heard."""


_cache = click.option("--cache", type=click.Path(path_type=Path), help="Where rendered music is kept; begin with none.")


@main.command("learn")
@_cache
@click.option("--midi", type=click.Path(path_type=Path, exists=True), help="Folder with the Nottingham tunes.")
@click.option("--pieces", default=2500, show_default=True, type=click.IntRange(min=10), help="How many are rendered.")
@click.option("--epochs", default=36, show_default=True, type=click.IntRange(min=1), help="Passes over all of them.")
@click.option("--out", default=KEY_WEIGHTS, type=click.Path(path_type=Path), help="Where the weights go.")
def learn_keys(cache: Path | None, midi: Path | None, pieces: int, epochs: int, out: Path) -> None:
    """Render music in known keys and write the weights."""
    rng = np.random.default_rng(0)
    examples = [_detuned(piece, rng) for piece in _material(Shelf(cache), midi, pieces) if not piece.is_test]
    weights = learn(examples, epochs)
    save_file({name: array.astype(np.float16) for name, array in asdict(weights).items()}, out)
    click.echo(f"learnt from {len(examples)} pieces: {out}")


@main.command("measure")
@_cache
@click.option("--midi", type=click.Path(path_type=Path, exists=True), help="Folder with the Nottingham tunes.")
@click.option("--pieces", default=500, show_default=True, type=click.IntRange(min=10), help="A fifth is for testing.")
def measure(cache: Path | None, midi: Path | None, pieces: int) -> None:
    """Compare with librosa on rendered music that was not learnt from."""
    ours, theirs = defaultdict(list), defaultdict(list)
    cpu_s: list[float] = []
    for piece in _material(Shelf(cache), midi, pieces):
        if piece.is_test:
            began = time.process_time()
            key = estimate_key([piece.y], SR)
            cpu_s.append(time.process_time() - began)
            ours[piece.kind].append(mirex_score(piece.key, key.name) if key else 0.0)
            theirs[piece.kind].append(mirex_score(piece.key, krumhansl_key(piece.y, SR)))
    for kind in ours:
        click.echo(
            f"{kind}: {len(ours[kind])} pieces; {_line(ours[kind])}; librosa with Krumhansl {_line(theirs[kind])}"
        )
    click.echo(f"CPU per minute of sound: {60 / SECONDS * float(np.median(cpu_s)):.3f} s")


def _line(scores: list[float]) -> str:
    return f"exact {np.mean(np.equal(scores, 1)):.1%}, MIREX {100 * np.mean(scores):.1f}"


def _material(shelf: Shelf, midi: Path | None, pieces: int) -> Iterator[Rendered]:
    """Songs and bands alike, and a few composed pieces and, if they are there, tunes."""
    yield from songs(shelf, range(pieces * 9 // 20))
    yield from bands(shelf, range(pieces * 9 // 20))
    yield from compositions(shelf, range(pieces // 20))
    if midi is not None:
        yield from tunes(shelf, midi, range(pieces // 20))


def _detuned(piece: Rendered, rng: np.random.Generator) -> Example:
    """Hear a piece in another tuning, by mistaking its sample rate."""
    sr = SR * 2 ** (rng.uniform(-_DETUNED_CENTS, _DETUNED_CENTS) / 1200)
    return Example(compressed(hear_pitches([piece.y], sr).magnitudes), KEYS.index(piece.key))


if __name__ == "__main__":
    main()
