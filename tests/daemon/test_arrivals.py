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
    look(arrivals)
    return arrivals


def look(arrivals: Arrivals, *unread: bytes) -> None:
    arrivals.begin_look(b"/music")
    arrivals.note_look((b"/music",), unread)


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
    look(arrivals)
    assert arrivals.priority(b"/music/a.mp3") == Priority.NEW


def test_nor_what_was_on_one_that_is_mounted_below(root):
    arrivals = looked_through(root)
    root.mounts = frozenset({(DISK, True)})
    assert arrivals.priority(b"/music/disk/a.mp3") == Priority.BACKFILL
    look(arrivals)
    assert arrivals.priority(b"/music/disk/a.mp3") == Priority.NEW
    root.mounts = frozenset({(DISK, False)})
    assert arrivals.priority(b"/music/disk/a.mp3") == Priority.NEW, "whoever watches it, it is the same disk"
    root.mounts = frozenset()
    assert arrivals.priority(b"/music/a.mp3") == Priority.BACKFILL, "until it is looked through without that disk"


def test_a_disk_that_comes_back_holds_nothing_new(root):
    """It may have been unmounted with all that waited, and another one may look the same."""
    arrivals, before = looked_through(root), root.identity
    root.identity = None
    arrivals.check()
    root.identity = before
    assert arrivals.priority(b"/music/a.mp3") == Priority.BACKFILL


def test_what_was_mounted_while_a_look_went_on_was_not_looked_through(root):
    arrivals = Arrivals([root])
    arrivals.begin_look(b"/music")
    root.mounts = frozenset({(DISK, True)})
    arrivals.note_look((b"/music",), ())
    assert arrivals.priority(b"/music/disk/a.mp3") == Priority.BACKFILL


def test_nor_what_was_in_a_folder_that_could_not_be_read(root):
    arrivals = looked_through(root)
    look(arrivals, b"/music/locked", b"/elsewhere")
    assert arrivals.unread == (b"/music/locked",)
    assert arrivals.priority(b"/music/locked/a.mp3") == Priority.BACKFILL
    assert arrivals.priority(b"/music/lockedaway.mp3") == Priority.NEW
    look(arrivals)
    assert arrivals.priority(b"/music/locked/a.mp3") == Priority.NEW
