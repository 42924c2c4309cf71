"""The writer: what it is told is there afterwards, wholly."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musrecd.errors import LibraryError
from musrecd.library.reader import LibraryReader
from musrecd.library.store import Library
from musrecd.types import EncoderInfo, Label, Tags
from tests.library.checks import TAGS, check_consistent, dump


def test_encoder_may_not_change_its_meaning(library, make, path):
    library.register_encoder(make.encoder())
    before = dump(path)
    for changed in (
        EncoderInfo(make.version, make.dim + 1, make.labels),
        EncoderInfo(make.version, make.dim, make.labels[::-1]),
    ):
        with pytest.raises(LibraryError, match="a version of its own"):
            library.register_encoder(changed)
    for refused in (EncoderInfo("v", 0, make.labels), EncoderInfo("a\udcffb", 1, ())):
        with pytest.raises(LibraryError):
            library.register_encoder(refused)
    assert dump(path) == before


def test_adding_again_changes_one_row_only(library, path, make):
    for number in (1, 2, 3):
        library.add(make.file(b"/%d" % number), make.analysis(number), TAGS)
    library.add(make.file(b"/2"), make.analysis(2, seed=22), TAGS)
    check_consistent(path)
    with LibraryReader.open(path) as reader:
        expected = [make.unit(1), make.unit(22), make.unit(3)]
        np.testing.assert_array_equal(reader.vectors(make.version), expected)


def test_adding_says_whether_file_and_recording_are_both_new(library, make):
    assert library.add(make.file(b"/1"), make.analysis(1), TAGS)
    assert not library.add(make.file(b"/1"), make.analysis(2), TAGS), "the file was there"
    assert not library.add(make.file(b"/2"), make.analysis(2), TAGS), "the recording was there"
    assert library.add(make.file(b"/3"), make.analysis(3), TAGS)
    library.add_failure(make.file(b"/4"), make.version, "unreadable", "no permission")
    library.add_failure(make.file(b"/5"), make.version, "audio", "cut short")
    assert not library.add(make.file(b"/4"), make.analysis(4), TAGS), (
        "the file was there, and its owner made it readable"
    )
    assert library.add(make.file(b"/5"), make.analysis(5), TAGS), "a copy that was not complete is"


BAD = {
    "nan": lambda a: {"embedding": np.full_like(a.embedding, np.nan)},
    "inf": lambda a: {"embedding": np.where(a.embedding == a.embedding[0], np.inf, a.embedding)},
    "too big": lambda a: {"embedding": a.embedding.astype(np.float64) * 1e300},
    "zeros": lambda a: {"embedding": a.embedding * 0},
    "long": lambda a: {"embedding": a.embedding * 1.01},
    "short": lambda a: {"embedding": a.embedding * 0.99},
    "wrong dim": lambda a: {"embedding": a.embedding[:-1]},
    "matrix": lambda a: {"embedding": a.embedding[None]},
    "nan probability": lambda a: {"probabilities": a.probabilities * np.nan},
    "few probabilities": lambda a: {"probabilities": a.probabilities[:-1]},
    "nan duration": lambda a: {"duration_s": float("nan")},
    "inf bpm": lambda a: {"bpm": float("inf")},
    "nan confidence": lambda a: {"key_confidence": float("nan")},
    "unknown version": lambda a: {"encoder_version": "enc-9"},
    "audio id": lambda a: {"audio_id": "x" * 40},
    "short audio id": lambda a: {"audio_id": "0" * 39},
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
@pytest.mark.parametrize("number", [1, 2], ids=["known", "new"])
def test_bad_analysis_is_refused_and_nothing_written(library, path, make, bad, number):
    library.add(make.file(b"/1"), make.analysis(1), TAGS)
    before = dump(path)
    good = make.analysis(number)
    with pytest.raises(LibraryError):
        library.add(make.file(b"/2"), good._replace(**bad(good)), TAGS)
    assert dump(path) == before
    check_consistent(path)


any_text = st.text(st.characters(exclude_categories=[]))
any_path = st.binary(min_size=1).map(lambda name: b"/" + name)
any_int = st.integers(-(2**70), 2**70)


@settings(max_examples=60, deadline=None)
@given(
    path_of_file=any_path,
    texts=st.tuples(any_text, any_text, any_text),
    size=any_int,
    mtime_ns=any_int,
    n_damaged=any_int,
    key=any_text,
)
def test_odd_values_come_back_sane(make, fast_folder, path_of_file, texts, size, mtime_ns, n_damaged, key):
    file = make.file(path_of_file, size, mtime_ns)
    analysis = make.analysis(1)._replace(n_damaged_packets=n_damaged, key=key, bpm=2**70)
    with tempfile.TemporaryDirectory(dir=fast_folder) as folder:
        path = Path(folder) / "library.db"
        with Library.open(path) as library:
            library.register_encoder(EncoderInfo(make.version, make.dim, (Label(key, key), *make.labels[1:])))
            library.add_failure(file, make.version, *texts[:2])
            assert list(library.pending([file], make.version)) == []
            library.add(file, analysis, Tags(*texts))
            assert list(library.pending([file], make.version)) == []
        with LibraryReader.open(path) as reader:
            track = reader.tracks_at([path_of_file], make.version)[path_of_file]
            assert reader.encoder().labels[0] == Label(key, key)
    assert track.path == path_of_file
    for stored, given_text in zip((track.tags.artist, track.tags.title, track.tags.album), texts, strict=True):
        assert stored.encode() is not None
        assert "\x00" not in stored
        if given_text.isprintable() and len(given_text) < 1000:
            assert stored == given_text
