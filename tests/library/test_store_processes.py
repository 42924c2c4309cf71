"""Several processes at one library, and processes that are killed: nothing acknowledged is lost."""

import random
import signal
import sqlite3
import time
from contextlib import closing

import numpy as np
import pytest

from musrecd.errors import LibraryError
from musrecd.library.reader import LibraryReader
from musrecd.library.store import Library
from tests.library.checks import TAGS, check_consistent


def test_locked_library_waits_and_then_says_so(library, path, make):
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as other,
        Library.open(path, busy_timeout_s=0.3) as waiting,
    ):
        other.execute("BEGIN IMMEDIATE")
        start = time.monotonic()
        with pytest.raises(LibraryError, match="in use by another program"):
            waiting.add(make.file(b"/a"), make.analysis(1), TAGS)
        assert time.monotonic() - start > 0.25
        other.execute("COMMIT")
        waiting.add(make.file(b"/a"), make.analysis(1), TAGS)
    check_consistent(path)


BEGIN = """
import sqlite3, sys
try:
    sqlite3.connect(sys.argv[1], timeout=0.1).execute("BEGIN IMMEDIATE")
except sqlite3.OperationalError as error:
    print(error)
"""


def test_opening_does_not_drop_the_lock_of_another_connection(library, path, start):
    with library._transaction():
        for opened in (Library, LibraryReader):
            opened.open(path).close()
            output, _ = start(BEGIN, path).communicate(timeout=20)
            assert output == "database is locked\n"


WRITER = """
import sys
import numpy as np
from pathlib import Path
from musrecd.library import writable
from musrecd.library.store import Library
from musrecd.types import Analysis, EncoderInfo, FileState, Label, Tags

path, first, count, wal = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "wal"
writable.wal_is_safe = lambda: wal
labels = (Label("rock", "genre"), Label("flute", "instrument"), Label("calm", "mood"))
with Library.open(path) as library:
    library.register_encoder(EncoderInfo("enc-1", 8, labels))
    for number in range(first, first + count):
        vector = np.random.default_rng(number).standard_normal(8).astype("f4")
        analysis = Analysis(f"{number % 500:040x}", "enc-1", vector / np.linalg.norm(vector), vector[:3], 1.0)
        library.add(FileState(b"/%d" % number, 1, 1), analysis, Tags("artist", str(number)))
        print(number, flush=True)
"""

JOURNALS = ["delete", "wal"]


@pytest.mark.parametrize("journal", JOURNALS)
def test_killed_writer_loses_nothing_it_acknowledged(path, start, journal):
    acknowledged, waits = set(), random.Random(7)
    for round_number in range(5):
        # From the third round on the recordings are known and their rows are overwritten.
        process = start(WRITER, path, round_number * 200, 10_000, journal)
        acknowledged.add(int(process.stdout.readline()))
        time.sleep(waits.uniform(0, 0.15))
        process.send_signal(signal.SIGKILL)
        acknowledged |= {int(line) for line in process.stdout.read().splitlines() if line}
        assert process.wait(20) == -signal.SIGKILL
        with LibraryReader.open(path) as reader:  # the first that comes afterwards only reads
            found = reader.analysed_paths("enc-1")
            assert found >= {b"/%d" % number for number in acknowledged}
            assert len(found) <= len(acknowledged) + round_number + 1  # killed before it could say so
        check_consistent(path)
    assert len(acknowledged) > 20


@pytest.mark.parametrize("journal", JOURNALS)
def test_two_writers_and_a_reader(path, start, make, journal):
    writers = [start(WRITER, path, first, 120, journal) for first in (0, 250)]
    for writer in writers:
        assert writer.stdout.readline()
    seen = 0
    while any(writer.poll() is None for writer in writers):
        with LibraryReader.open(path) as reader:
            rows = reader.vectors("enc-1")
            tracks = reader.tracks_in_rows(range(len(rows)), "enc-1")
            ids = [found[0].recording_id for found in tracks.values()]
            np.testing.assert_array_equal(rows, reader.embeddings(ids, "enc-1"))
            assert len(rows) >= seen
            seen = len(rows)
        time.sleep(0.01)
    assert seen > 0
    for writer in writers:
        assert len(writer.stdout.read().splitlines()) == 119
        assert writer.wait() == 0
    check_consistent(path)
    with LibraryReader.open(path) as reader:
        assert len(reader.analysed_paths("enc-1")) == 240
        assert reader.summary().analysed == {"enc-1": 240}
