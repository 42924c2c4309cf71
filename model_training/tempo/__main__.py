"""The command `python -m model_training.tempo`: train the tempo head, or measure it beside librosa.

Needs librosa, FluidSynth with General MIDI fonts, and the folder of clips and MIDI files (`--data`).
"""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from zlib import crc32

import click

from model_training.synthesis.kept import Shelf
from model_training.synthesis.midi import find_fonts, load_midi
from model_training.tempo.measure import cost, measure, tables
from model_training.tempo.pieces import TempoPiece, bands, composed, grooves, listed_clips, midi_files, noises, songs
from model_training.tempo.train import example_of, joined, save_head, train_head
from musrecd.analysis.encoder import load_encoder
from musrecd.analysis.rhythm import SHIPPED_HEAD, load_tempo_head

_SECONDS = 30.0
_NOISES = 60
# Composed pieces of each style, grooves, songs, bands and MIDI files, before every fifth is put aside.
_TRAINED_ON = (40, 1150, 1150, 1200, 250)
# Half of what is known of recordings comes from few clips, so each of them counts more than a rendered piece.
_WEIGHTS = {"clips": 20.0, "composed": 1.0, "groove": 1.0, "song": 1.0, "band": 1.0, "noise": 1.0}
_MIDI_WEIGHT = 0.5
# Of the new head and of the one beside it, which was chosen by recordings.
_BESIDE_SHARES = (0.4, 0.6)


def _music(
    data: Path, shelf: Shelf, sizes: tuple[int, int, int, int, int], sr: int, *, is_test: bool
) -> Iterator[TempoPiece]:
    """Pieces of all sources: so many of each composed style, grooves, songs, bands, MIDI files; one side."""
    n_each, n_grooves, n_songs, n_bands, n_midi = sizes
    fonts = find_fonts()
    # In the order of their checksums, so that a few are of every kind.
    files = sorted(load_midi(data / "midi"), key=lambda clip: crc32(clip.name.encode()))[:n_midi]
    yield from composed(shelf, n_each, _SECONDS, sr, is_test=is_test)
    yield from grooves(shelf, n_grooves, _SECONDS, sr, fonts, is_test=is_test)
    yield from songs(shelf, n_songs, _SECONDS, sr, is_test=is_test)
    yield from bands(shelf, n_bands, _SECONDS, sr, is_test=is_test)
    yield from midi_files(shelf, files, sr, fonts, is_test=is_test)
    yield from listed_clips(data, sr, is_test=is_test)


@click.group()
def main() -> None:
    """Train the tempo head, or measure it beside librosa."""


_data = click.option("--data", required=True, type=click.Path(path_type=Path, exists=True), help="clips/ and midi/.")
_cache = click.option("--cache", type=click.Path(path_type=Path), help="Where rendered music is kept; begin with none.")


@main.command()
@_data
@_cache
@click.option("--beside", type=click.Path(path_type=Path, exists=True), help="A head to take the mean with.")
@click.option("--out", default=SHIPPED_HEAD, type=click.Path(path_type=Path), show_default=True)
def train(data: Path, cache: Path | None, beside: Path | None, out: Path) -> None:
    """Train the head on pieces that are not used for measuring."""
    encoder = load_encoder()
    sr = encoder.frontend.sr
    music = chain(_music(data, Shelf(cache), _TRAINED_ON, sr, is_test=False), noises(_NOISES, _SECONDS, sr))
    examples = [example_of(piece, encoder, _WEIGHTS.get(piece.source, _MIDI_WEIGHT)) for piece in music]
    frame_rate = sr / encoder.frontend.hop_length
    head = train_head(examples, [label.name for label in encoder.info.labels], frame_rate)
    save_head(joined([head, load_tempo_head(beside)], _BESIDE_SHARES) if beside else head, out)


@main.command("measure")
@_data
@_cache
@click.option("--each", "n_each", default=15, show_default=True, help="Composed pieces of each style; a fifth is used.")
@click.option("--grooves", "n_grooves", default=200, show_default=True, help="Grooves; a fifth is used.")
@click.option("--songs", "n_songs", default=100, show_default=True, help="Songs; a fifth is used.")
@click.option("--bands", "n_bands", default=200, show_default=True, help="Songs for bands; a fifth is used.")
@click.option("--midi", "n_midi", default=60, show_default=True, help="MIDI files; about a fifth is used.")
def measure_command(
    data: Path, cache: Path | None, n_each: int, n_grooves: int, n_songs: int, n_bands: int, n_midi: int
) -> None:
    """Accuracy 1 and 2 within 4 %, and within 1 %, ours and librosa's, on pieces that were not trained on; the cost."""
    encoder = load_encoder()
    music = _music(data, Shelf(cache), (n_each, n_grooves, n_songs, n_bands, n_midi), encoder.frontend.sr, is_test=True)
    click.echo(tables(measure(music, encoder)))
    click.echo(cost(encoder))


if __name__ == "__main__":
    main()
