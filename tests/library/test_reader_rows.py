"""What the reader says of all rows at once: which are there, which another database has, what was suggested."""

import pytest

from musrecd.errors import LibraryError
from musrecd.library.reader import LibraryReader
from musrecd.library.suggestions import note_suggested
from musrecd.types import Tags


@pytest.fixture
def filled(library, make):
    """Rows 0 to 5; 1 has two files of which one is missing, 2 none that is there, 4 none at all."""
    for number in range(6):
        library.add(make.file(b"/%d" % number), make.analysis(number), Tags())
    library.attach(make.file(b"/1 copy"), make.audio_id(1), Tags())
    library.mark_missing([b"/1", b"/2"])
    library.attach(make.file(b"/4"), make.audio_id(0), Tags())
    return library


@pytest.fixture
def reader(filled, path):
    with LibraryReader.open(path) as reader:
        yield reader


def test_rows_with_a_file_that_is_there(filled, reader, make):
    assert reader.analysed_rows(make.version).tolist() == [0, 1, 3, 5]
    filled.register_encoder(make.encoder("none yet"))
    assert reader.analysed_rows("none yet").tolist() == []
    with pytest.raises(LibraryError):
        reader.analysed_rows("unknown")


def test_suggestions_are_counted_by_recording(filled, reader, path, make):
    ids = {row: tracks[0].recording_id for row, tracks in reader.tracks_in_rows([0, 3, 5], make.version).items()}
    assert reader.suggested(make.version) == {}
    note_suggested(path, [ids[0], ids[3], ids[3], 99])
    note_suggested(path, [ids[3], ids[5], 99])
    assert reader.suggested(make.version) == {0: 1, 3: 3, 5: 1}
    assert reader.suggested("unknown") == {}


def test_who_asks_does_not_wait_to_count(filled, reader, path, make):
    with filled.at_once():
        note_suggested(path, [1])
    assert reader.suggested(make.version) == {}


def test_hearing_that_is_wanted_decides_what_is_known(filled, reader, make):
    def state():
        known = make.audio_id(0), make.version
        return (
            reader.knows(*known),
            len(reader.heard_below(b"/", make.version)),
            bool(reader.tracks_at([b"/0"], known[1])),
        )

    file = make.file(b"/0")
    assert state() == (True, 5, True)
    filled.register_encoder(make.encoder(), 1)
    assert state() == (False, 0, True)
    assert list(filled.pending([file], make.version)) == [file]
    assert filled.unchanged([file]) == {b"/0"}
    filled.register_encoder(make.encoder())
    assert state() == (True, 5, True), "whoever has worse ears is content with them"
    assert list(filled.pending([file], make.version)) == []
