"""Genres go into files and into the journal together; a kill, an edit or a refusal in between loses neither."""

import json
import os
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import pytest

from musrecd.analysis.payload import survey
from musrecd.errors import LibraryError, TagError
from musrecd.library.reader import LibraryReader
from musrecd.tagging import files, writing
from musrecd.tagging.files import Change, Rules
from musrecd.tagging.policy import Policy
from musrecd.tagging.wishes import ours_at
from musrecd.tagging.writing import finish_interrupted, only_writer
from musrecd.types import Analysis, EncoderInfo, Tags
from tests.tagging.scene import RULES, Database


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


def test_a_copy_of_a_file_whose_genre_somebody_removed_stays_without(scene, tmp_path):
    """Whoever does not want a genre in a file does not want it in a copy either."""
    first, second = scene.paths[:2]
    scene.write(scene.wishes()[:2])
    files.write(first, Change(genres=()), RULES)
    copies = []
    for path in (first, second):
        copies.append(bytes(tmp_path / "music" / "copy") + os.path.splitext(path)[1])
        shutil.copy(path, copies[-1])
    files.write(copies[1], Change(genres=()), RULES)
    scene.library.register_encoder(EncoderInfo("enc-1", 2, ()))
    for path in copies:
        sound = survey(path)
        analysis = Analysis(sound.audio_id, "enc-1", np.array([1, 0], np.float32), np.empty(0, np.float32), 6.0)
        scene.library.add(writing.state_of(path), analysis, Tags())
    with LibraryReader.open(scene.library.path) as reader:
        assert ours_at(reader, reader.tracks_at(copies, "enc-1")) == {copies[0]: ("Rock",)}


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
    scene.library.refresh = lambda states, genres: calls.append((list(states), genres))
    scene.write(scene.wishes())
    assert calls == [([writing.state_of(path) for path in scene.paths], dict.fromkeys(scene.paths, ("Rock",)))]


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
        def put(self, path, genres, was, **heard):
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
        def put(self, path, genres, was, **heard):
            raise Interrupted

    with pytest.raises(Interrupted):
        scene.write(scene.wishes(in_beets=())[:1], elsewhere=Killed())
    database = Database({scene.paths[0]: ("Mine",)})
    finish_interrupted(scene.library, database)
    assert database == {scene.paths[0]: ("Mine",)}


def test_where_file_and_database_have_other_genres_nothing_is_added_to_either(scene):
    files.write(scene.paths[0], Change(genres=("In File",)), RULES)
    wish = scene.wishes(in_beets=("In Database",))[0]
    database = Database({wish.path: ("In Database",)})
    [outcome] = scene.write([wish], Policy("extend", 1), elsewhere=database)
    assert (outcome.result, outcome.message) == ("left", "file and beets disagree")
    scene.write([wish], Policy("extend", 1), elsewhere=database, into_files=False)
    assert database == {wish.path: ("In Database", "Rock")}
    assert scene.genres()[0] == ("In File",)


def test_a_file_outside_the_folders_of_the_library_is_written_but_no_link_that_leads_out(scene, tmp_path):
    rules = Rules(roots=(bytes(tmp_path / "elsewhere"),), settle_s=0.0)
    assert files.write(scene.paths[0], Change(genres=("Rock",)), rules).after.genres == ("Rock",)
    link = scene.folder / "link.mp3"
    link.symlink_to(os.fsdecode(scene.paths[1]))
    with pytest.raises(TagError, match="leads out"):
        files.write(bytes(link), Change(genres=("Rock",)), rules)


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
