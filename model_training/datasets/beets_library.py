"""A beets library: its `genres` are the labels. The database is opened read-only and never through beets.

`Library()` of beets changes what it opens: it migrates old databases.
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import confuse

from model_training.datasets.base import (
    Clip,
    DataSet,
    DataSetError,
    artist_group,
    need_columns,
    present,
    recording_of,
)

HOME = "https://beets.io (2.7 or newer) and give the file that `beet config` calls library"

_COLUMNS = ("id", "path", "artist", "album", "title", "genres")
_FILES = ("library.db", "musiclibrary.db", "musiclibrary.blb")
# Between the values of a list, as beets writes them.
_DELIMITER = "\\␀"


def load(library: Path) -> list[Clip]:
    """Read a database of beets 2.7 or newer, or a folder that holds one as `library.db`.

    Paths in it may be relative to the library's directory: that of the `config.yaml` beside the database
    (beets keeps them together), else the folder in which the database lies. Raises DataSetError without a
    database, `genres` in it, or music.
    """
    database = _database(library)
    directory = _directory(database)
    clips = [_clip(directory, row) for row in _read(database)]
    return present(clips, directory, HOME)


def _database(library: Path) -> Path:
    """Find the file; `library` may be the folder it lies in."""
    files = [library / name for name in _FILES] if library.is_dir() else [library]
    found = next((file for file in files if file.is_file()), None)
    if found is None:
        raise DataSetError(f"{files[0]} is missing; see {HOME}")
    return found


def _directory(database: Path) -> Path:
    settings = database.with_name("config.yaml")
    if settings.is_file() and (directory := (confuse.load_yaml(str(settings)) or {}).get("directory")):
        return database.parent / Path(str(directory)).expanduser()
    return database.parent


def _read(database: Path) -> list[sqlite3.Row]:
    try:
        with closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            connection.text_factory = lambda text: text.decode("utf-8", "replace")
            columns = [row["name"] for row in connection.execute("PRAGMA table_info(items)")]
            need_columns(database, HOME, _COLUMNS, columns)
            return connection.execute(f"SELECT {', '.join(_COLUMNS)} FROM items ORDER BY id").fetchall()  # noqa: S608
    except sqlite3.Error as error:
        raise DataSetError(f"{database} cannot be read as a library of beets ({error}); see {HOME}") from error


def _clip(directory: Path, row: sqlite3.Row) -> Clip:
    path = directory / os.fsdecode(row["path"] or b"")
    inside = path.relative_to(directory) if path.is_relative_to(directory) else Path(str(row["id"])) / path.name
    artist, title, genres = (row[column] or "" for column in ("artist", "title", "genres"))
    unknown = f"beets:album:{row['album'].casefold()}" if row["album"] else f"beets:{row['id']}"
    return Clip(
        path=path,
        # Names are written to text files, which names of files need not fit.
        name=os.fsencode(inside.as_posix()).decode("utf-8", "backslashreplace"),
        source="beets",
        group=artist_group(artist) or unknown,
        genres=tuple(genre.strip() for genre in genres.split(_DELIMITER) if genre.strip()),
        moods=(),
        recording=recording_of(artist, title),
    )


DATA_SET = DataSet("beets", load, HOME, "yours to know")
