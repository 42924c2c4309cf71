"""Files are taken once, when they have stopped changing."""

from hypothesis import given
from hypothesis import strategies as st

from musrecd.daemon.settling import Settling, look
from musrecd.types import FileState


class Disk:
    """Files by name; each has a size."""

    def __init__(self, **sizes: int) -> None:
        self.sizes = {name.encode(): size for name, size in sizes.items()}

    def look(self, path: bytes) -> FileState | None:
        size = self.sizes.get(path)
        return None if size is None else FileState(path, size, 1)


def names(files: list[FileState]) -> list[bytes]:
    return [file.path for file in files]


def test_a_file_is_taken_when_it_stood_still_for_long_enough():
    disk = Disk(a=1)
    settling = Settling(2.0, disk.look)
    settling.note([b"a"], 10.0)
    assert settling.next_at() == 12.0
    assert settling.settled(11.9) == []
    assert names(settling.settled(12.0)) == [b"a"]
    assert settling.settled(20.0) == []
    assert settling.next_at() is None


def test_a_file_that_grows_without_a_word_waits_anew():
    disk = Disk(a=1)
    settling = Settling(2.0, disk.look)
    settling.note([b"a"], 10.0)
    disk.sizes[b"a"] = 2
    assert settling.settled(12.0) == []
    assert settling.next_at() == 14.0
    assert names(settling.settled(14.0)) == [b"a"]


def test_a_file_that_is_written_to_again_goes_to_the_end():
    settling = Settling(2.0, Disk(a=1, b=1).look)
    settling.note([b"a"], 10.0)
    settling.note([b"b"], 11.0)
    settling.note([b"a"], 12.0)
    assert settling.next_at() == 13.0
    assert names(settling.settled(13.0)) == [b"b"]
    assert names(settling.settled(14.0)) == [b"a"]


def test_what_vanished_is_dropped_and_what_came_back_is_taken():
    disk = Disk(a=1, b=1)
    settling = Settling(2.0, disk.look)
    settling.note([b"a", b"b", b"later"], 10.0)
    del disk.sizes[b"a"]
    disk.sizes[b"later"] = 3
    assert names(settling.settled(12.0)) == [b"b"]
    assert names(settling.settled(14.0)) == [b"later"]
    assert len(settling) == 0


def test_no_more_are_taken_at_once_than_asked_for():
    settling = Settling(1.0, lambda path: FileState(path, 1, 1))
    settling.note([b"%d" % i for i in range(5)], 0.0)
    assert len(settling.settled(1.0, at_most=3)) == 3
    assert len(settling.settled(1.0, at_most=3)) == 2


def test_only_regular_files_are_looked_at(tmp_path):
    (tmp_path / "a").write_bytes(b"12345")
    assert look(bytes(tmp_path / "a")).size == 5
    assert look(bytes(tmp_path)) is None
    assert look(bytes(tmp_path / "b")) is None
    assert look(b"a\0b") is None


@given(
    st.lists(
        st.tuples(st.sampled_from([b"a", b"b", b"c"]), st.floats(0, 5), st.sampled_from(["write", "note", "take"])),
        max_size=60,
    )
)
def test_nothing_is_taken_that_changed_within_the_wait_and_nothing_noted_is_forgotten(steps):
    """Whatever happens in whatever order."""
    disk, now = Disk(a=0, b=0, c=0), 0.0
    written = dict.fromkeys(disk.sizes, -10.0)
    settling = Settling(2.0, disk.look)
    noted: set[bytes] = set()
    for path, pause, what in steps:
        now += pause
        if what == "write":
            disk.sizes[path] += 1
            written[path] = now
            settling.note([path], now)
            noted.add(path)
        elif what == "note":
            settling.note([path], now)
            noted.add(path)
        else:
            for file in settling.settled(now):
                assert written[file.path] + 2.0 <= now
                noted.remove(file.path)
    assert {file.path for file in settling.settled(now + 2.0)} == noted
