"""Folders without a watch are noticed, and none is taken for one that only went or is watched already."""

import ctypes
import errno

import pytest

from musrecd.daemon import coverage as module
from musrecd.daemon.coverage import Coverage
from musrecd.daemon.looking import Looked
from musrecd.daemon.watcher import Root, Watcher


class Scene:
    """Folders that are watched, as many watches as the test says, and a clock of its own."""

    def __init__(self, *folders) -> None:
        self.n_watches, self.now = 100, 1000.0
        self.watcher = Watcher([bytes(folder) for folder in folders], print, clock=lambda: self.now)
        self.watcher.check()
        self.coverage = Coverage(self.watcher)

    def looked(self, folder, n_folders: int) -> list[bytes]:
        looked = Looked((bytes(folder),), 0, n_folders, 0, 0, (), ())
        return [root.path for root in self.coverage.note(looked)]

    @property
    def roots(self) -> list[Root]:
        return self.watcher.roots

    @property
    def methods(self) -> list[str]:
        return [root.method for root in self.watcher.roots]


@pytest.fixture
def scene(music, monkeypatch):
    made: list[Scene] = []

    def make(*folders) -> Scene:
        made.append(Scene(*folders))
        monkeypatch.setattr(module, "watches_in_use", lambda: made[-1].n_watches)
        return made[-1]

    yield make
    for each in made:
        each.watcher.stop()


@pytest.fixture
def unwatched(monkeypatch):
    """Makes a folder that the system refuses to watch."""

    def refuse(*_):
        ctypes.set_errno(errno.ENOSPC)
        return -1

    def make(folder) -> None:
        monkeypatch.setattr("watchdog.observers.inotify_c.inotify_add_watch", refuse)
        monkeypatch.setattr("musrecd.daemon.watcher._SLOW_S", 0.0)
        (folder / "one too many").mkdir()

    return make


def test_too_few_watches_are_believed_after_a_second_look(scene, music, unwatched):
    seen = scene(music)
    unwatched(music)
    assert seen.looked(music, 101) == [bytes(music)], "to be looked through once more"
    assert seen.methods == ["events"]
    assert seen.looked(music, 101) == []
    assert seen.methods == ["polling"]
    assert "101 folders, 100 watches" in seen.roots[0].why
    assert "sysctl fs.inotify.max_user_watches=" in seen.roots[0].why


def test_folders_that_went_after_they_were_seen_change_nothing(scene, music):
    seen = scene(music)
    assert seen.looked(music, 101) == [bytes(music)]
    assert seen.looked(music, 100) == []
    assert seen.looked(music, 101) == [bytes(music)], "it begins anew"
    assert seen.methods == ["events"]


def test_folders_that_come_and_go_all_the_time_change_nothing(scene, music):
    seen = scene(music)
    for _ in range(3):
        assert seen.looked(music, 101) == [bytes(music)]
        (music / "came a moment ago").mkdir()
        assert seen.looked(music, 101) == []
        (music / "came a moment ago").rmdir()
    assert seen.methods == ["events"]


def test_of_several_folders_each_is_looked_at_again(scene, music, tmp_path, unwatched):
    (tmp_path / "other").mkdir()
    seen = scene(music, tmp_path / "other")
    unwatched(music)
    unwatched(tmp_path / "other")
    assert seen.looked(music, 60) == []
    assert seen.looked(tmp_path / "other", 60) == [bytes(music), bytes(tmp_path / "other")]
    assert seen.looked(music, 60) == []
    assert seen.methods == ["events", "events"]
    assert seen.looked(tmp_path / "other", 60) == []
    assert seen.methods == ["polling", "polling"]


def test_a_folder_within_another_one_has_no_watch_of_its_own(scene, music, tmp_path):
    (music / "new").mkdir()
    (tmp_path / "link").symlink_to(music)
    seen = scene(music, music / "new", tmp_path / "link")
    assert seen.looked(music, 90) == []
    assert seen.looked(music / "new", 80) == []
    assert seen.looked(tmp_path / "link", 90) == []


def test_what_could_not_be_watched_is_watched_again_when_it_may_be(scene, music, monkeypatch):
    seen = scene(music)
    seen.watcher.poll(seen.roots[0], "a reason")
    assert seen.looked(music, 10) == []
    seen.now += 3601
    assert seen.looked(music, 10**9) == [], "there are fewer watches"
    assert seen.methods == ["polling"]
    assert seen.looked(music, 10) == [bytes(music)], "something may have been missed"
    assert seen.methods == ["events"]


def test_a_limit_that_was_raised_is_noticed_at_once(scene, music, monkeypatch):
    seen = scene(music)
    seen.watcher.poll(seen.roots[0], "a reason")
    seen.roots[0].limits = (5, 5)
    assert seen.looked(music, 10) == [bytes(music)]
    assert seen.methods == ["events"]


def test_what_lies_on_the_network_is_never_watched(scene, music, monkeypatch):
    monkeypatch.setattr("musrecd.daemon.watcher.remote_kind", lambda _path: "nfs4")
    seen = scene(music)
    seen.now += 3601
    assert seen.looked(music, 10) == []
    assert seen.methods == ["polling"]
