"""New is what has come since its folder was looked through, as long as it is the same folder."""

import pytest

from musrecd.daemon.arrivals import Arrivals
from musrecd.daemon.mounts import Mount
from musrecd.daemon.watcher import Root
from musrecd.types import Priority

DISK = Mount(b"/music/disk", "/dev/sdb1", "ext4")


@pytest.fixture
def root():
    return Root(b"/music", identity=(1, 2))


def looked_through(root: Root) -> Arrivals:
    arrivals = Arrivals([root, Root(b"/other", identity=(1, 3))])
    arrivals.note_look((b"/music",), ())
    return arrivals


@pytest.mark.parametrize("path", [b"/music", b"/music/a.mp3", b"/music/album/b.mp3"])
def test_what_came_after_a_look_is_new(root, path):
    assert Arrivals([root]).priority(path) == Priority.BACKFILL
    assert looked_through(root).priority(path) == Priority.NEW


@pytest.mark.parametrize("path", [b"/other/a.mp3", b"/musical/a.mp3", b"/a.mp3"])
def test_nothing_is_new_where_nobody_looked(root, path):
    assert looked_through(root).priority(path) == Priority.BACKFILL


def test_what_was_on_a_disk_before_it_was_mounted_is_not_new(root):
    arrivals = looked_through(root)
    root.identity = (7, 2)
    assert arrivals.priority(b"/music/a.mp3") == Priority.BACKFILL
    arrivals.note_look((b"/music",), ())
    assert arrivals.priority(b"/music/a.mp3") == Priority.NEW


def test_nor_what_was_on_one_that_is_mounted_below(root):
    arrivals = looked_through(root)
    root.mounts = frozenset({(DISK, True)})
    assert arrivals.priority(b"/music/disk/a.mp3") == Priority.BACKFILL
    arrivals.note_look((b"/music",), ())
    assert arrivals.priority(b"/music/disk/a.mp3") == Priority.NEW
    root.mounts = frozenset({(DISK, False)})
    assert arrivals.priority(b"/music/disk/a.mp3") == Priority.NEW, "whoever watches it, it is the same disk"
    root.mounts = frozenset()
    assert arrivals.priority(b"/music/a.mp3") == Priority.NEW


def test_nor_what_was_in_a_folder_that_could_not_be_read(root):
    arrivals = looked_through(root)
    arrivals.note_look((b"/music",), (b"/music/locked", b"/elsewhere"))
    assert arrivals.unread == (b"/music/locked",)
    assert arrivals.priority(b"/music/locked/a.mp3") == Priority.BACKFILL
    assert arrivals.priority(b"/music/lockedaway.mp3") == Priority.NEW
    arrivals.note_look((b"/music",), ())
    assert arrivals.priority(b"/music/locked/a.mp3") == Priority.NEW
