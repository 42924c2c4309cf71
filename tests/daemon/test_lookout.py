"""Looks are made one after the other; one that fails is made again."""

from concurrent.futures import Future
from queue import SimpleQueue

import pytest
from pebble import ProcessPool

from musrecd.daemon import lookout
from musrecd.daemon.looking import Look, Looked
from musrecd.daemon.lookout import Lookout
from musrecd.errors import LibraryDamagedError
from musrecd.ingest.pool import kill_children
from musrecd.library.store import Library

DONE_S = 60.0


class Scene:
    """A lookout with a clock of its own, and what it tells."""

    def __init__(self, folder) -> None:
        self.library = folder / "library.db"
        Library.open(self.library).close()
        self.now = 1000.0
        self.told: SimpleQueue[Future[Looked]] = SimpleQueue()
        self.lookout = Lookout(self.told.put, clock=lambda: self.now)

    def want(self, *folders: bytes) -> None:
        for folder in folders:
            self.lookout.look(Look(self.library, "enc-1", (folder,)))
        self.lookout.begin()

    def looked(self) -> Looked | None:
        return self.lookout.done(self.told.get(timeout=DONE_S))


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch):
    """Processes that let others go first get nowhere on a busy machine."""
    monkeypatch.setattr(lookout, "_NICENESS", 0)


@pytest.fixture
def scene(tmp_path):
    found = Scene(tmp_path)
    yield found
    found.lookout.stop()


def test_folders_are_looked_through_one_after_the_other_each_once(scene, tmp_path):
    (tmp_path / "a.mp3").touch()
    first, second = bytes(tmp_path), bytes(tmp_path / "nowhere")
    scene.want(first)
    scene.want(second, second)
    assert scene.lookout.is_busy
    assert scene.looked().n_files == 1
    assert not scene.lookout.is_busy
    scene.lookout.begin()
    assert scene.looked().folders == (second,)
    scene.lookout.begin()
    assert not scene.lookout.is_busy


def test_a_look_that_was_killed_is_made_again_after_a_while(scene, tmp_path):
    scene.want(bytes(tmp_path))
    kill_children()
    assert scene.looked() is None
    scene.lookout.begin()
    assert not scene.lookout.is_busy, "not at once"
    scene.now += 31
    scene.lookout.begin()
    assert scene.looked().folders == (bytes(tmp_path),)


def test_a_library_that_cannot_be_used_is_no_end(scene, tmp_path):
    scene.library.unlink()
    scene.library.mkdir()
    scene.want(bytes(tmp_path))
    assert scene.looked() is None
    scene.now += 31
    scene.lookout.begin()
    assert scene.lookout.is_busy


def test_a_damaged_library_is_told(scene, tmp_path):
    scene.library.write_bytes(b"this is no database, and long enough to be looked at " * 20)
    scene.want(bytes(tmp_path))
    with pytest.raises(LibraryDamagedError):
        scene.looked()


def test_a_process_that_cannot_be_started_is_no_end(scene, tmp_path, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise OSError(11, "Resource temporarily unavailable")

    with monkeypatch.context() as patch:
        patch.setattr(ProcessPool, "schedule", refuse)
        scene.want(bytes(tmp_path))
    assert not scene.lookout.is_busy
    scene.now += 31
    scene.lookout.begin()
    assert scene.looked().folders == (bytes(tmp_path),)
