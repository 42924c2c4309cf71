"""What is done to files is told; what cannot be told is known."""

import ctypes
import errno
import logging
import os
import shutil
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from musrecd.daemon import observing
from musrecd.daemon.hints import Gone, Hint, Missed, Moved, Touched
from musrecd.daemon.mounts import Mount
from musrecd.daemon.watcher import Watcher, watches_in_use

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what is told in which order is tested with inotify")


@pytest.fixture
def told(music):
    """Hints about `music`, as they come."""
    hints: list[Hint] = []
    watcher = Watcher([bytes(music)], hints.append)
    assert [root.method for root in watcher.check()] == ["events"]
    yield hints
    watcher.stop()


def test_a_file_that_is_written_is_told(music, told, until):
    (music / "a.mp3").write_bytes(b"sound")
    until(lambda: Touched(bytes(music / "a.mp3")) in told)


def test_a_file_that_gets_another_time_is_told(music, told, until):
    (music / "a.mp3").write_bytes(b"sound")
    until(lambda: told)
    time.sleep(0.5)
    told.clear()
    os.utime(music / "a.mp3", (1, 1))
    until(lambda: Touched(bytes(music / "a.mp3")) in told, 10)


def test_a_file_in_a_new_folder_is_told(music, told, until):
    (music / "artist" / "album").mkdir(parents=True)
    (music / "artist" / "album" / "a.flac").write_bytes(b"sound")
    until(lambda: Touched(bytes(music / "artist" / "album" / "a.flac")) in told)


def test_a_folder_that_is_moved_in_tells_its_files(music, told, until, tmp_path):
    (tmp_path / "album").mkdir()
    (tmp_path / "album" / "a.ogg").write_bytes(b"sound")
    (tmp_path / "album").rename(music / "album")
    until(lambda: Touched(bytes(music / "album" / "a.ogg")) in told)


def test_renaming_a_file_or_its_folder_is_a_move(music, told, until):
    (music / "old").mkdir()
    (music / "old" / "a.mp3").write_bytes(b"sound")
    until(lambda: told)
    (music / "old" / "a.mp3").rename(music / "old" / "b.mp3")
    until(lambda: Moved(bytes(music / "old" / "a.mp3"), bytes(music / "old" / "b.mp3")) in told)
    (music / "old").rename(music / "new")
    until(lambda: Moved(bytes(music / "old" / "b.mp3"), bytes(music / "new" / "b.mp3")) in told)


def test_deleting_and_moving_away_is_gone(music, told, until, tmp_path):
    for name in ("a.mp3", "b.mp3"):
        (music / name).write_bytes(b"sound")
    (music / "album").mkdir()
    until(lambda: Touched(bytes(music / "b.mp3")) in told)
    (music / "a.mp3").unlink()
    (music / "b.mp3").rename(tmp_path / "b.mp3")
    (music / "album").rename(tmp_path / "album")
    for name in ("a.mp3", "b.mp3", "album"):
        until(lambda name=name: Gone(bytes(music / name)) in told)


def test_a_download_that_gets_its_name_at_the_end_is_touched(music, told, until):
    (music / "a.mp3.part").write_bytes(b"sound")
    (music / "a.mp3.part").rename(music / "a.mp3")
    until(lambda: Touched(bytes(music / "a.mp3")) in told)
    assert not [hint for hint in told if b".part" in str(hint).encode()]


def test_what_is_no_music_is_not_told(music, told, until):
    for name in ("cover.jpg", ".hidden.mp3", "a.mp3~", "notes.txt", "a.tmp"):
        (music / name).write_bytes(b"x")
    (music / "last.mp3").write_bytes(b"x")
    until(lambda: told)
    assert {hint.path for hint in told if isinstance(hint, Touched)} == {bytes(music / "last.mp3")}


def test_names_that_are_no_text_are_told_as_they_are(music, told, until):
    path = bytes(music) + b"/caf\xe9 \x1b[31m.mp3"
    with open(path, "wb") as file:
        file.write(b"sound")
    until(lambda: Touched(path) in told)


@pytest.fixture
def watching():
    """Return a function: folders → a watcher of them, which was not told to check yet, and what it tells."""
    watchers: list[Watcher] = []

    def watch(*folders: Path) -> tuple[Watcher, list[Hint]]:
        hints: list[Hint] = []
        watchers.append(Watcher([bytes(folder) for folder in folders], hints.append))
        return watchers[-1], hints

    yield watch
    for watcher in watchers:
        watcher.stop()


def methods(watcher: Watcher) -> list[str]:
    return [root.method for root in watcher.roots]


def found_anew(watcher: Watcher) -> list[bytes]:
    return [root.path for root in watcher.check()]


def test_a_folder_that_comes_later_is_watched_then(tmp_path, watching, until):
    later = tmp_path / "later"
    watcher, hints = watching(later)
    assert found_anew(watcher) == []
    assert methods(watcher) == ["absent"]
    later.mkdir()
    assert found_anew(watcher) == [bytes(later)]
    assert methods(watcher) == ["events"]
    assert found_anew(watcher) == []
    (later / "a.mp3").write_bytes(b"sound")
    until(lambda: Touched(bytes(later / "a.mp3")) in hints)


def test_a_folder_that_goes_is_absent(music, watching):
    watcher, _ = watching(music)
    watcher.check()
    music.rmdir()
    assert found_anew(watcher) == []
    assert methods(watcher) == ["absent"]
    assert watcher.roots[0].is_emptied()


def test_a_folder_that_is_replaced_is_watched_anew(tmp_path, music, watching, until):
    watcher, hints = watching(music)
    watcher.check()
    music.rename(tmp_path / "away")
    music.mkdir()
    assert found_anew(watcher) == [bytes(music)]
    (music / "a.mp3").write_bytes(b"sound")
    until(lambda: Touched(bytes(music / "a.mp3")) in hints)


def test_a_folder_that_was_unmounted_and_is_back_before_anybody_looked_is_watched_anew(music, watching, until):
    """The system took the watches away, and the folder is the same one."""
    watcher, hints = watching(music)
    watcher.check()
    reading = watcher._observing._observer._inotify_fd
    for wd in list(reading._watch_for_wd):
        assert ctypes.CDLL(None).inotify_rm_watch(reading._inotify_fd, wd) == 0
    until(lambda: not watcher._observing.sees(watcher.roots[0].watch))
    assert found_anew(watcher) == [bytes(music)]
    (music / "a.mp3").write_bytes(b"sound")
    until(lambda: Touched(bytes(music / "a.mp3")) in hints)


def test_a_folder_that_is_a_link_is_watched_and_its_files_keep_their_names(tmp_path, music, watching, until):
    link = tmp_path / "link"
    link.symlink_to(music)
    watcher, hints = watching(link)
    watcher.check()
    (music / "a.mp3").write_bytes(b"sound")
    until(lambda: Touched(bytes(link / "a.mp3")) in hints)
    (music / "album").mkdir()
    (music / "album" / "b.mp3").write_bytes(b"sound")
    until(lambda: Touched(bytes(link / "album" / "b.mp3")) in hints)
    (music / "a.mp3").unlink()
    until(lambda: Gone(bytes(link / "a.mp3")) in hints)


def test_a_folder_that_is_named_twice_is_watched_once(music, watching, until):
    watcher, hints = watching(music, music / "..", music / "." / "")
    assert [root.path for root in watcher.roots] == [bytes(music), bytes(music.parent)]
    watcher.check()
    (music / "a.mp3").write_bytes(b"sound")
    until(lambda: hints.count(Touched(bytes(music / "a.mp3"))) >= 2)


def test_of_two_folders_one_is_watched_on_when_the_other_is_not(tmp_path, music, watching, until):
    other = tmp_path / "other"
    other.mkdir()
    watcher, hints = watching(music, other)
    watcher.check()
    watcher.poll(watcher.roots[0], "a reason")
    assert found_anew(watcher) == []
    assert methods(watcher) == ["polling", "events"]
    (music / "a.mp3").write_bytes(b"sound")
    (other / "b.mp3").write_bytes(b"sound")
    until(lambda: Touched(bytes(other / "b.mp3")) in hints)
    assert Touched(bytes(music / "a.mp3")) not in hints


def test_threads_that_died_are_noticed_and_started_again(music, watching, until):
    watcher, hints = watching(music)
    watcher.check()
    for emitter in watcher._observing._observer.emitters:
        emitter.stop()
        emitter.join()
    assert found_anew(watcher) == [bytes(music)], "to be looked through"
    (music / "a.mp3").write_bytes(b"sound")
    until(lambda: Touched(bytes(music / "a.mp3")) in hints)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_what_kills_the_thread_that_reads_events_is_got_over(tmp_path, music, watching, until):
    """A folder moved away, another one made in its place, both deleted: watchdog's books are wrong then."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    n_threads = threading.active_count()
    watcher, hints = watching(music)
    watcher.check()
    n_watching = threading.active_count()
    for _ in range(3):
        reading = watcher._observing._observer._inotify_fd
        (music / "album").mkdir()
        until(lambda: len(watcher.roots[0].made) == 1)
        (music / "album").rename(elsewhere / "album")
        (music / "album").mkdir()
        until(lambda: len(watcher.roots[0].made) == 2)
        (music / "album").rmdir()
        (elsewhere / "album").rmdir()
        until(lambda reading=reading: not reading.is_alive())
        assert found_anew(watcher) == [bytes(music)]
        until(lambda: threading.active_count() <= n_watching)
    hints.clear()
    (music / "a.mp3").write_bytes(b"sound")
    until(lambda: Touched(bytes(music / "a.mp3")) in hints)
    watcher.stop()
    until(lambda: threading.active_count() <= n_threads)


def test_an_end_that_fails_harms_nobody(music, watching, monkeypatch, until):
    def fail(_group):
        raise KeyError(b"books that are wrong")

    n_threads = threading.active_count()
    watcher, _ = watching(music)
    watcher.check()
    monkeypatch.setattr("watchdog.observers.inotify.InotifyWatchGroup.deactivate", fail)
    watcher.poll(watcher.roots[0], "a reason")
    watcher.stop()
    until(lambda: threading.active_count() <= n_threads)


def test_new_folders_that_get_no_watch_are_noticed(music, watching, monkeypatch, until):
    (music / "old").mkdir()
    watcher, _ = watching(music)
    watcher.check()
    (music / "watched").mkdir()
    until(lambda: len(watcher.roots[0].made) == 1)
    assert (found_anew(watcher), found_anew(watcher), methods(watcher)) == ([], [], ["events"])

    def refuse(*_):
        ctypes.set_errno(errno.ENOSPC)
        return -1

    monkeypatch.setattr("watchdog.observers.inotify_c.inotify_add_watch", refuse)
    (music / "one too many").mkdir()
    until(lambda: len(watcher.roots[0].made) == 1)
    assert [found_anew(watcher) for _ in range(3)] == [[], [], []], "it may only be slow"
    monkeypatch.setattr("musrecd.daemon.watcher._SLOW_S", 0.0)
    assert found_anew(watcher) == [bytes(music)], "to be looked through"
    assert methods(watcher) == ["polling"]
    assert "more folders than watches" in watcher.roots[0].why
    assert found_anew(watcher) == []


def test_new_folders_that_went_or_are_links_need_no_watch(tmp_path, music, watching, until):
    watcher, _ = watching(music)
    watcher.check()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "new").rename(music / "new")
    (music / "short").mkdir()
    (music / "short").rmdir()
    until(lambda: {bytes(music / "new" / "link"), bytes(music / "short")} <= set(watcher.roots[0].made))
    assert (found_anew(watcher), found_anew(watcher), methods(watcher)) == ([], [], ["events"])


def test_dropped_events_are_told(music, told):
    logging.getLogger("watchdog.observers.inotify_c").warning("Inotify queue overflowed; filesystem events were lost")
    assert told == [Missed(bytes(music))]


def test_the_words_that_tell_of_dropped_events_are_watchdogs():
    """They are all it says; another version may say it otherwise."""
    import watchdog.observers.inotify_c as source

    assert f"queue {observing._OVERFLOWED}" in Path(source.__file__).read_text(encoding="utf-8")


def test_what_cannot_be_watched_is_looked_through_instead(music, watching, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise OSError(28, "inotify watch limit reached")

    monkeypatch.setattr(observing.Observer, "schedule", refuse)
    watcher, _ = watching(music)
    (root,) = watcher.check()
    assert root.method == "polling"
    assert "inotify watch limit reached" in root.why
    assert "max_user_watches" in root.why


@pytest.mark.parametrize(
    ("kinds", "method"),
    [(["nfs4"], "polling"), (["fuse.sshfs"], "polling"), (["ext4"], "events"), (["autofs", "nfs4"], "polling"),
     (["nfs4", "ext4"], "events")],
)  # fmt: skip
def test_network_mounts_are_looked_through(music, watching, monkeypatch, kinds, method):
    class Mount:
        def __init__(self, mountpoint: Path, fstype: str) -> None:
            self.mountpoint, self.fstype, self.device = str(mountpoint), fstype, "disk"

    mounts = [*(Mount(music.parent, kind) for kind in kinds), Mount(Path("/"), "overlay")]
    monkeypatch.setattr(psutil, "disk_partitions", lambda **_: mounts)
    watcher, _ = watching(music)
    (root,) = watcher.check()
    assert root.method == method
    assert kinds[-1] in root.why or method == "events"


def test_what_is_mounted_below_is_watched_anew_each_time(music, watching, monkeypatch, until):
    (music / "disk").mkdir()
    mounts = []
    monkeypatch.setattr("musrecd.daemon.watcher.mounts_below", lambda _folder: frozenset(mounts))
    watcher, _ = watching(music)
    watcher.check()
    assert found_anew(watcher) == []
    mounts.append(Mount(bytes(music / "disk"), "disk", "ext4"))
    assert found_anew(watcher) == [bytes(music)]
    assert found_anew(watcher) == []
    # Unmounted and mounted again before anybody looked: the system took the watch away.
    (music / "disk").rmdir()
    until(lambda: not watcher._sees(watcher.roots[0], bytes(music / "disk")))
    assert found_anew(watcher) == [bytes(music)]
    assert found_anew(watcher) == [], "without a watch, too"
    mounts.clear()
    assert found_anew(watcher) == [bytes(music)]
    assert found_anew(watcher) == []


def test_what_was_mounted_below_and_is_not_may_only_be_unmounted(music, watching, monkeypatch):
    (music / "a.mp3").touch()
    disk = bytes(music / "disk")
    mounts = [Mount(disk, "disk", "ext4")]
    monkeypatch.setattr("musrecd.daemon.watcher.mounts_below", lambda _folder: frozenset(mounts))
    watcher, _ = watching(music)
    watcher.check()
    (root,) = watcher.roots

    def may_lack() -> tuple[bool, bool]:
        return root.may_lack(disk + b"/x.mp3"), root.may_lack(bytes(music / "disk 2" / "x.mp3"))

    assert may_lack() == (False, False)
    mounts.clear()
    assert may_lack() == (True, False), "before anybody looked"
    watcher.check()
    assert root.unmounted() == {disk}
    assert may_lack() == (True, False)
    mounts.append(Mount(disk, "disk", "ext4"))
    watcher.check()
    assert not root.unmounted()
    assert may_lack() == (False, False)


def test_a_folder_that_does_not_answer_is_left_alone_until_it_does(music, watching, monkeypatch):
    def never() -> None:
        raise TimeoutError

    watcher, _ = watching(music)
    watcher.check()
    (root,) = watcher.roots
    with monkeypatch.context() as patch:
        patch.setattr(watcher._pulses[bytes(music)], "ask", never)
        assert (found_anew(watcher), found_anew(watcher)) == ([], [])
        assert root.is_silent
        assert root.is_emptied(), "for all that is known"
        assert "does not answer" in root.why
    assert found_anew(watcher) == [bytes(music)], "to be looked through"
    assert (root.is_silent, root.method, root.why) == (False, "events", "")


def test_watches_are_counted(music, told, until):
    before = watches_in_use()
    for i in range(5):
        (music / str(i)).mkdir()
    until(lambda: watches_in_use() == before + 5)
    shutil.rmtree(music / "4")
    until(lambda: watches_in_use() == before + 4)


def test_an_empty_or_replaced_folder_may_be_unmounted(music, watching, tmp_path):
    watcher, _ = watching(music)
    watcher.check()
    (root,) = watcher.roots
    assert root.is_emptied()
    (music / "a.mp3").write_bytes(b"sound")
    assert not root.is_emptied()
    music.rename(tmp_path / "away")
    assert root.is_emptied()
