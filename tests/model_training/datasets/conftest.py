"""Small copies of the data sets in their published layouts, with a tenth of a second of noise for every clip."""

import csv
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path

import mutagen
import numpy as np
import pytest

N = 24
SIDES = ("training", "validation", "test")
GENRES = ("Blues", "Jazz", "Rock")


def table(path: Path, rows: Iterable[Iterable[object]], delimiter: str = ",", quoting: int = csv.QUOTE_MINIMAL) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=delimiter, quoting=quoting).writerows(rows)


@pytest.fixture
def noise(make_audio) -> Callable[[Path], Path]:
    """Return a function that writes a short file of noise, another one each time."""
    rng = np.random.default_rng(0)

    def written(path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        make_audio(path, sr=16_000, y=rng.uniform(-0.3, 0.3, 1600))
        return path

    return written


def clips(folder: Path, noise: Callable[[Path], Path]) -> None:
    columns = ("path", "source", "artist", "title", "genres", "moods", "licence")
    rows = [
        (f"mine/{i}.opus", "mine", f"Artist {i // 2}", f"Song {i}", GENRES[i % 3], "Calm", "mine") for i in range(N)
    ]
    table(folder / "clips.csv", [columns, *rows])
    for row in rows:
        noise(folder / "clips" / row[0])


def fma(folder: Path, noise: Callable[[Path], Path]) -> None:
    """Columns between those that are read are left out, but for one that comes before them all."""
    genres = [(3, 1752, 0, "Blues", 3), (4, 4126, 0, "Jazz", 4), (12, 32923, 0, "Rock", 12), (25, 9261, 12, "Punk", 12)]
    table(folder / "fma_metadata" / "genres.csv", [("genre_id", "#tracks", "parent", "title", "top_level"), *genres])
    kinds = ("", "album", "artist", "artist", "set", "set", "track", "track", "track")
    names = ("", "information", "id", "name", "split", "subset", "genre_top", "genres_all", "title")
    rows = []
    for i in range(N):
        top, numbers = [("Blues", "[3]"), ("Jazz", "[4]"), ("Rock", "[25, 12]")][i % 3]
        artist = i // 2
        side = SIDES[artist % 3]
        biography = "long " * 40_000 if i == 0 else ""
        rows.append((2 + i, biography, artist, f"Artist {artist}", side, "small", top, numbers, f"Song {i}"))
        noise(folder / "fma_small" / "000" / f"{2 + i:06d}.mp3")
    elsewhere = (90_000, "", 77, "Artist 77", "training", "large", "", "[4, 12]", "Not in the small set")
    table(folder / "fma_metadata" / "tracks.csv", [kinds, names, ("track_id", *[""] * 8), *rows, elsewhere])


def gtzan(folder: Path, noise: Callable[[Path], Path]) -> None:
    for genre in ("blues", "hiphop"):
        for i in range(0, 96, 8):
            noise(folder / "genres" / genre / f"{genre}.{i:05d}.wav")


def magnatagatune(folder: Path, noise: Callable[[Path], Path]) -> None:
    tags = ("rock", "jazz", "blues", "no vocals", "female vocal", "no piano", "guitar")
    info, annotations = [], []
    for i in range(N):
        artist = i // 2
        path = f"{'0cf'[artist % 3]}/artist_{artist}-album-{i:02d}-song-0-29.mp3"
        given = [int(j in (i % 3, 3 + i % 2)) for j in range(len(tags))]
        annotations.append((2 + i, *given, path))
        info.append((2 + i, i, f"Song {i}", f"Artist {artist}", "Album", "u", 0, 29, "o", path))
        noise(folder / path)
    columns = ("clip_id", "track_number", "title", "artist", "album", "url", "segmentStart", "segmentEnd")
    table(folder / "clip_info_final.csv", [(*columns, "original_url", "mp3_path"), *info], "\t", csv.QUOTE_ALL)
    table(folder / "annotations_final.csv", [("clip_id", *tags, "mp3_path"), *annotations], "\t", csv.QUOTE_ALL)


def jamendo(folder: Path, noise: Callable[[Path], Path]) -> None:
    header = ("TRACK_ID", "ARTIST_ID", "ALBUM_ID", "PATH", "DURATION", "TAGS")
    rows = []
    for i in range(N):
        tags = (f"genre---{GENRES[i % 3].lower()}", "instrument---piano", "mood/theme---happy")[: 1 + i % 3]
        path = f"{i:02d}/{100 + i}.mp3"
        rows.append((f"track_{100 + i:07d}", f"artist_{i // 2:06d}", "album_000001", path, "29.0", *tags))
        noise(folder / "audio" / (path if i % 2 else path.replace(".mp3", ".low.mp3")))
    table(folder / "data" / "autotagging.tsv", [header, *rows], "\t")
    for number, side in enumerate(("train", "validation", "test")):
        chosen = [row for i, row in enumerate(rows) if i // 2 % 3 == number]
        table(folder / "data" / "splits" / "split-0" / f"autotagging-{side}.tsv", [header, *chosen], "\t")


def fourq(folder: Path, noise: Callable[[Path], Path]) -> None:
    columns = ("Song", "Artist", "Title", "Quadrant", "PQuad", "MoodsTotal", "Moods", "MoodsFoundStr", "MoodsStr")
    more = ("MoodsStrSplit", "Genres", "GenresStr", "Sample", "SampleURL")
    metadata, annotations = [], []
    for i in range(N):
        song, quadrant = f"MT{i:010d}", f"Q{1 + i % 4}"
        genres = "Jazz; Blues" if i % 5 == 0 else GENRES[i % 2]
        annotations.append((song, quadrant))
        row = (song, f"Artist {i // 2}", f"Song, {i}", quadrant, 1, 2, 2, "Calm", "Calm", "Calm; Gentle")
        metadata.append((*row, 1, genres, 1, "url"))
        noise(folder / quadrant / f"{song}.mp3")
    table(folder / "panda_dataset_taffc_metadata.csv", [(*columns, *more), *metadata], quoting=csv.QUOTE_ALL)
    table(folder / "panda_dataset_taffc_annotations.csv", [("Song", "Quadrant"), *annotations], quoting=csv.QUOTE_ALL)


def folders(folder: Path, noise: Callable[[Path], Path]) -> None:
    for i in range(N):
        path = noise(folder / GENRES[i % 3] / f"Artist {i // 2}" / f"{i:02d} Song.flac")
        tags = mutagen.File(path, easy=True)
        tags["artist"], tags["title"] = f"Artist {i // 2}", f"Song {i}"
        tags.save()
    (folder / "Covers").mkdir()
    (folder / "Covers" / "cover.jpg").touch()


def beets(folder: Path, noise: Callable[[Path], Path]) -> None:
    """Paths are relative to the library's directory, as beets 2.10 stores them, and absolute, as it did before."""
    rows = []
    for i in range(N):
        path = noise(folder / "music" / f"Artist {i // 2}" / f"{i:02d} Song.flac")
        stored = bytes(path) if i % 2 else bytes(path.relative_to(folder / "music"))
        rows.append(
            (stored, f"Artist {i // 2}", "Album", f"Song {i}", "\\␀".join((GENRES[i % 3], "Hip-Hop")[: 1 + i % 2]))
        )
    (folder / "config.yaml").write_text("directory: music\n", encoding="utf-8")
    with closing(sqlite3.connect(folder / "library.db")) as connection, connection:
        connection.execute(
            "CREATE TABLE items (id INTEGER PRIMARY KEY, path BLOB, artist TEXT, album TEXT, title TEXT, genres TEXT)"
        )
        connection.executemany("INSERT INTO items (path, artist, album, title, genres) VALUES (?, ?, ?, ?, ?)", rows)


BUILDERS = {
    "clips": clips,
    "fma": fma,
    "gtzan": gtzan,
    "magnatagatune": magnatagatune,
    "jamendo": jamendo,
    "4q": fourq,
    "folders": folders,
    "beets": beets,
}


@pytest.fixture
def build(tmp_path, noise) -> Callable[[str], Path]:
    """Return a function: name of a data set → a folder with a small copy of it."""

    def built(name: str) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        BUILDERS[name](folder, noise)
        return folder

    return built
