"""What was written is taken back, exactly, unless somebody changed it since."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mutagen.id3 import ID3, TCON

from musrecd.analysis.payload import survey
from musrecd.library.reader import LibraryReader
from musrecd.tagging import files, writing
from musrecd.tagging.files import Change
from musrecd.tagging.policy import Policy
from musrecd.tagging.predict import Prediction
from musrecd.tagging.undo import Undo, undo
from musrecd.types import Analysis, EncoderInfo, Tags
from tests.tagging.scene import RULES, Database


def test_undo_gives_back_the_bytes_that_were_there(scene):
    files.write(scene.paths[1], Change(genres=("Polka", "Ländler")), RULES)
    tags = [files.read(path).raw for path in scene.paths]
    scene.write(scene.wishes(), Policy("replace", 1))
    assert scene.genres() == [("Rock",)] * len(scene.paths)
    assert [outcome.result for outcome in scene.undo()] == ["written"] * len(scene.paths)
    assert [files.read(path).raw for path in scene.paths] == tags
    assert {entry.state for entry in scene.entries() if entry.plan.undoes is None} == {"undone"}
    assert scene.undo() == [], "what was taken back is not taken back again"


def test_undo_of_several_writes_goes_back_through_all_of_them(scene):
    wishes = scene.wishes()[:1]
    scene.write(wishes)
    scene.write([replace(wishes[0], predicted=(Prediction("Jazz", 1.0, 0.5),))], Policy("replace", 1))
    assert scene.genres()[0] == ("Jazz",)
    scene.undo()
    assert scene.genres()[0] == ()


def test_what_somebody_changed_since_is_not_taken_back_unless_forced(scene):
    scene.write(scene.wishes()[:1])
    files.write(scene.paths[0], Change(genres=("Mine",)), RULES)
    [outcome] = scene.undo()
    assert (outcome.result, scene.genres()[0]) == ("left", ("Mine",))
    assert "changed by somebody" in outcome.message
    [outcome] = scene.undo(force=True)
    assert (outcome.result, scene.genres()[0]) == ("written", ())


def test_a_file_that_was_moved_is_found_by_its_recording(scene):
    wish = scene.wishes()[0]
    scene.write([wish])
    moved = scene.folder / f"moved{Path(os.fsdecode(wish.path)).suffix}"
    os.rename(wish.path, bytes(moved))
    scene.library.move(wish.path, bytes(moved))
    [outcome] = scene.undo()
    assert (outcome.path, outcome.result) == (bytes(moved), "written")
    assert files.read(bytes(moved)).genres == ()


def test_without_files_only_what_is_kept_elsewhere_changes_and_can_be_taken_back(scene):
    before, database = scene.contents(), Database(dict.fromkeys(scene.paths, ()))
    scene.library.refresh = lambda states, genres: pytest.fail("no file changed") if genres or list(states) else None
    scene.write(scene.wishes(in_beets=()), elsewhere=database, into_files=False)
    assert database == dict.fromkeys(scene.paths, ("Rock",))
    os.unlink(scene.paths[0])
    scene.undo(elsewhere=database)
    assert database == {path: ("Rock",) if path == scene.paths[0] else () for path in scene.paths}
    scene.paths = scene.paths[1:]
    assert scene.contents() == before[1:]


def test_a_genre_that_was_changed_in_the_database_alone_is_not_taken_back(scene):
    wish = scene.wishes(in_beets=())[0]
    database = Database({wish.path: ()})
    scene.write([wish], elsewhere=database)
    database[wish.path] = ("Mine",)
    [outcome] = scene.undo(elsewhere=database)
    assert outcome.result == "left"
    assert database == {wish.path: ("Mine",)}


def test_moods_are_written_where_none_are_and_taken_back_with_the_genre(scene):
    before = scene.contents()
    files.write(scene.paths[0], Change(genres=("Polka",)), RULES)
    scene.write(scene.wishes(moods=("Calm", "Sad")))
    assert [files.read(path).moods for path in scene.paths] == [("Calm", "Sad")] * len(scene.paths)
    assert scene.genres() == [("Polka",), *[("Rock",)] * (len(scene.paths) - 1)]
    assert scene.write(scene.wishes(moods=("Happy",)))[0].result == "left"
    scene.undo()
    assert scene.contents()[1:] == before[1:]
    assert (files.read(scene.paths[0]).moods, scene.genres()[0]) == ((), ("Polka",))


def test_a_mood_that_a_person_added_since_stays_when_the_genre_is_taken_back(scene):
    scene.write(scene.wishes())
    for path in scene.paths:
        files.write(path, Change(moods=("Mine",)), RULES)
    assert {outcome.result for outcome in scene.undo()} == {"written"}
    assert {(files.read(path).genres, files.read(path).moods) for path in scene.paths} == {((), ("Mine",))}


def test_a_tag_that_somebody_wrote_anew_in_another_version_gets_the_word_back(scene, tmp_path, rendered_files):
    source = next(path for path in rendered_files if path.suffix == ".mp3")
    path = tmp_path / "music" / "old.mp3"
    shutil.copy(source, path)
    tags = ID3(path)
    tags.add(TCON(encoding=1, text=["Lang" * 40]))
    tags.update_to_v23()
    tags.save(path, v2_version=3)
    scene.paths = [bytes(path)]
    scene.write(scene.wishes(), Policy("replace", 1))
    ID3(path).save(path)
    assert [outcome.result for outcome in scene.undo()] == ["written"]
    found = ID3(path)
    assert found.version == (2, 4, 0)
    assert list(found["TCON"].text) == ["Lang" * 40]
    assert found["TIT2"].text


def test_one_copy_does_not_get_the_genre_of_another(scene, tmp_path):
    first = scene.paths[0]
    second = bytes(tmp_path / "music" / "copy") + Path(os.fsdecode(first)).suffix.encode()
    shutil.copy(first, second)
    files.write(first, Change(genres=("Jazz",)), RULES)
    files.write(second, Change(genres=("Blues",)), RULES)
    scene.paths = [first, second]
    scene.write(scene.wishes(), Policy("replace", 1))
    scene.library.register_encoder(EncoderInfo("enc-1", 2, ()))
    analysis = Analysis(survey(first).audio_id, "enc-1", np.array([1, 0], np.float32), np.empty(0, np.float32), 6.0)
    for path in scene.paths:
        scene.library.add(writing.state_of(path), analysis, Tags())
    os.unlink(first)
    outcomes = {outcome.path: outcome.result for outcome in scene.undo()}
    assert outcomes == {first: "left", second: "written"}
    assert files.read(second).genres == ("Blues",)


def test_the_last_run_goes_on_to_the_one_before_where_something_has_to_stay(scene):
    scene.write(scene.wishes()[:1])
    scene.write(scene.wishes()[1:])
    mine, *others = scene.paths[1:]
    files.write(mine, Change(genres=("Mine",)), RULES)

    def undo_last(**options) -> dict[bytes, str]:
        with LibraryReader.open(scene.library.path) as reader:
            run = reader.journal.last_run(by_force=options.get("force", False))
            entries = [] if run is None else reader.journal.entries(run=run)
            how = Undo(RULES, "test", **options)
            return {outcome.path: outcome.result for outcome in undo(scene.library, reader, entries, how)}

    assert undo_last() == {mine: "left"} | dict.fromkeys(others, "written")
    assert undo_last() == {scene.paths[0]: "written"}
    assert undo_last() == {}
    assert undo_last(force=True) == {mine: "written"}
    assert undo_last(force=True) == {}
    assert not any(scene.genres())


def test_a_disk_that_is_not_there_now_is_waited_for(scene):
    scene.write(scene.wishes())
    away = scene.folder.with_name("away")
    os.rename(scene.folder, away)
    scene.folder.mkdir()
    assert {outcome.result for outcome in scene.undo()} == {"failed"}
    with LibraryReader.open(scene.library.path) as reader:
        assert reader.journal.last_run() == 1
