"""How `musrecd similar` shows its answer: a table for a person, a dictionary for a program."""

import os
import sys
from typing import Any, Literal

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from musrecd.asking.shown import why
from musrecd.commands.similar import Answer, Found
from musrecd.display import clock, counted, printable, printable_path
from musrecd.keys import camelot

_SHOWN_SEEDS = 5
_NARROW = 8
_WIDE = 200
_COLUMNS: dict[str, Literal["left", "right"]] = {
    "Score": "right",
    "Artist": "left",
    "Title": "left",
    "Length": "right",
    "BPM": "right",
    "Key": "right",
    "Sounds like": "left",
}
_ARTIST, _TITLE = 1, 2


def to_dict(answer: Answer) -> dict[str, Any]:
    """Return the answer for `--json`; paths that are no text keep their bytes as `\\udcXX`."""
    results = [
        {
            "score": round(found.told.result.score, 4),
            "sound": round(found.told.result.parts.sound, 4),
            "path": os.fsdecode(found.track.path),
            "artist": found.track.tags.artist,
            "title": found.track.tags.title,
            "album": found.track.tags.album,
            "length": round(found.track.duration_s, 2),
            "bpm": found.told.bpm and round(found.told.bpm, 2),
            "key": found.told.key,
            "genre": found.genre.name,
            "genre_probability": round(found.genre.probability, 4),
            "why": why(found.told.result.parts),
            "breaks": list(found.told.result.breaks),
        }
        for found in answer.found
    ]
    return {"seeds": answer.seeds, "results": results, "notes": answer.notes}


def show(answer: Answer, *, explain: bool = False, path_to: bool = False) -> None:
    """Print the answer as a table."""
    console = Console(highlight=False, soft_wrap=False, width=None if sys.stdout.isatty() else _WIDE)
    console.print(Text(_headline(answer.seeds, path_to=path_to), style="bold"))
    if not answer.found:
        console.print("Nothing else in the library is as close as was asked for.")
    else:
        console.print(_table(answer, console.width))
    for found in answer.found if explain else ():
        console.print(Text(f"\n{_cells(found)[_TITLE]}", style="bold"))
        for reason in found.told.reasons:
            console.print(Text(f"  {printable(reason)}"))
    for note in answer.notes:
        console.print(Text(printable(note), style="yellow"))


def _headline(seeds: list[str], *, path_to: bool) -> str:
    if path_to and len(seeds) > 1:
        return f"From {printable(seeds[0])} to {printable(seeds[-1])}"
    named = ", ".join(printable(seed) for seed in seeds[:_SHOWN_SEEDS])
    more = len(seeds) - _SHOWN_SEEDS
    return f"Sounds like {named}" + (f" and {counted(more, 'other')}" if more > 0 else "")


def _table(answer: Answer, width: int) -> Table:
    rows = [_cells(found) for found in answer.found]
    breaks = [", ".join(found.told.result.breaks) for found in answer.found]
    names = list(_COLUMNS) + ["But"] * any(breaks)
    if any(breaks):
        rows = [(*row, words) for row, words in zip(rows, breaks, strict=True)]
    widths = _widths(rows, names, width)
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in names:
        table.add_column(name, justify=_COLUMNS.get(name, "left"), no_wrap=True)
    for score, artist, title, *others in rows:
        words = (Text(artist), Text(title))
        for text, room in zip(words, widths, strict=True):
            text.truncate(room, overflow="ellipsis")
        *plain, genre = others[: len(_COLUMNS) - 3]
        dim = [Text(genre, style="dim"), *(Text(each, style="yellow") for each in others[len(_COLUMNS) - 3 :])]
        table.add_row(score, *words, *plain, *dim)
    return table


def _cells(found: Found) -> tuple[str, ...]:
    tags, result = found.track.tags, found.told.result
    return (
        f"{result.score:.2f}",
        printable(tags.artist),
        printable(tags.title) or printable_path(os.path.basename(found.track.path)),
        clock(found.track.duration_s),
        f"{found.told.bpm:.0f}" if found.told.bpm else "",
        camelot(found.told.key) if found.told.key else "",
        f"{found.genre.name} {found.genre.probability:.0%}" if found.genre.name else "",
    )


def _widths(rows: list[tuple[str, ...]], names: list[str], width: int) -> tuple[int, int]:
    """Give artist and title what the other columns leave of a line, the artist at most two fifths of it."""
    longest = [max(cell_len(cell) for cell in column) for column in zip(tuple(names), *rows, strict=True)]
    artist, title = longest[_ARTIST], longest[_TITLE]
    left = max(2 * _NARROW, width - (sum(longest) - artist - title) - 2 * len(longest))
    if artist + title <= left:
        return artist, title
    artist = min(artist, max(left * 2 // 5, left - title))
    return artist, left - artist
