"""A look that sees what one saw before that found nothing to do does not walk; any change, and it walks."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from musrecd.daemon import looking
from musrecd.daemon.looking import Look, Looked, look_through
from musrecd.daemon.settling import look
from musrecd.ingest import glance
from musrecd.library.looks import Sight
from musrecd.library.reader import LibraryReader
from musrecd.library.store import Library
from musrecd.types import EncoderInfo, Priority, Tags
from tests.daemon.test_looking import INFO, Scene, analysis
from tests.ingest.test_fingerprint import is_gnu

needs_find = pytest.mark.skipif(not is_gnu(shutil.which("find")), reason="there is no GNU find")


class Known(Scene):
    """A folder that is wholly known, looked through once, and a count of the walks since."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(folder)
        self.n_walks = 0
        self._find_files = looking.find_files
        monkeypatch.setattr(looking, "find_files", self._walk)
        for number, name in enumerate(["a.mp3", "b.mp3", "c/d.flac", "c/e.ogg"]):
            self.heard(self.file(name), number)
        broken = self.file("c/broken.mp3")
        self.library.add_failure(look(broken), INFO.version, "not audio", "broken")
        self.first = self.look()

    def _walk(self, *arguments):
        self.n_walks += 1
        return self._find_files(*arguments)

    def walks(self, **options) -> bool:
        before = self.n_walks
        self.look(**options)
        return self.n_walks > before


@pytest.fixture
def known(tmp_path, monkeypatch):
    found = Known(tmp_path, monkeypatch)
    assert (found.first.n_files, found.first.n_waiting) == (5, 0)
    yield found
    found.library.close()


@needs_find
def test_what_did_not_change_is_not_walked_through_and_found_again(known):
    for _ in range(3):
        assert known.look() == known.first
    assert known.n_walks == 1
    assert known.look(unmounted=(b"/nowhere",)) == known.first
    assert known.look(retry_failed=True).n_waiting == 1
    assert known.n_walks == 3
    assert look_in_full(known) == known.first
    assert known.n_walks == 4


def change_sound(known: Known) -> None:
    path = known.music / "a.mp3"
    before = path.stat()
    path.write_bytes(b"SOUND")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))


def replace(known: Known) -> None:
    path, other = known.music / "a.mp3", known.music / "other"
    shutil.copy2(path, other)
    other.rename(path)


TREE: dict[str, Callable[[Known], object]] = {
    "another sound of the same size": change_sound,
    "another file of the same time": replace,
    "new": lambda known: known.file("new.mp3"),
    "new, of another kind": lambda known: known.file("words.txt"),
    "gone": lambda known: (known.music / "a.mp3").unlink(),
    "renamed": lambda known: (known.music / "a.mp3").rename(known.music / "z.mp3"),
    "a folder closed": lambda known: (known.music / "c").chmod(0),
    "a link": lambda known: (known.music / "link").symlink_to("/nowhere"),
    "empty": lambda known: (shutil.rmtree(known.music), known.music.mkdir()),
    "gone as a whole": lambda known: shutil.rmtree(known.music),
}


def sql(statement: str) -> Callable[[Known], object]:
    def change(known: Known) -> None:
        with closing(sqlite3.connect(known.library.path)) as connection, connection:
            assert connection.execute(statement).rowcount > 0

    return change


def of(known: Known, name: str) -> bytes:
    return bytes(known.music / name)


def damage(known: Known) -> None:
    with closing(sqlite3.connect(known.library.path)) as connection, connection:
        connection.execute("UPDATE outputs SET checksum = checksum + 1 WHERE id = (SELECT min(id) FROM outputs)")
    assert known.library.verify() == 1


LIBRARY: dict[str, Callable[[Known], object]] = {
    "marked as missing": lambda known: known.library.mark_missing([of(known, "a.mp3")]),
    "known by another name": lambda known: known.library.move(of(known, "a.mp3"), of(known, "x.mp3")),
    "known as other than it is": lambda known: known.library.refresh([look(of(known, "a.mp3"))._replace(size=1)]),
    "a file that is not there": lambda known: known.library.attach(
        look(of(known, "a.mp3"))._replace(path=of(known, "x.mp3")), f"{1:040x}", Tags()
    ),
    "forgotten": sql("DELETE FROM files WHERE CAST(path AS TEXT) LIKE '%a.mp3'"),
    "a failure forgotten": sql("DELETE FROM failures"),
    "a failure of another kind": sql("UPDATE failures SET reason = 'unreadable'"),
    "an analysis gone": sql("DELETE FROM analyses WHERE recording_id = 1"),
    "an analysis damaged": damage,
    "better ears": lambda known: known.library.register_encoder(INFO, 1),
    "an analysis by worse ears": sql("UPDATE analyses SET hearing = -1 WHERE recording_id = 1"),
}


@needs_find
@pytest.mark.parametrize("change", [*TREE.values(), *LIBRARY.values()], ids=[*TREE, *LIBRARY])
def test_any_change_leads_to_a_walk(known, change):
    assert not known.walks()
    change(known)
    assert known.walks()


def tell_more(known: Known) -> None:
    path = of(known, "a.mp3")
    known.library.add(look(path), analysis(0), Tags("artist", "title", "album"))
    known.library.register_encoder(INFO)
    known.library.enqueue([path], Priority.ASKED)
    known.library.remove_jobs([path])
    known.library.note_done("backup")
    known.library.mark_seen([path])


@needs_find
def test_what_makes_no_difference_leads_to_none(known):
    tell_more(known)
    assert not known.walks()


@needs_find
def test_another_encoder_walks(known):
    known.library.register_encoder(EncoderInfo("enc-2", 4, ()))
    before = known.n_walks
    looked = look_through(Look(known.library.path, "enc-2", (bytes(known.music),)))
    assert (known.n_walks, looked.n_waiting) == (before + 1, 5)


@needs_find
def test_a_look_that_found_something_is_not_noted(known):
    known.file("new.mp3")
    assert [known.look().n_waiting for _ in range(3)] == [1, 1, 1]
    assert known.n_walks == 4
    (known.music / "a.mp3").unlink()
    known.heard(of(known, "new.mp3"), 9)
    assert known.look().n_vanished == 1
    assert known.walks()
    assert not known.walks()


@needs_find
def test_a_library_of_before_knows_what_it_knew(known, tmp_path):
    backup = tmp_path / "backup.db"
    known.library.backup(backup)
    known.heard(known.file("new.mp3"), 9)
    assert known.walks()
    assert not known.walks()
    known.library.close()
    for each in known.library.path.parent.glob("library.db*"):
        each.unlink()
    backup.rename(known.library.path)
    known.library = Library.open(known.library.path)
    assert known.look().n_waiting == 1
    (known.music / "new.mp3").unlink()
    known.library.remove_jobs([of(known, "new.mp3")])
    assert known.look() == known.first


@needs_find
@pytest.mark.parametrize("where", ["tree", "library"])
def test_what_changes_during_a_look_is_seen_by_the_next(known, monkeypatch, where):
    """Between fingerprint and walk, so that the walk is the first to see it, or does not and nothing is noted of it."""
    fingerprint = glance.fingerprint

    def change_behind_the_walk(*arguments):
        yield from known._walk(*arguments)
        known.file("a.mp3", b"changed when the walk was over")

    def and_change(folder, on_step):
        mark = fingerprint(folder, on_step)
        known.library.mark_missing([of(known, "b.mp3")])
        return mark

    known.file("words.txt")
    with monkeypatch.context() as patch:
        if where == "tree":
            patch.setattr(looking, "find_files", change_behind_the_walk)
        else:
            patch.setattr(glance, "fingerprint", and_change)
        assert known.look().n_waiting == 0
    assert known.walks()
    assert (known.look().n_waiting, known.missing()) == ((1, 0) if where == "tree" else (0, 0))


def test_without_find_all_is_walked_through_and_the_same_found(known, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert known.look() == known.first
    assert known.walks()
    known.file("new.mp3")
    assert known.look().n_waiting == 1


@needs_find
def test_a_library_that_cannot_be_written_fails_no_look(known, monkeypatch):
    def fail(*arguments):
        raise looking.LibraryUnavailableError("the disk is full")

    known.file("words.txt")
    monkeypatch.setattr(Library, "note_look", fail)
    assert known.look() == known.first
    assert known.walks()


def test_a_look_begins_a_library(tmp_path):
    (tmp_path / "a.mp3").touch()
    assert look_through(Look(tmp_path / "new.db", "enc-1", (bytes(tmp_path),))).n_waiting == 1


@needs_find
def test_it_takes_no_more_than_find_and_sqlite(known):
    code = (
        "import sys; from pathlib import Path; from musrecd.daemon.looking import Look, look_through; "
        f"look_through(Look(Path({str(known.library.path)!r}), {INFO.version!r}, ({bytes(known.music)!r},))); "
        "assert 'sqlite_utils' not in sys.modules"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(looking.__file__).parents[2])}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)


def test_a_noted_look_is_of_one_folder_and_one_sight(known):
    sight = Sight(7, "mark", INFO.version)
    known.library.note_look(b"/music", sight, 3, 2)
    with LibraryReader.open(known.library.path) as reader:
        assert reader.noted_look(b"/music", sight) == (3, 2)
        assert reader.noted_look(b"/musi", sight) is None
        others = [Sight(8, "mark", INFO.version), Sight(7, "mork", INFO.version), Sight(7, "mark", "enc-2")]
        assert [reader.noted_look(b"/music", each) for each in others] == [None] * 3
    known.library.note_look(b"/music", others[0], 4, 2)
    with LibraryReader.open(known.library.path) as reader:
        assert (reader.noted_look(b"/music", sight), reader.noted_look(b"/music", others[0])) == (None, (4, 2))


def write(scene: Scene, path: Path, _other: Path, number: int) -> None:
    path.write_bytes(b"ID3" * number)
    os.utime(path, ns=(1, number))


def hear(scene: Scene, path: Path, _other: Path, number: int) -> None:
    if path.is_file():
        scene.heard(bytes(path), number)


def damage_one(scene: Scene, _path: Path, _other: Path, number: int) -> None:
    with closing(sqlite3.connect(scene.library.path)) as connection, connection:
        connection.execute("UPDATE analyses SET damaged = 1 WHERE recording_id = ?", [number])


ACTIONS: dict[str, Callable[[Scene, Path, Path, int], object]] = {
    "write": write,
    "hear": hear,
    "damage": damage_one,
    "remove": lambda scene, path, other, number: path.unlink(),
    "rename": lambda scene, path, other, number: path.rename(other),
    "link": lambda scene, path, other, number: path.symlink_to(other.name),
    "folder": lambda scene, path, other, number: (scene.music / "folder").mkdir(),
    "miss": lambda scene, path, other, number: scene.library.mark_missing([bytes(path)]),
    "nothing": lambda scene, path, other, number: None,
}
NAMES = st.sampled_from(("a.mp3", "b.flac", "c", "d~", ".e", "folder/a.mp3", "folder/f"))
STEPS = st.lists(st.tuples(st.sampled_from(list(ACTIONS)), NAMES, NAMES, st.integers(1, 3)), min_size=3, max_size=7)


@needs_find
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_with_and_without_walking_the_same_is_found(tmp_path_factory, steps):
    """After each step the look that may be short leaves nothing to find for one in full."""
    scene = Scene(tmp_path_factory.mktemp("scene"))
    with closing(scene.library):
        scene.heard(scene.file("always.mp3"), 100)
        for action, name, other, number in steps:
            with suppress(OSError):
                ACTIONS[action](scene, scene.music / name, scene.music / other, number)
            scene.look()
            assert scene.look() == look_in_full(scene)
            for job in scene.jobs():
                hear(scene, Path(os.fsdecode(job.path)), scene.music, len(job.path))


def look_in_full(scene: Scene) -> Looked:
    return look_through(Look(scene.library.path, INFO.version, (bytes(scene.music),)), in_full=True)
