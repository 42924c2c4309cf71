"""Reading the words by which a person recognises a file."""

import os
import shutil

import mediafile

from musrecd.ingest.tags import read_tags
from musrecd.types import Tags


def test_tags_of_every_format_are_read(rendered_files):
    for path in rendered_files:
        tags = read_tags(os.fsencode(path))
        assert all((tags.artist, tags.title, tags.album)), path


def test_genres_and_year_are_read(tmp_path, rendered_files):
    for original in rendered_files:
        path = tmp_path / original.name
        shutil.copy(original, path)
        file = mediafile.MediaFile(path)
        file.genres, file.year = ["Acid Jazz", "Trip-Hop"], 1994
        file.save()
        tags = read_tags(os.fsencode(path))
        assert (tags.genres, tags.year) == (("Acid Jazz", "Trip-Hop"), 1994), path
        file.genres, file.year = None, None
        file.save()
        tags = read_tags(os.fsencode(path))
        assert (tags.genres, tags.year) == ((), None), path


def test_no_tags_and_damaged_files_give_empty_words(tmp_path):
    path = tmp_path / "x.mp3"
    path.write_bytes(b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f" + bytes(range(256)))
    assert read_tags(os.fsencode(path)) == Tags()
    assert read_tags(b"/nowhere.mp3") == Tags()
