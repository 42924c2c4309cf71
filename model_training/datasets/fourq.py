"""4Q audio emotion (Panda, Malheiro & Paiva 2018): clips in Q1 to Q4 and `panda_dataset_taffc_metadata.csv`."""

from pathlib import Path

from model_training.datasets.base import Clip, DataSet, artist_group, present, read_table, recording_of, words

HOME = "http://mir.dei.uc.pt/downloads.html"

_METADATA = "panda_dataset_taffc_metadata.csv"
_ANNOTATIONS = "panda_dataset_taffc_annotations.csv"


def load(folder: Path) -> list[Clip]:
    """Read the folder `MER_audio_taffc_dataset`. Raises DataSetError without its two tables or the audio."""
    annotations = read_table(folder / _ANNOTATIONS, HOME, ("Song", "Quadrant"))
    quadrants = {row["Song"]: row["Quadrant"] for row in annotations}
    columns = ("Song", "Artist", "Title", "MoodsStrSplit", "GenresStr")
    rows = (row for row in read_table(folder / _METADATA, HOME, columns) if row["Song"] in quadrants)
    return present([_clip(folder, row, quadrants[row["Song"]]) for row in rows], folder, HOME)


def _clip(folder: Path, row: dict[str, str], quadrant: str) -> Clip:
    """Make a clip; the quadrant is its last mood, as in the clips of this set that lie in a `clips` folder."""
    name = f"{quadrant}/{row['Song']}.mp3"
    return Clip(
        path=folder / name,
        name=name,
        source="taffc_full",
        group=artist_group(row["Artist"]) or f"4q:{row['Song']}",
        genres=words(row["GenresStr"]),
        moods=(*words(row["MoodsStrSplit"]), quadrant),
        recording=recording_of(row["Artist"], row["Title"]),
    )


DATA_SET = DataSet("4q", load, HOME, "for research; commercial previews that may not be passed on")
