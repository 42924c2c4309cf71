"""Finding music files below folders."""

import errno
import os
from pathlib import Path

import pytest

from musrecd.ingest import discover
from musrecd.ingest.discover import find_files


def names(*paths, errors=None):
    problems = [] if errors is None else errors
    return [os.path.basename(f.path) for f in find_files(map(os.fsencode, paths), lambda p, m: problems.append((p, m)))]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("b.mp3", "a.FLAC", "cover.jpg", "notes.txt", "sub/c.ogg", "sub/deep/d.opus", ".hidden.mp3",
                 "._a.mp3", "x.mp3.part", "~$x.mp3", ".git/e.mp3"):  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"sound")
    return tmp_path


def test_takes_music_by_suffix_in_order_and_leaves_hidden_and_unfinished_files(tree):
    assert names(tree) == [b"a.FLAC", b"b.mp3", b"c.ogg", b"d.opus"]


def test_tells_size_and_time_of_each_file(tree):
    found = next(f for f in find_files([os.fsencode(tree)], lambda *a: None) if f.path.endswith(b"b.mp3"))
    status = (tree / "b.mp3").stat()
    assert (found.size, found.mtime_ns) == (status.st_size, status.st_mtime_ns)


def test_a_file_named_by_itself_is_taken_whatever_its_name(tree):
    assert names(tree / "notes.txt") == [b"notes.txt"]


def test_a_file_without_suffix_is_taken_if_it_begins_like_music(tmp_path):
    (tmp_path / "song").write_bytes(b"fLaC" + bytes(100))
    (tmp_path / "README").write_bytes(b"read me")
    assert names(tmp_path) == [b"song"]


def test_links_are_followed_and_loops_left(tree, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "linked.wav").write_bytes(b"sound")
    (tree / "sub" / "other").symlink_to(elsewhere)
    (tree / "sub" / "loop").symlink_to(tree)
    assert names(tree).count(b"b.mp3") == 1
    assert b"linked.wav" in names(tree)


def test_what_is_no_regular_file_is_passed_over(tree):
    os.mkfifo(tree / "fifo.mp3")
    (tree / "folder.mp3").mkdir()
    (tree / "dangling.mp3").symlink_to(tree / "nowhere")
    assert not {b"fifo.mp3", b"folder.mp3", b"dangling.mp3"} & set(names(tree))


def test_a_path_that_is_not_there_is_told_and_the_rest_found(tree):
    errors = []
    assert names(tree / "gone", tree / "b.mp3", errors=errors) == [b"b.mp3"]
    assert errors == [(os.fsencode(tree / "gone"), "cannot be read: No such file or directory")]


def test_names_that_are_no_text_are_found(tmp_path):
    path = os.fsencode(tmp_path) + b"/caf\xe9\n.mp3"
    with open(path, "wb") as file:
        file.write(b"sound")
    assert [f.path for f in find_files([os.fsencode(tmp_path)], lambda *a: None)] == [path]


def test_very_deep_folders_do_not_break_it(tmp_path):
    deep = tmp_path
    for _ in range(300):
        deep = deep / "d"
    deep.mkdir(parents=True)
    (deep / "bottom.mp3").write_bytes(b"sound")
    assert names(tmp_path) == [b"bottom.mp3"]


def test_folders_are_told_except_those_behind_links(tmp_path):
    (tmp_path / "tree" / "a" / "b").mkdir(parents=True)
    (tmp_path / "tree" / ".hidden").mkdir()
    (tmp_path / "other" / "below").mkdir(parents=True)
    (tmp_path / "other" / "below" / "song.mp3").touch()
    (tmp_path / "tree" / "link").symlink_to(tmp_path / "other")
    folders: list[bytes] = []
    found = list(find_files([os.fsencode(tmp_path / "tree")], lambda *a: None, folders.append))
    assert [os.fsdecode(path) for path in folders] == [str(tmp_path / "tree" / name) for name in ("", "a", "a/b")]
    assert [os.path.basename(file.path) for file in found] == [b"song.mp3"]


def test_a_file_that_the_disk_does_not_tell_of_is_named(tmp_path, monkeypatch):
    """So it is in a folder that may be read and not entered; one that is gone by now is no error."""
    for name in ("a.mp3", "b.mp3", "c.mp3"):
        (tmp_path / name).write_bytes(b"sound")
    problems = {
        b"a.mp3": PermissionError(errno.EACCES, "Permission denied"),
        b"b.mp3": FileNotFoundError(errno.ENOENT, ""),
    }

    class Entry:
        def __init__(self, entry) -> None:
            self._entry, self.name, self.path = entry, entry.name, entry.path

        def is_dir(self) -> bool:
            return False

        def stat(self):
            if self.name in problems:
                raise problems[self.name]
            return self._entry.stat()

    monkeypatch.setattr(
        discover,
        "_each",
        lambda items, on_step: (Entry(item) if isinstance(item, os.DirEntry) else item for item in items),
    )
    told = []
    found = list(find_files([bytes(tmp_path)], lambda path, message: told.append((path, message))))
    assert [file.path for file in found] == [bytes(tmp_path / "c.mp3")]
    assert told == [(bytes(tmp_path / "a.mp3"), "cannot be read: Permission denied")]
