"""Genres go into files and into the journal together; a kill, an edit or a refusal in between loses neither."""

import hashlib
import json
import os
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mutagen.id3 import ID3, TCON

from musrecd.analysis.payload import survey
from musrecd.errors import LibraryError, TagError
from musrecd.library.reader import LibraryReader
from musrecd.library.store import Library
from musrecd.tagging import files, writing
from musrecd.tagging.files import Change, Rules
from musrecd.tagging.policy import Policy
from musrecd.tagging.predict import Prediction
from musrecd.tagging.undo import Undo, undo
from musrecd.tagging.writing import How, Outcome, Wish, finish_interrupted, only_writer, write_all
from musrecd.types import Analysis, EncoderInfo, Tags

RULES = Rules(settle_s=0.0)
FILL = Policy("fill", 1)
ROCK = (Prediction("Rock", 0.9, 0.5),)


def among(genre: str, genres) -> bool:
    return genre in genres


class Database(dict):
    """What beets' database would have."""

    def genres(self, path):
        return self.get(path)

    def put(self, path, genres, was):
        self[path] = genres


class Scene:
    """A library, and copies of real files in several formats that have no genre."""

    def __init__(self, folder: Path, sources: list[Path]) -> None:
        self.folder = folder / "music"
        self.folder.mkdir()
        self.library = Library.open(folder / "library.db")
        self.paths = [bytes(Path(shutil.copy(source, self.folder))) for source in sources]
        for path in self.paths:
            files.write(path, Change(genres=()), RULES)

    def wishes(self, **others) -> list[Wish]:
        return [replace(Wish(path, survey(path).audio_id, ROCK, "enc-1"), **others) for path in self.paths]

    def write(self, wishes: list[Wish], policy: Policy = FILL, **options) -> list[Outcome]:
        return list(write_all(self.library, wishes, How(policy, RULES, among, "test", **options)))

    def undo(self, **options) -> list[Outcome]:
        with LibraryReader.open(self.library.path) as reader:
            return list(undo(self.library, reader, reader.journal.entries(), Undo(RULES, "test", **options)))

    def entries(self):
        with LibraryReader.open(self.library.path) as reader:
            return reader.journal.entries()

    def genres(self) -> list[tuple[str, ...]]:
        return [files.read(path).genres for path in self.paths]

    def contents(self) -> list[str]:
        return [hashlib.sha256(Path(os.fsdecode(path)).read_bytes()).hexdigest() for path in self.paths]


@pytest.fixture
def scene(tmp_path, rendered_files):
    by_format = {path.suffix: path for path in rendered_files}
    found = Scene(tmp_path, list(by_format.values()))
    yield found
    found.library.close()


def test_what_is_written_is_in_the_files_and_in_the_journal(scene):
    outcomes = scene.write(scene.wishes())
    assert [outcome.result for outcome in outcomes] == ["written"] * len(scene.paths)
    assert scene.genres() == [("Rock",)] * len(scene.paths)
    entries = scene.entries()
    assert [entry.plan.path for entry in entries] == scene.paths
    assert {(entry.state, entry.run, entry.plan.source, entry.plan.probability) for entry in entries} == {
        ("done", 1, "enc-1", 0.9)
    }
    assert [entry.file for entry in entries] == [writing.state_of(path) for path in scene.paths]


def test_a_file_that_has_a_genre_is_left_alone_and_not_in_the_journal(scene):
    files.write(scene.paths[0], Change(genres=("Polka", "Ländler")), RULES)
    before = scene.contents()
    outcomes = scene.write(scene.wishes()[:1])
    assert [(outcome.result, outcome.message) for outcome in outcomes] == [("left", "has a genre")]
    assert scene.contents() == before
    assert scene.entries() == []


def test_a_genre_in_beets_alone_counts_too(scene):
    [outcome, *_] = scene.write(scene.wishes(in_beets=("Polka",)))
    assert outcome.result == "left"
    assert scene.genres()[0] == ()


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


def test_a_file_that_is_refused_is_not_in_the_journal_and_the_others_go_on(scene):
    os.chmod(scene.paths[0], 0o444)
    outcomes = scene.write(scene.wishes())
    assert [outcome.result for outcome in outcomes] == ["refused"] + ["written"] * (len(scene.paths) - 1)
    assert len(scene.entries()) == len(scene.paths) - 1


def test_a_file_that_changes_between_decision_and_write_keeps_the_change(scene, monkeypatch):
    real = files.read

    def read_and_let_somebody_edit(path):
        tags = real(path)
        if path == scene.paths[0]:
            files.write(path, Change(genres=("Mine",)), RULES)
        return tags

    wishes = scene.wishes()
    monkeypatch.setattr(files, "read", read_and_let_somebody_edit)
    [outcome, *others] = scene.write(wishes)
    monkeypatch.undo()
    assert outcome.result == "refused"
    assert scene.genres() == [("Mine",), *[("Rock",)] * len(others)]


def test_our_own_writes_are_known_to_the_library(scene):
    known = [state for path in scene.paths if (state := writing.state_of(path))]
    scene.library.refresh(known)
    calls = []
    scene.library.refresh = lambda states: calls.extend(states)
    scene.write(scene.wishes())
    assert calls == [writing.state_of(path) for path in scene.paths]


def test_only_one_writes_at_a_time(scene, monkeypatch):
    monkeypatch.setattr(writing, "_LOCK_WAIT_S", 0.1)
    with (
        only_writer(scene.library.path),
        pytest.raises(LibraryError, match="another musrec"),
        only_writer(scene.library.path),
    ):
        pass


class Interrupted(BaseException):
    pass


@pytest.mark.parametrize("is_written", [False, True])
def test_what_a_kill_interrupted_is_ended_by_what_the_file_says(scene, monkeypatch, is_written):
    real: Callable = files.write

    def write_until_killed(path, change, rules):
        if path == scene.paths[1]:
            if is_written:
                real(path, change, rules)
            raise Interrupted
        return real(path, change, rules)

    wishes = scene.wishes()
    monkeypatch.setattr(files, "write", write_until_killed)
    with pytest.raises(Interrupted):
        scene.write(wishes)
    monkeypatch.undo()
    assert [entry.state for entry in scene.entries()] == ["done"] + ["begun"] * (len(scene.paths) - 1)
    leftover = scene.folder / ".musrec-0123456789abcdef.tmp"
    leftover.touch()
    made = finish_interrupted(scene.library)
    assert [entry.plan.path for entry in made] == ([scene.paths[1]] if is_written else [])
    assert [entry.state for entry in scene.entries()] == ["done"] * (1 + is_written)
    assert not leftover.exists()
    scene.write(scene.wishes())
    assert scene.genres() == [("Rock",)] * len(scene.paths)
    assert len(scene.entries()) == len(scene.paths), "each has its genre exactly once"


def test_writes_of_files_that_beets_has_wait_for_who_can_tell_it(scene):
    class Killed(Database):
        def put(self, path, genres, was):
            raise Interrupted

    with pytest.raises(Interrupted):
        scene.write(scene.wishes(in_beets=())[:1], elsewhere=Killed())
    assert finish_interrupted(scene.library) == []
    assert [entry.state for entry in scene.entries()] == ["begun"]
    database = Database({scene.paths[0]: ()})
    assert len(finish_interrupted(scene.library, database)) == 1
    assert database == {scene.paths[0]: ("Rock",)}
    assert [entry.state for entry in scene.entries()] == ["done"]


def test_what_the_person_put_into_the_database_meanwhile_stays(scene):
    class Killed(Database):
        def put(self, path, genres, was):
            raise Interrupted

    with pytest.raises(Interrupted):
        scene.write(scene.wishes(in_beets=())[:1], elsewhere=Killed())
    database = Database({scene.paths[0]: ("Mine",)})
    finish_interrupted(scene.library, database)
    assert database == {scene.paths[0]: ("Mine",)}


def test_without_files_only_what_is_kept_elsewhere_changes_and_can_be_taken_back(scene):
    before, database = scene.contents(), Database(dict.fromkeys(scene.paths, ()))
    scene.library.refresh = lambda states: pytest.fail("nobody looked at the files") if list(states) else None
    scene.write(scene.wishes(in_beets=()), elsewhere=database, into_files=False)
    assert database == dict.fromkeys(scene.paths, ("Rock",))
    os.unlink(scene.paths[0])
    scene.undo(elsewhere=database)
    assert database == {path: ("Rock",) if path == scene.paths[0] else () for path in scene.paths}
    scene.paths = scene.paths[1:]
    assert scene.contents() == before[1:]


def test_where_file_and_database_have_other_genres_nothing_is_added_to_either(scene):
    files.write(scene.paths[0], Change(genres=("In File",)), RULES)
    wish = scene.wishes(in_beets=("In Database",))[0]
    database = Database({wish.path: ("In Database",)})
    [outcome] = scene.write([wish], Policy("extend", 1), elsewhere=database)
    assert (outcome.result, outcome.message) == ("left", "file and beets disagree")
    scene.write([wish], Policy("extend", 1), elsewhere=database, into_files=False)
    assert database == {wish.path: ("In Database", "Rock")}
    assert scene.genres()[0] == ("In File",)


def test_a_genre_that_was_changed_in_the_database_alone_is_not_taken_back(scene):
    wish = scene.wishes(in_beets=())[0]
    database = Database({wish.path: ()})
    scene.write([wish], elsewhere=database)
    database[wish.path] = ("Mine",)
    [outcome] = scene.undo(elsewhere=database)
    assert outcome.result == "left"
    assert database == {wish.path: ("Mine",)}


def test_a_file_outside_the_folders_of_the_library_is_written_but_no_link_that_leads_out(scene, tmp_path):
    rules = Rules(roots=(bytes(tmp_path / "elsewhere"),), settle_s=0.0)
    assert files.write(scene.paths[0], Change(genres=("Rock",)), rules).after.genres == ("Rock",)
    link = scene.folder / "link.mp3"
    link.symlink_to(os.fsdecode(scene.paths[1]))
    with pytest.raises(TagError, match="leads out"):
        files.write(bytes(link), Change(genres=("Rock",)), rules)


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
    assert outcomes == {first: "failed", second: "written"}
    assert files.read(second).genres == ("Blues",)


@pytest.mark.parametrize("suffix", [".wav"])
def test_a_genre_in_a_tag_that_is_not_written_counts_too(tmp_path, rendered_files, suffix):
    source = next(path for path in rendered_files if path.suffix == suffix)
    content = source.read_bytes()
    info = b"INFOIGNR" + struct.pack("<I", 6) + b"Jazz\0\0"
    chunk = b"LIST" + struct.pack("<I", len(info)) + info
    path = tmp_path / f"info{suffix}"
    path.write_bytes(b"RIFF" + struct.pack("<I", len(content) - 8 + len(chunk)) + content[8:] + chunk)
    files.write(bytes(path), Change(genres=()), RULES)
    before = path.read_bytes()
    with pytest.raises(TagError, match="Jazz"):
        files.write(bytes(path), Change(genres=("Rock",)), RULES)
    assert path.read_bytes() == before


_KILLED = """
import json, sys
from pathlib import Path
from musrecd.library.store import Library
from musrecd.tagging.files import Rules
from musrecd.tagging.policy import Policy
from musrecd.tagging.predict import Prediction
from musrecd.tagging.wishes import Wish
from musrecd.tagging.writing import How, finish_interrupted, only_writer, write_all
path, wishes = Path(sys.argv[1]), json.loads(sys.argv[2])
with Library.open(path) as library, only_writer(path):
    finish_interrupted(library)
    rock = (Prediction("Rock", 0.9, 0.5),)
    wanted = [Wish(bytes.fromhex(each), audio_id, rock, "enc-1") for each, audio_id in wishes]
    print("begins", flush=True)
    how = How(Policy("fill", 1), Rules(settle_s=0.0), lambda genre, genres: False, "test")
    for outcome in write_all(library, wanted, how):
        pass
print("done", flush=True)
"""


def test_kill_at_any_moment_leaves_whole_files_and_each_gets_its_genre_once(scene):
    before = [survey(path) for path in scene.paths]
    wishes = json.dumps([[wish.path.hex(), wish.audio_id] for wish in scene.wishes()])
    command = [sys.executable, "-c", _KILLED, scene.library.path, wishes]
    for wait_s in (0.0, 0.01, 0.03, 0.06, 0.1, 0.15):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(wait_s)
        process.kill()
        process.wait()
        assert [survey(path) for path in scene.paths] == before
    assert "done" in subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    assert scene.genres() == [("Rock",)] * len(scene.paths)
    assert sorted(entry.plan.path for entry in scene.entries()) == sorted(scene.paths)
    assert not list(scene.folder.glob(".musrec-*"))
