"""What the daemon cannot answer is left to whoever asked; nothing it is asked harms it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import numpy as np
import pytest

from musrecd.daemon.answering import Answering
from musrecd.errors import MusrecError
from musrecd.library.store import Library
from musrecd.types import Analysis, EncoderInfo, FileState, Label, Tags

INFO = EncoderInfo("enc-1", 4, (Label("rock", "genre"),))
CANNOT = {"cannot": True}


def analysis(number: int) -> Analysis:
    vector = np.random.default_rng(number).standard_normal(INFO.dim).astype(np.float32)
    vector /= np.linalg.norm(vector)
    return Analysis(f"{number:040x}", INFO.version, vector, np.array([0.5], np.float32), 100.0 + number)


@pytest.fixture
def beets(tmp_path):
    database = tmp_path / "beets.db"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(
            "CREATE TABLE items (id INTEGER PRIMARY KEY, path BLOB, artist TEXT, title TEXT, album TEXT, genres TEXT, "
            "year INTEGER)"
        )
        rows = [(number, b"%d.mp3" % number, "A", f"T{number}") for number in range(1, 9)]
        connection.executemany("INSERT INTO items VALUES (?, ?, ?, ?, '', '', 0)", rows)
    return database


@pytest.fixture
def library(config):
    with Library.open(config.library) as library:
        library.register_encoder(INFO)
        for number in range(1, 8):
            library.add(FileState(b"/music/%d.mp3" % number, 1, 1), analysis(number), Tags())
    return config.library


@pytest.fixture
def answering(config) -> Iterator[Answering]:
    answering = Answering(config)
    yield answering
    answering.stop()


@pytest.fixture
def request_of(beets):
    """A question as `beet similar` puts it."""

    def make(numbers, **said):
        return {
            "do": "similar",
            "beets": {"database": str(beets), "folder": b"/music".hex()},
            "items": [[numbers, 1.0]],
            "said": said,
            "config": {"number": 3, "min_score": -1.0, "preset": "listen", "weights": {}},
        }

    return make


def test_items_are_answered_by_their_numbers(library, answering, request_of):
    answer = answering.similar(request_of([1]))
    assert (answer["seeds"], answer["unheard"], answer["notes"]) == ([1], 1, [])
    scores = {number: float(analysis(1).embedding @ analysis(number).embedding) for number in range(2, 8)}
    best = sorted(scores, key=lambda number: -scores[number])[:3]
    assert [shown.number for shown in answer["results"]] == best
    again = answering.similar(request_of([1, 2]))
    assert again["seeds"] == [1, 2]


@pytest.mark.parametrize("numbers", [[8], [99], []], ids=["not analysed", "no item", "nothing"])
def test_what_it_knows_nothing_of_is_left_to_who_asked(library, answering, request_of, numbers):
    assert answering.similar(request_of(numbers)) == CANNOT


def test_without_a_library_it_cannot_answer_and_with_one_it_can(config, answering, request_of):
    assert answering.similar(request_of([1])) == CANNOT
    with Library.open(config.library) as library:
        assert answering.similar(request_of([1])) == CANNOT, "no encoder"
        library.register_encoder(INFO)
        for number in (1, 2):
            library.add(FileState(b"/music/%d.mp3" % number, 1, 1), analysis(number), Tags())
    assert [shown.number for shown in answering.similar(request_of([1]))["results"]] == [2]


def test_what_makes_no_sense_is_told(library, answering, request_of):
    with pytest.raises(MusrecError, match="--bpm much"):
        answering.similar(request_of([1], bpm="much"))
    assert answering.similar(request_of([1]))["seeds"] == [1], "and the next is answered"


def test_what_is_no_question_is_refused_and_the_next_is_answered(library, answering, request_of):
    for broken in ({"do": "similar"}, request_of([1]) | {"items": 7}, request_of([1]) | {"beets": None}):
        with pytest.raises((KeyError, TypeError, ValueError)):
            answering.similar(broken)
    assert answering.similar(request_of([1]))["seeds"] == [1]


def test_another_database_in_the_place_of_beets_is_asked(library, answering, request_of, beets, tmp_path):
    before = answering.similar(request_of([1]))
    other = tmp_path / "other.db"
    other.write_bytes(beets.read_bytes())
    with closing(sqlite3.connect(other)) as connection, connection:
        connection.execute("UPDATE items SET id = id + 100")
    other.replace(beets)
    after = answering.similar(request_of([101]))
    assert [shown.number for shown in after["results"]] == [shown.number + 100 for shown in before["results"]]


def test_a_damaged_library_is_left_to_who_asked(library, answering, request_of):
    assert answering.similar(request_of([1]))["seeds"] == [1]
    library.write_bytes(b"no database" * 1000)
    assert answering.similar(request_of([1])) == CANNOT
