"""A folder of clips with a table `clips.csv`: path, source, artist, title, genres, moods (`;` between several)."""

import csv
import re
from pathlib import Path

from model_training.datasets.base import Clip

# Zouk excerpts cut from one song.
_SAME_SONG = {"zouk.00077": "zouk.00012", "zouk.00073": "zouk.00039", "zouk.00080": "zouk.00007"}
_GTZAN = re.compile(r"(?P<genre>[a-z]+)\.(?P<tens>\d{4})\d$")


def load_clips(folder: Path) -> list[Clip]:
    """Read `folder/clips.csv`; audio lies in `folder/clips`. A clip that is listed twice counts once.

    Raises FileNotFoundError without the table, ValueError if a row names a file that is not there.
    """
    with (folder / "clips.csv").open(encoding="utf-8", newline="") as table:
        rows = {row["path"]: row for row in csv.DictReader(table)}
    clips = [_clip(folder / "clips", row) for row in rows.values()]
    missing = [clip.name for clip in clips if not clip.path.is_file()]
    if missing:
        raise ValueError(f"{len(missing)} clips of {folder / 'clips.csv'} are missing, the first: {missing[0]}")
    return clips


def _clip(folder: Path, row: dict[str, str]) -> Clip:
    return Clip(
        path=folder / row["path"],
        name=row["path"],
        source=row["source"],
        group=_group(row),
        genres=_words(row["genres"]),
        moods=_words(row["moods"]),
    )


def _words(cell: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in cell.split(";") if word.strip())


def _group(row: dict[str, str]) -> str:
    """Artist; for GTZAN ten neighbouring numbers, which often share one; for games the sound track."""
    stem = Path(row["path"]).stem
    if row["source"].startswith("gtzan") and (match := _GTZAN.match(stem)):
        return f"gtzan:{match['genre']}:{match['tens']}"
    if row["artist"]:
        return f"artist:{row['artist'].casefold()}"
    if row["source"].startswith("open:"):
        return row["source"]
    return f"{row['source']}:{_SAME_SONG.get(stem, stem)}"
