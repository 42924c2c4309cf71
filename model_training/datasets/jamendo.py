"""MTG-Jamendo (Bogdanov et al. 2019): `data/autotagging.tsv`, the splits beside it, audio in the folders 00 to 99."""

from collections.abc import Iterator
from pathlib import Path

from model_training.datasets.base import (
    TEST,
    TRAINING,
    VALIDATION,
    Clip,
    DataSet,
    artist_group,
    need,
    need_columns,
    present,
)

HOME = "https://mtg.github.io/mtg-jamendo-dataset"

_COLUMNS = ("TRACK_ID", "ARTIST_ID", "ALBUM_ID", "PATH", "DURATION", "TAGS")
_SPLITS = Path("splits") / "split-0"
_SIDES = {"train": TRAINING, "validation": VALIDATION, "test": TEST}
# What the set's own script unpacks into is for its user to choose.
_AUDIO_FOLDERS = ("audio", "raw_30s/audio", "data/audio", ".")


def load(folder: Path) -> list[Clip]:
    """Read a copy of the set's repository; audio lies in `audio`, `raw_30s/audio`, `data/audio` or the folder itself.

    Both the full files (`34/786434.mp3`) and the smaller ones (`34/786434.low.mp3`) are known. Without the split
    files no clip has a side. Raises DataSetError without the table or the audio.
    """
    data = folder / "data"
    rows = list(_read(data / "autotagging.tsv"))
    sides = _read_sides(data / _SPLITS) if (data / _SPLITS).is_dir() else {}
    artists = _read_artists(data / "raw.meta.tsv")
    audio = [folder / each for each in _AUDIO_FOLDERS if (folder / each).is_dir()]
    return present([_clip(audio, row, sides, artists) for row in rows], folder, HOME)


def _read(path: Path) -> Iterator[list[str]]:
    """Yield track, artist, album, path, duration and then as many tags as there are."""
    lines = need(path, HOME).read_text(encoding="utf-8").splitlines()
    need_columns(path, HOME, _COLUMNS, lines[0].split("\t") if lines else ())
    for line in lines[1:]:
        yield line.split("\t")


def _read_sides(folder: Path) -> dict[str, str]:
    return {row[0]: side for name, side in _SIDES.items() for row in _read(folder / f"autotagging-{name}.tsv")}


def _read_artists(path: Path) -> dict[str, str]:
    """Artist's number → name, where the table of names is there; other data sets know artists by name alone."""
    if not path.exists():
        return {}
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    # Two rows of the published table have a column too many.
    return {row[1]: row[4] for row in rows if len(row) == len(rows[0]) > 4}


def _clip(audio: list[Path], row: list[str], sides: dict[str, str], artists: dict[str, str]) -> Clip:
    track, artist, _, path, _, *tags = row
    return Clip(
        path=_audio_file(audio, path),
        name=path,
        source="jamendo",
        group=artist_group(artists.get(artist, "")) or f"jamendo:{artist}",
        genres=tuple(tag for tag in tags if tag.startswith("genre---")),
        moods=tuple(tag for tag in tags if tag.startswith("mood/theme---")),
        split=sides.get(track, ""),
        recording=f"jamendo|{track}",
        others=tuple(tag for tag in tags if tag.startswith("instrument---")),
    )


def _audio_file(folders: list[Path], path: str) -> Path:
    files = [folder / name for folder in folders for name in (path, path.replace(".mp3", ".low.mp3"))]
    return next((file for file in files if file.is_file()), files[0])


DATA_SET = DataSet("jamendo", load, HOME, "Creative Commons, track by track; metadata CC BY-NC-SA 4.0")
