"""Tempo and key go where none is, never over what a person set, and back exactly."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musrecd.analysis.payload import survey
from musrecd.config import TaggingConfig, VocabularyConfig
from musrecd.library.reader import LibraryReader, Pulse
from musrecd.tagging import files, writing
from musrecd.tagging.files import Change
from musrecd.tagging.genres import Genres
from musrecd.tagging.heard import NOTHING, Heard
from musrecd.tagging.policy import Policy
from musrecd.tagging.wishes import wishes_for
from musrecd.types import Analysis, EncoderInfo, Label, Tags
from tests.tagging.scene import FILL, RULES, Database

BOTH = Heard(128, "C#m")
NO_GENRES = Policy("fill", 0)
INFO = EncoderInfo("enc-1", 2, (Label("Rock", "genre"),))


@pytest.fixture(autouse=True)
def _untagged(scene) -> None:
    """Take out of the rendered files what they were composed with."""
    for path in scene.paths:
        files.write(path, Change(tempo=(), key=()), RULES)


def in_files(scene) -> set[tuple[tuple[str, ...], tuple[str, ...]]]:
    return {(tags.tempo, tags.key) for tags in map(files.read, scene.paths)}


def heard(scene, *, tempo=True, key=True, sure=0.9):
    """Hear the files of a scene; return wishes made from what the library knows."""
    scene.library.register_encoder(INFO)
    for path in scene.paths:
        audio_id = survey(path).audio_id
        analysis = Analysis(
            audio_id, "enc-1", np.array([1, 0], np.float32), np.array([0.9], np.float32), 6.0,
            bpm=127.8, bpm_confidence=sure, key="C#m", key_confidence=sure,
        )  # fmt: skip
        scene.library.add(writing.state_of(path), analysis, Tags())
    with LibraryReader.open(scene.library.path) as reader:
        tagging = TaggingConfig(tempo=tempo, key=key, vocabulary=VocabularyConfig())
        return wishes_for(reader, INFO, scene.paths, Genres.of(reader, INFO, tagging))


def test_they_go_into_the_files_with_the_genre_and_all_comes_back(scene):
    before = scene.contents()
    wishes = heard(scene)
    assert {wish.heard for wish in wishes} == {BOTH}
    assert {outcome.result for outcome in scene.write(wishes)} == {"written"}
    assert in_files(scene) == {(("128",), ("C#m",))}
    assert set(scene.genres()) == {("Rock",)}
    assert {(entry.plan.bpm, entry.plan.key) for entry in scene.entries()} == {(128, "C#m")}
    assert {outcome.result for outcome in scene.undo()} == {"written"}
    assert scene.contents() == before
    assert not any(wish.heard for wish in heard(scene) if not wish.heard_before), "who took them back wants none"
    assert {outcome.result for outcome in scene.write(heard(scene), NO_GENRES)} == {"left"}


@pytest.mark.parametrize(("tempo", "key", "wanted"), [(True, False, Heard(128)), (False, True, Heard(None, "C#m"))])
def test_only_what_is_asked_for_is_written(scene, tempo, key, wanted):
    scene.write(heard(scene, tempo=tempo, key=key), NO_GENRES)
    assert in_files(scene) == {(() if wanted.bpm is None else ("128",), () if wanted.key is None else ("C#m",))}
    assert set(scene.genres()) == {()}


def test_without_being_asked_or_sure_nothing_is_heard(scene):
    assert {wish.heard for wish in heard(scene, tempo=False, key=False)} == {NOTHING}
    assert {wish.heard for wish in heard(scene, sure=0.5)} == {NOTHING}


def test_what_a_person_set_stays_in_the_file_and_in_the_database(scene):
    first, second, *others = scene.paths
    files.write(first, Change(tempo=("90",)), RULES)
    wishes = [
        replace(wish, in_beets=(), heard_in_beets=Heard(90) if wish.path == second else NOTHING)
        for wish in heard(scene)
    ]
    database = Database(dict.fromkeys(scene.paths, ()))
    scene.write(wishes, NO_GENRES, elsewhere=database)
    found = {path: (files.read(path).tempo, files.read(path).key) for path in scene.paths}
    assert found.pop(first) == (("90",), ("C#m",))
    assert found.pop(second) == ((), ("C#m",))
    assert set(found.values()) == {(("128",), ("C#m",))}
    assert database.heard == {first: Heard(None, "C#m"), second: Heard(None, "C#m")} | dict.fromkeys(others, BOTH)


def test_undo_leaves_what_somebody_changed_since(scene):
    first, *others = scene.paths
    database = Database(dict.fromkeys(scene.paths, ()))
    wishes = [replace(wish, in_beets=()) for wish in heard(scene)]
    scene.write(wishes, NO_GENRES, elsewhere=database)
    raw = files.read(first).raw
    # As another program would: take the tempo out, then put another one in.
    files.write(first, Change(tempo=()), RULES)
    files.write(first, Change(tempo=("64",)), RULES)
    assert files.read(first).raw != raw
    assert {outcome.result for outcome in scene.undo(elsewhere=database)} == {"written"}
    assert (files.read(first).tempo, files.read(first).key) == (("64",), ())
    assert {files.read(path).tempo for path in others} == {()}
    assert database.heard == {first: Heard(128)} | dict.fromkeys(others, NOTHING)


def test_without_files_the_database_alone_gets_them(scene):
    before = scene.contents()
    database = Database(dict.fromkeys(scene.paths, ()))
    wishes = [replace(wish, in_beets=()) for wish in heard(scene)]
    scene.write(wishes, NO_GENRES, elsewhere=database, into_files=False)
    assert database.heard == dict.fromkeys(scene.paths, BOTH)
    scene.undo(elsewhere=database)
    assert database.heard == dict.fromkeys(scene.paths, NOTHING)
    assert scene.contents() == before


def test_force_writes_again_what_was_taken_back_but_over_nothing(scene):
    scene.write(heard(scene), NO_GENRES)
    scene.undo()
    files.write(scene.paths[0], Change(tempo=("90",)), RULES)
    scene.write(heard(scene), Policy("replace", 1))
    assert files.read(scene.paths[0]).tempo == ("90",)
    assert {files.read(path).tempo for path in scene.paths[1:]} == {("128",)}


sureness = st.none() | st.floats(0, 1)


@given(st.none() | st.floats(30, 300), sureness, st.sampled_from([None, "C", "F#m"]), sureness, st.booleans())
def test_nothing_is_written_that_is_not_sure_whole_or_there(bpm, bpm_sure, key, key_sure, wanted):
    found = Heard.of(Pulse(bpm, bpm_sure, key, key_sure), tempo=wanted, key=True)
    assert found.bpm is None or (wanted and bpm_sure >= 0.74 and abs(found.bpm - bpm) <= 0.5)
    assert found.key is None or (found.key == key and key_sure >= 0.74)
    assert bool(found) == (found != NOTHING)
    assert found.where_none(has_tempo=True, has_key=True) == NOTHING


def test_genres_alone_stay_the_usual_way(scene):
    scene.write(scene.wishes(), FILL)
    assert in_files(scene) == {((), ())}
