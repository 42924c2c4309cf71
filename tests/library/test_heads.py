"""What was learnt of a person's genres: kept with its encoder, forgotten with it, and never read damaged."""

import sqlite3
from contextlib import closing

import numpy as np
import pytest
from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from musrecd.errors import LibraryDamagedError, LibraryError
from musrecd.library import migrations
from musrecd.library.embeddings import embeddings_at
from musrecd.library.reader import LibraryReader
from musrecd.library.recovery import put_right
from musrecd.library.store import Library
from musrecd.types import Tags

CONTENT = bytes(range(256)) * 300


def head(path, version) -> bytes | None:
    with LibraryReader.open(path) as reader:
        return reader.head(version)


def execute(path, sql, *parameters) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(sql, parameters)


def test_a_head_is_kept_replaced_and_forgotten(library, path, make):
    assert head(path, make.version) is None
    assert not library.forget_head()
    library.keep_head(make.version, b"first")
    library.keep_head(make.version, CONTENT)
    assert head(path, make.version) == CONTENT
    assert library.forget_head()
    assert head(path, make.version) is None


def test_each_encoder_has_its_own(library, path, make):
    library.register_encoder(make.encoder("other"))
    library.keep_head(make.version, b"one")
    library.keep_head("other", b"two")
    assert (head(path, make.version), head(path, "other"), head(path, "unknown")) == (b"one", b"two", None)
    assert library.forget_head()
    assert (head(path, make.version), head(path, "other")) == (None, None)


def test_an_encoder_that_nobody_knows_has_none(library, path):
    with pytest.raises(LibraryError, match="'unknown' is not registered"):
        library.keep_head("unknown", CONTENT)
    assert head(path, "unknown") is None


@pytest.mark.parametrize("value", [CONTENT[:-1], CONTENT[:-1] + b"x", "text", 7])
def test_damage_is_noticed(library, path, make, value):
    library.keep_head(make.version, CONTENT)
    execute(path, "UPDATE heads SET content = ?", value)
    with pytest.raises(LibraryError, match="damaged; learn them again"):
        head(path, make.version)
    library.keep_head(make.version, CONTENT)
    assert head(path, make.version) == CONTENT


def test_compaction_drops_the_head_of_a_superseded_encoder_alone(library, path, make):
    library.register_encoder(make.encoder("new"))
    for version in (make.version, "new"):
        library.add(make.file(b"/a"), make.analysis(1, version=version), Tags())
        library.keep_head(version, version.encode())
    execute(path, "UPDATE encoders SET registered_at = '2020' WHERE version = ?", make.version)
    assert library.compact().n_encoders == 1
    assert (head(path, make.version), head(path, "new")) == (None, b"new")
    library.register_encoder(make.encoder())
    assert head(path, make.version) is None


def test_a_library_from_before_the_heads_gets_them(path, make):
    steps = Migrations("musrec")
    for step in (migrations.create_tables, migrations.create_queue):
        steps()(step)
    path.touch()
    with closing(Database(sqlite3.connect(path, isolation_level=None))) as db:
        migrations.migrate(db, path, steps, newest=2)
    with Library.open(path) as library:
        library.register_encoder(make.encoder())
        library.keep_head(make.version, CONTENT)
    assert head(path, make.version) == CONTENT


def test_a_head_is_saved_from_a_damaged_library(library, path, make):
    library.keep_head(make.version, CONTENT)
    library.close()
    with closing(sqlite3.connect(path)) as connection:
        [(page,)] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'jobs'")
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 4096)
    put_right(path, LibraryDamagedError("damaged"))
    assert list(path.parent.glob("*.damaged-*"))
    assert head(path, make.version) == CONTENT


def test_embeddings_come_in_the_order_asked_without_what_is_not_there(library, path, make):
    paths = [b"/%d" % number for number in range(1100)]  # more than one statement has variables
    with library.at_once():
        for number, name in enumerate(paths):
            library.add(make.file(name), make.analysis(number), Tags())
    library.attach(make.file(b"/copy"), make.audio_id(3), Tags())
    library.mark_missing([b"/5"])
    with LibraryReader.open(path) as reader:
        found, embeddings = embeddings_at(reader, [b"/copy", b"/unknown", *reversed(paths)], make.version)
        assert found == [b"/copy", *(name for name in reversed(paths) if name != b"/5")]
        expected = [make.unit(3), *(make.unit(number) for number in reversed(range(1100)) if number != 5)]
        np.testing.assert_array_equal(embeddings, expected)
        found, embeddings = embeddings_at(reader, [b"/unknown"], make.version)
        assert (found, embeddings.shape) == ([], (0, make.dim))
        with pytest.raises(LibraryError, match="no analyses of encoder version 'v'"):
            embeddings_at(reader, paths, "v")
