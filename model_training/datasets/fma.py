"""FMA (Defferrard et al. 2017): `fma_metadata/tracks.csv` and `fma_small/000/000002.mp3` (or medium, large)."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from model_training.datasets.base import (
    Clip,
    DataSet,
    DataSetError,
    artist_group,
    need,
    need_columns,
    present,
    read_table,
    recording_of,
)

HOME = "https://github.com/mdeff/fma"

# Folder → the subsets whose tracks it holds: each size contains the smaller ones.
_SUBSETS = {
    "fma_small": frozenset({"small"}),
    "fma_medium": frozenset({"small", "medium"}),
    "fma_large": frozenset({"small", "medium", "large"}),
}
_COLUMNS = (
    "set.split", "set.subset", "artist.id", "artist.name", "track.title", "track.genre_top", "track.genres_all",
)  # fmt: skip
# Top genres of which a track that is filed under another one is none. The others (Instrumental, International,
# Experimental, Easy Listening, Old-Time, Spoken) say how, where or why music is made and go with any style.
_EXCLUSIVE = (
    "Blues", "Classical", "Country", "Electronic", "Folk", "Hip-Hop", "Jazz", "Pop", "Rock", "Soul-RnB",
)  # fmt: skip
# Some columns hold whole biographies, longer than what csv takes for a cell.
_LONGEST_CELL = 1 << 24


@dataclass(frozen=True, slots=True)
class _Genre:
    title: str
    is_top: bool


def load(folder: Path) -> list[Clip]:
    """Read the folder that holds `fma_metadata` and the audio, of which the largest size counts.

    One size is chosen by naming its folder instead. Raises DataSetError without the tables or the audio.
    """
    root, names = (folder.parent, [folder.name]) if folder.name in _SUBSETS else (folder, [*reversed(_SUBSETS)])
    tracks = need(root / "fma_metadata" / "tracks.csv", HOME)
    audio = next((root / name for name in names if (root / name).is_dir()), None)
    if audio is None:
        raise DataSetError(f"{root / names[-1]} is missing; see {HOME}")
    genres = _read_genres(root / "fma_metadata" / "genres.csv")
    rows = (row for row in _read_tracks(tracks) if row["set.subset"] in _SUBSETS[audio.name])
    return present([_clip(audio, row, genres) for row in rows], audio, HOME)


def _read_genres(path: Path) -> dict[int, _Genre]:
    rows = read_table(path, HOME, ("genre_id", "parent", "title"))
    return {int(row["genre_id"]): _Genre(row["title"], row["parent"] == "0") for row in rows}


def _read_tracks(path: Path) -> Iterator[dict[str, str]]:
    """Rows of a table with three header rows: kind, name (`set`, `split` → "set.split"), and `track_id` alone."""
    csv.field_size_limit(_LONGEST_CELL)
    with path.open(encoding="utf-8", newline="") as table:
        rows = csv.reader(table)
        kinds, names = next(rows, []), next(rows, [])
        columns = [f"{kind}.{name}" for kind, name in zip(kinds, names, strict=False)]
        need_columns(path, HOME, _COLUMNS, columns)
        next(rows, None)
        for row in rows:
            yield dict(zip(columns, row, strict=False)) | {"track_id": row[0]}


def _clip(audio: Path, row: dict[str, str], genres: dict[int, _Genre]) -> Clip:
    file = f"{int(row['track_id']):06d}.mp3"
    found = [genres[number] for number in json.loads(row["track.genres_all"] or "[]") if number in genres]
    tops = (row["track.genre_top"],) if row["track.genre_top"] else tuple(g.title for g in found if g.is_top)
    return Clip(
        path=audio / file[:3] / file,
        name=f"{file[:3]}/{file}",
        source="fma",
        group=artist_group(row["artist.name"]) or f"fma:artist:{row['artist.id']}",
        genres=tops,
        moods=(),
        split=row["set.split"],
        recording=recording_of(row["artist.name"], row["track.title"]),
        others=tuple(g.title for g in found if g.title not in tops),
        denied=tuple(title for title in _EXCLUSIVE if title not in tops) if tops else (),
    )


DATA_SET = DataSet("fma", load, HOME, "Creative Commons, track by track; metadata CC BY 4.0")
