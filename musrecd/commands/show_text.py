"""A sheet of `musrecd show` as lines, the names of its fields in one column."""

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from musrecd.commands.show import GROUPS, Sheet
from musrecd.display import clock, counted, printable, printable_path
from musrecd.keys import camelot, open_key
from musrecd.labels import THRESHOLDS
from musrecd.tagging.predict import Prediction
from musrecd.types import Tags

_NAMES = dict(zip(GROUPS, ("Sounds like", "Instruments", "Voice", "Moods"), strict=True))
_MOST_LABELS = 5
_LEAST_PROBABILITY = 0.05
# Genres are believed where they are more probable than not.
_BELIEVED = {"genre": 0.5, **THRESHOLDS}


def show(sheet: Sheet, console: Console) -> None:
    """Print one sheet; what is believed stands out."""
    console.print(Text(printable_path(sheet.path), style="bold"), soft_wrap=True)
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    for name, value in _fields(sheet):
        table.add_row(f"  {name}", value)
    console.print(table)


def _fields(sheet: Sheet) -> Iterator[tuple[str, Text]]:
    yield from _tags(sheet.tags)
    yield "Length", Text(clock(sheet.duration_s))
    yield from _tempo(sheet)
    yield from _key(sheet)
    for group, found in sheet.labels.items():
        if words := _labels(found, _BELIEVED[group]):
            yield _NAMES[group], words
    yield from (("Copy", Text(printable_path(path))) for path in sheet.copies)
    if sheet.n_damaged_packets:
        yield "Damage", Text(f"{counted(sheet.n_damaged_packets, 'packet')} could not be decoded")
    yield "Heard", Text(f"{_when(sheet.heard_at)} by {printable(sheet.encoder)}")
    yield "Recording", Text(sheet.audio_id)


def _tags(tags: Tags) -> Iterator[tuple[str, Text]]:
    year = str(tags.year) if tags.year else ""
    said = {
        "Artist": tags.artist, "Title": tags.title, "Album": tags.album, "Year": year, "Genres": ", ".join(tags.genres)
    }  # fmt: skip
    yield from ((name, Text(printable(value))) for name, value in said.items() if value)


def _tempo(sheet: Sheet) -> Iterator[tuple[str, Text]]:
    if sheet.bpm is None:
        yield "Tempo", Text("none heard")
        return
    sure = f", {sheet.bpm_confidence:.0%} sure" if sheet.bpm_confidence is not None else ""
    heard = sheet.closely.tempo if sheet.closely else None
    varies = "" if heard is None or heard.is_steady else ", varies"
    halves = Text(f"  (half {sheet.bpm / 2:.1f}, double {sheet.bpm * 2:.1f})", style="dim")
    yield "Tempo", Text(f"{sheet.bpm:.1f} BPM{sure}{varies}") + halves
    if heard is not None and heard.candidates:
        yield "  or", Text(", ".join(f"{each.bpm:.1f} BPM {each.probability:.0%}" for each in heard.candidates))


def _key(sheet: Sheet) -> Iterator[tuple[str, Text]]:
    if sheet.key is None:
        yield "Key", Text("none heard")
        return
    sure = f", {sheet.key_confidence:.0%} sure" if sheet.key_confidence is not None else ""
    wheels = Text(f"  (Camelot {camelot(sheet.key)}, Open Key {open_key(sheet.key)})", style="dim")
    yield "Key", Text(f"{sheet.key}{sure}") + wheels
    if sheet.closely is not None and (key := sheet.closely.key) is not None:
        yield "  or", Text(f"{key.alternative}; tuned {key.tuning_cents:+.0f} cents from A = 440 Hz")


def _labels(found: list[Prediction], believed: float) -> Text:
    """Join the most probable labels; those that are not believed are dim."""
    words = [each for each in found[:_MOST_LABELS] if each.probability >= _LEAST_PROBABILITY]
    return Text(", ").join(
        Text(f"{each.name} {each.probability:.0%}", style="" if each.probability >= believed else "dim")
        for each in words
    )


def _when(heard_at: str) -> str:
    return f"{heard_at[:16].replace('T', ' ')} UTC" if heard_at else "now"
