"""A card says what was trained on, whose it is, and counts nothing that was held out."""

from pathlib import Path

import pytest

from model_training.datasets.base import Clip
from model_training.examples import originals
from model_training.origins import origins_of, read_origins
from model_training.plan import Sounds
from model_training.teachers import TEACHERS


def sounds_of(*sources: str, held_out: int = 0) -> Sounds:
    clips = [Clip(Path(f"{i}.flac"), f"{i}.flac", source, f"artist:{i}", (), ()) for i, source in enumerate(sources)]
    return Sounds(clips, originals(clips), frozenset(clip.name for clip in clips[:held_out]))


def test_collections_are_counted_without_what_is_held_out():
    found = origins_of(sounds_of("gtzan_short", "gtzan_classical", "taffc", "midi:open", held_out=1), ())
    assert {each.name: each.n_sounds for each in found.collections} == {"gtzan": 1, "midi": 1, "taffc": 1}
    assert found.n_examples == 4


def test_a_whole_data_set_is_not_taken_for_an_extract_of_it():
    found = {each.name: each.what for each in origins_of(sounds_of("gtzan", "gtzan_full"), ()).collections}
    assert "numbers from 00010 on" in found["gtzan"]
    assert "numbers from 00010 on" not in found["gtzan_full"]


def test_music_of_ones_own_is_said_to_be_so():
    (found,) = origins_of(sounds_of("folders"), ()).collections
    assert "own" in found.what


@pytest.mark.parametrize("teacher", TEACHERS)
def test_every_teacher_has_a_licence(teacher):
    (found,) = origins_of(sounds_of("zouk"), (teacher,)).teachers
    assert found.licence in ("MIT", "ISC")


def test_they_are_read_as_they_were_written(tmp_path):
    origins = origins_of(sounds_of("open:x", "zouk"), ("crnn_msd",))
    origins.write(tmp_path)
    assert read_origins(tmp_path) == origins
