"""The survey of all packets calls a whole file whole, and one that lost something damaged."""

from dataclasses import replace
from pathlib import Path

import pytest

from musrecd.analysis.audio import listen
from musrecd.analysis.excerpts import ExcerptPlan
from musrecd.analysis.payload import survey


def test_every_format_is_whole_and_named_as_when_it_is_listened_to(rendered_files):
    for path in rendered_files:
        found = survey(bytes(path))
        assert found.damage == "", path
        with listen(bytes(path), ExcerptPlan()) as recording:
            assert found.audio_id == recording.audio_id


def test_whole_tracks_of_real_music_are_whole(shared):
    """Encoders in the wild mix sizes of packets that synthetic sound never makes them mix."""
    tracks = [path for path in (shared / "data" / "tracks").iterdir() if path.suffix in (".ogg", ".mp3")]
    assert tracks
    assert {path.name: survey(bytes(path)).damage for path in tracks} == dict.fromkeys([p.name for p in tracks], "")


def cut(path: Path, tmp_path: Path, share: float) -> bytes:
    copy = tmp_path / path.name
    copy.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    return bytes(copy)


@pytest.mark.parametrize("suffix", [".wav", ".aiff", ".flac"])
def test_a_file_that_lost_its_end_is_damaged(rendered_files, tmp_path, suffix):
    path = next(path for path in rendered_files if path.suffix == suffix)
    assert survey(cut(path, tmp_path, 0.6)).damage


def test_a_lost_sector_is_damage(rendered_files, tmp_path):
    path = next(path for path in rendered_files if path.suffix == ".mp3")
    content = bytearray(path.read_bytes())
    content[20_000:28_192] = bytes(8192)
    hole = tmp_path / "hole.mp3"
    hole.write_bytes(content)
    assert survey(bytes(hole)).damage


def test_another_sound_has_other_packets(rendered_files):
    first, second = (survey(bytes(path)) for path in rendered_files[:2])
    assert first.packets != second.packets
    assert replace(first) == first
