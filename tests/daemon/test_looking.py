"""A look through folders: what waits afterwards, in which order, and what is taken for vanished."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from musrecd.daemon.looking import TRIES_OF_UNREADABLE, Look, Looked, look_through
from musrecd.daemon.settling import look
from musrecd.library.reader import LibraryReader
from musrecd.library.store import Library
from musrecd.types import Analysis, EncoderInfo, Job, Priority, Tags

INFO = EncoderInfo("enc-1", 4, ())


def analysis(number: int, version: str = INFO.version) -> Analysis:
    return Analysis(f"{number:040x}", version, np.array([1, 0, 0, 0], np.float32), np.empty(0, np.float32), 9.0)


class Scene:
    """A library and a folder of files that are called like music."""

    def __init__(self, folder: Path) -> None:
        self.music = folder / "music"
        self.music.mkdir()
        self.library = Library.open(folder / "library.db")
        self.library.register_encoder(INFO)

    def file(self, name: str, content: bytes = b"sound") -> bytes:
        path = self.music / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return bytes(path)

    def look(self, **options) -> Looked:
        return look_through(Look(self.library.path, INFO.version, (bytes(self.music),), **options))

    def jobs(self, now: float = 0.0) -> list[Job]:
        return self.library.due_jobs(now, 100)

    def heard(self, path: bytes, number: int, version: str = INFO.version) -> None:
        self.library.add(look(path), analysis(number, version), Tags())

    def missing(self) -> int:
        with LibraryReader.open(self.library.path) as reader:
            return reader.summary().missing


@pytest.fixture
def scene(tmp_path):
    found = Scene(tmp_path)
    yield found
    found.library.close()


def test_what_was_heard_by_worse_ears_waits_behind_all_others_and_answers_meanwhile(scene):
    old, new = scene.file("1.mp3"), scene.file("2.mp3")
    scene.heard(old, 1)
    scene.library.register_encoder(INFO, 1)
    assert scene.look().n_waiting == 2
    assert scene.jobs() == [Job(new, Priority.BACKFILL), Job(old, Priority.AGAIN)]
    with LibraryReader.open(scene.library.path) as reader:
        assert list(reader.tracks_at([old], INFO.version)) == [old]
    scene.library.add(look(old), analysis(1)._replace(hearing=1), Tags())
    scene.heard(new, 1)
    assert scene.look().n_waiting == 2, "worse ears do not make it better"
    scene.library.add(look(new), analysis(1)._replace(hearing=2), Tags())
    assert scene.look().n_waiting == 0


def test_what_is_new_waits_in_the_order_of_the_walk(scene):
    paths = [scene.file(name) for name in ("1.mp3", "2.mp3", "b/1.flac", "b/c/1.ogg")]
    scene.file("words.txt")
    looked = scene.look()
    assert scene.jobs() == [Job(path, Priority.BACKFILL) for path in paths]
    assert (looked.n_files, looked.n_waiting, looked.n_vanished, looked.emptied, looked.unread) == (4, 4, 0, (), ())
    assert scene.look().n_waiting == 4
    assert len(scene.jobs()) == 4


def test_what_is_known_does_not_wait(scene):
    scene.heard(scene.file("a.mp3"), 1)
    assert scene.look().n_waiting == 0
    assert scene.jobs() == []


def test_a_later_look_finds_what_has_come_since(scene):
    path = scene.file("a.mp3")
    scene.look(priority=Priority.NEW)
    assert scene.jobs() == [Job(path, Priority.NEW)]


def test_what_could_not_be_read_before_has_not_come_since(scene):
    new, old = scene.file("a.mp3"), scene.file("locked/b.mp3")
    scene.look(priority=Priority.NEW, unread=(bytes(scene.music / "locked"),))
    assert scene.jobs() == [Job(new, Priority.NEW), Job(old, Priority.BACKFILL)]


def test_what_another_encoder_heard_comes_last_in_the_order_of_the_walk(scene):
    scene.library.register_encoder(EncoderInfo("enc-0", 4, ()))
    known = [scene.file(f"{number}.mp3") for number in range(9)]
    for number, path in enumerate(known):
        scene.heard(path, number, "enc-0")
    new = scene.file("z.mp3")
    scene.look()
    assert scene.jobs() == [Job(new, Priority.BACKFILL), *(Job(path, Priority.AGAIN) for path in known)]


def test_folders_are_counted_as_they_are_watched(scene, tmp_path):
    scene.file("a/b/1.mp3")
    scene.file("empty/cover.jpg")
    (tmp_path / "elsewhere" / "below").mkdir(parents=True)
    (scene.music / "link").symlink_to(tmp_path / "elsewhere")
    assert scene.look().n_folders == 4, "the folder itself, a, a/b, empty; nothing behind the link"


def test_what_vanished_is_missing_and_what_is_empty_as_a_whole_is_left_alone(scene):
    first, second = scene.file("a.mp3"), scene.file("b.mp3")
    scene.heard(first, 1)
    scene.heard(second, 2)
    os.unlink(first)
    assert scene.look().n_vanished == 1
    assert scene.missing() == 1
    os.unlink(second)
    assert scene.look().emptied == (bytes(scene.music),)
    shutil.rmtree(scene.music)
    looked = scene.look()
    assert looked.emptied == (bytes(scene.music),)
    assert looked.unread[0][0] == bytes(scene.music)
    assert scene.missing() == 1


def test_what_failed_is_left_alone_until_a_person_wants_it_again(scene):
    path = scene.file("a.mp3")
    scene.library.add_failure(look(path), INFO.version, "not audio", "broken")
    assert scene.look().n_waiting == 0
    assert scene.look(retry_failed=True).n_waiting == 1
    assert scene.jobs() == [Job(path, Priority.ASKED)]


def test_what_cannot_be_read_is_not_tried_for_ever(scene):
    path = scene.file("a.mp3")
    for attempt in range(1, TRIES_OF_UNREADABLE + 1):
        scene.look(priority=Priority.NEW)
        assert [job.path for job in scene.jobs(1000.0 * attempt)] == [path]
        retry_at = 1000.0 * (attempt + 1) if attempt < TRIES_OF_UNREADABLE else None
        scene.library.add_failure(look(path), INFO.version, "unreadable", "no permission", retry_at=retry_at)
        scene.look(priority=Priority.NEW)
        assert scene.jobs(1000.0 * attempt) == [], "a look does not shorten the wait"
    assert scene.look().n_waiting == 0
    assert scene.jobs(1e6) == []
    scene.file("a.mp3", b"another sound")
    assert scene.look().n_waiting == 1


def test_of_what_is_unmounted_nothing_is_concluded(scene):
    for number, name in enumerate(["stays.mp3", "goes.mp3", "disk/a.mp3"]):
        scene.heard(scene.file(name), number)
    (scene.music / "goes.mp3").unlink()
    (scene.music / "disk/a.mp3").unlink()
    assert scene.look(unmounted=(bytes(scene.music / "disk"),)).n_vanished == 1
    assert scene.missing() == 1
