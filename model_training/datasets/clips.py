"""A folder of clips with a table `clips.csv`: path, source, artist, title, genres, moods (`;` between several)."""

from pathlib import Path

from model_training.datasets import gtzan
from model_training.datasets.base import Clip, DataSet, DataSetError, read_table, recording_of, words

HOME = "docs/training.md, which says how to write one"
_COLUMNS = ("path", "source", "artist", "title", "genres", "moods")

# Zouk excerpts cut from one song.
_SAME_SONG = {"zouk.00077": "zouk.00012", "zouk.00073": "zouk.00039", "zouk.00080": "zouk.00007"}


def load_clips(folder: Path) -> list[Clip]:
    """Read `folder/clips.csv`; audio lies in `folder/clips`. A clip that is listed twice counts once.

    Raises DataSetError without the table or if a row names a file that is not there.
    """
    rows = {row["path"]: row for row in read_table(folder / "clips.csv", HOME, _COLUMNS)}
    clips = [_clip(folder / "clips", row) for row in rows.values()]
    missing = [clip.name for clip in clips if not clip.path.is_file()]
    if missing:
        raise DataSetError(f"{len(missing)} clips of {folder / 'clips.csv'} are missing, the first: {missing[0]}")
    return clips


def _clip(folder: Path, row: dict[str, str]) -> Clip:
    stem = Path(row["path"]).stem
    is_gtzan = row["source"].startswith("gtzan")
    return Clip(
        path=folder / row["path"],
        name=row["path"],
        source=row["source"],
        group=_group(row, stem, is_gtzan),
        genres=words(row["genres"]),
        moods=words(row["moods"]),
        recording=gtzan.recording(stem) if is_gtzan else recording_of(row["artist"], row["title"]),
    )


def _group(row: dict[str, str], stem: str, is_gtzan: bool) -> str:
    """Artist; for GTZAN ten neighbouring numbers, which often share one; for games the sound track."""
    if is_gtzan and (neighbours := gtzan.neighbours(stem)):
        return neighbours
    if row["artist"]:
        return f"artist:{row['artist'].casefold()}"
    if row["source"].startswith("open:"):
        return row["source"]
    return f"{row['source']}:{_SAME_SONG.get(stem, stem)}"


DATA_SET = DataSet("clips", load_clips, HOME, "as the table says, clip by clip")
