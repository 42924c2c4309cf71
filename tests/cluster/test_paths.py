"""The same file by other names."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musrecd.cluster.paths import seen_as

FOLDERS = {Path("/mnt/music"): Path("/Volumes/music"), Path("/mnt/music/live"): Path("/live"), Path("/"): Path("/nas")}


@pytest.mark.parametrize(
    ("there", "here"),
    [
        (b"/mnt/music/a.mp3", b"/Volumes/music/a.mp3"),
        (b"/mnt/music", b"/Volumes/music"),
        (b"/mnt/music/live/a.mp3", b"/live/a.mp3"),
        (b"/mnt/music/lively/a.mp3", b"/Volumes/music/lively/a.mp3"),
        (b"/mnt/musical/a.mp3", b"/nas/mnt/musical/a.mp3"),
        (b"/mnt/music/caf\xe9.mp3", b"/Volumes/music/caf\xe9.mp3"),
    ],
)
def test_the_longest_folder_that_fits_is_exchanged(there, here):
    assert seen_as(there, FOLDERS) == here


@pytest.mark.parametrize(("there", "here"), [(b"/music/a", b"/a"), (b"/music", b"/"), (b"/other", b"/other")])
def test_the_root_may_stand_for_a_folder(there, here):
    assert seen_as(there, {Path("/music"): Path("/")}) == here


@given(st.binary(min_size=1).filter(lambda b: b"\0" not in b))
def test_without_a_table_nothing_is_exchanged(name):
    assert seen_as(b"/" + name, {}) == b"/" + name
