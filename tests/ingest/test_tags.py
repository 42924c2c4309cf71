"""Reading the words by which a person recognises a file."""

import os

from musrecd.ingest.tags import read_tags
from musrecd.types import Tags


def test_tags_of_every_format_are_read(rendered_files):
    for path in rendered_files:
        tags = read_tags(os.fsencode(path))
        assert all((tags.artist, tags.title, tags.album)), path


def test_no_tags_and_damaged_files_give_empty_words(tmp_path):
    path = tmp_path / "x.mp3"
    path.write_bytes(b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f" + bytes(range(256)))
    assert read_tags(os.fsencode(path)) == Tags()
    assert read_tags(b"/nowhere.mp3") == Tags()
