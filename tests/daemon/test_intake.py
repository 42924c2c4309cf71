"""What the watcher told of reaches the library a part at a time, and is not forgotten before."""

import time

import numpy as np
import pytest

from musrecd.daemon.hints import Gone, Moved, Touched
from musrecd.daemon.intake import Intake
from musrecd.daemon.settling import Settling, look
from musrecd.errors import LibraryUnavailableError
from musrecd.ingest.vanished import is_below
from musrecd.library.reader import LibraryReader
from musrecd.library.store import Library
from musrecd.types import Analysis, EncoderInfo, Job, Priority, Tags

INFO = EncoderInfo("enc-1", 4, ())


class Scene:
    """A library and a folder of files that stand still at once."""

    def __init__(self, folder) -> None:
        self.music = folder / "music"
        self.music.mkdir()
        self.library = Library.open(folder / "library.db")
        self.library.register_encoder(INFO)
        self.unmounted: set[bytes] = set()
        self.under_way: set[bytes] = set()
        self.is_looked_through = True
        self.intake = Intake(
            self.library,
            INFO.version,
            Settling(0.0),
            self.may_be_unmounted,
            lambda: self.under_way,
            lambda path: Priority.NEW if self.is_looked_through else Priority.BACKFILL,
        )

    def may_be_unmounted(self, path: bytes) -> bool:
        return any(is_below(path, folder) for folder in self.unmounted)

    def file(self, name: str) -> bytes:
        (self.music / name).parent.mkdir(exist_ok=True)
        (self.music / name).write_bytes(b"sound")
        return bytes(self.music / name)

    def known(self, name: str, number: int) -> bytes:
        path = self.file(name)
        vector = np.array([1, 0, 0, 0], np.float32)
        self.library.add(look(path), Analysis(f"{number:040x}", "enc-1", vector, np.empty(0, np.float32), 9.0), Tags())
        return path

    def told(self, *hints: Touched | Moved | Gone) -> None:
        for hint in hints:
            self.intake.note(hint, time.monotonic())

    def bring_in(self) -> None:
        self.intake.bring_in(time.monotonic())

    def there(self) -> set[bytes]:
        with LibraryReader.open(self.library.path) as reader:
            return reader.analysed_paths(INFO.version)

    def jobs(self) -> list[Job]:
        return self.library.due_jobs(0, 10_000)


@pytest.fixture
def scene(tmp_path):
    found = Scene(tmp_path)
    yield found
    found.library.close()


def test_what_settled_waits_as_new_unless_it_is_known(scene):
    new, known = scene.file("new.mp3"), scene.known("known.mp3", 1)
    scene.told(Touched(new), Touched(known), Touched(b"/nowhere.mp3"))
    scene.bring_in()
    assert scene.jobs() == [Job(new, Priority.NEW)]


def test_what_waits_for_better_ears_alone_is_not_new(scene):
    touched, changed, new = scene.known("touched.mp3", 1), scene.known("changed.mp3", 2), scene.file("new.mp3")
    scene.library.register_encoder(INFO, 1)
    (scene.music / "changed.mp3").write_bytes(b"another sound")
    scene.told(Touched(touched), Touched(changed), Touched(new))
    scene.bring_in()
    assert set(scene.jobs()) == {Job(touched, Priority.AGAIN), Job(changed, Priority.NEW), Job(new, Priority.NEW)}


def test_what_is_touched_before_its_folder_was_looked_through_is_not_new(scene):
    touched, known = scene.file("touched.mp3"), scene.known("known.mp3", 1)
    scene.library.register_encoder(INFO, 1)
    scene.is_looked_through = False
    scene.told(Touched(touched), Touched(known))
    scene.bring_in()
    assert scene.jobs() == [Job(touched, Priority.BACKFILL), Job(known, Priority.AGAIN)]
    scene.is_looked_through = True
    scene.told(Touched(touched))
    scene.bring_in()
    assert scene.jobs()[0] == Job(touched, Priority.BACKFILL), "not by being touched while it waits"


def test_a_rename_moves_the_row_and_a_deletion_marks_it(scene):
    first, second, third = (scene.known(f"{number}.mp3", number) for number in range(3))
    (scene.music / "0.mp3").rename(scene.music / "z.mp3")
    (scene.music / "1.mp3").unlink()
    scene.told(Moved(first, bytes(scene.music / "z.mp3")), Gone(second), Gone(third))
    scene.bring_in()
    assert scene.there() == {bytes(scene.music / "z.mp3"), third}, "what is there is not gone, whoever says so"


def test_a_folder_that_is_gone_takes_its_files_along(scene):
    scene.known("folder/1.mp3", 1)
    kept = scene.known("folder2/1.mp3", 2)
    (scene.music / "folder").rename(scene.music.parent / "outside")
    scene.told(Gone(bytes(scene.music / "folder")))
    scene.bring_in()
    assert scene.there() == {kept}


def test_of_what_may_be_unmounted_nothing_is_marked(scene):
    path = scene.known("folder/1.mp3", 1)
    (scene.music / "folder" / "1.mp3").unlink()
    scene.unmounted.add(bytes(scene.music / "folder"))
    scene.told(Gone(path))
    scene.bring_in()
    assert scene.there() == {path}
    assert not scene.intake.has_more, "a look will tell"


@pytest.mark.parametrize("method", ["move_all", "mark_missing", "pending", "enqueue"])
def test_nothing_is_forgotten_while_the_library_cannot_be_used(scene, monkeypatch, method):
    def locked(*_args, **_kwargs):
        raise LibraryUnavailableError("locked")

    first, second, new = scene.known("1.mp3", 1), scene.known("2.mp3", 2), scene.file("new.mp3")
    renamed = bytes(scene.music / "renamed.mp3")
    (scene.music / "1.mp3").rename(scene.music / "renamed.mp3")
    (scene.music / "2.mp3").unlink()
    scene.told(Touched(new), Gone(second), Moved(first, renamed))
    with monkeypatch.context() as patch:
        patch.setattr(scene.library, method, locked)
        for _ in range(2):
            with pytest.raises(LibraryUnavailableError):
                scene.bring_in()
    scene.bring_in()
    assert scene.there() == {renamed}
    assert [job.path for job in scene.jobs()] == [new]
    assert not scene.intake.has_more


def test_much_at_once_is_brought_in_a_part_at_a_time(scene):
    for number in range(1200):
        scene.told(Moved(b"/a/%d.mp3" % number, b"/b/%d.mp3" % number), Gone(b"/c/%d.mp3" % number))
    turns = 0
    while scene.intake.has_more:
        scene.bring_in()
        turns += 1
    assert 3 <= turns <= 6


@pytest.mark.parametrize("hint", ["file gone", "folder gone", "moved"])
def test_what_went_while_it_was_heard_is_marked_when_it_was_stored(scene, hint):
    """Its row is not there before, and nobody tells of it again."""
    file = scene.file("album/a.mp3")
    scene.under_way = {file}
    scene.told(
        {"file gone": Gone(file), "folder gone": Gone(bytes(scene.music)), "moved": Moved(file, b"/x.mp3")}[hint]
    )
    scene.bring_in()
    assert not scene.intake.has_more, "nothing to do until it was heard"
    scene.known("album/a.mp3", 1)
    (scene.music / "album/a.mp3").unlink()
    scene.bring_in()
    assert scene.there() == {file}
    scene.under_way = set()
    scene.bring_in()
    assert scene.there() == set()
