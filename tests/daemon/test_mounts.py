"""What is mounted below a folder is known by the names that the folder has."""

from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from musrecd.daemon.mounts import Mount, mounts_below, remote_kind


@pytest.fixture
def mounted(monkeypatch):
    """Return a function: folder → kind; these and nothing else are mounted."""

    def mount(**kinds: str) -> None:
        parts = [SimpleNamespace(mountpoint="/", fstype="ext4", device="root")]
        parts += [SimpleNamespace(mountpoint=path, fstype=kind, device="disk") for path, kind in kinds.items()]
        monkeypatch.setattr(psutil, "disk_partitions", lambda **_: parts)

    return mount


def test_what_is_mounted_below_is_found_and_nothing_else(tmp_path, mounted):
    music = tmp_path / "music"
    mounted(**{str(music): "ext4", str(music / "disk"): "vfat", str(tmp_path / "music2"): "vfat"})
    assert mounts_below(bytes(music)) == {Mount(bytes(music / "disk"), "disk", "vfat")}


def test_it_has_the_name_that_the_folder_was_given(tmp_path, mounted):
    (tmp_path / "music").mkdir()
    (tmp_path / "link").symlink_to("music")
    mounted(**{str(Path(tmp_path / "music").resolve() / "disk"): "vfat"})
    assert [mount.path for mount in mounts_below(bytes(tmp_path / "link"))] == [bytes(tmp_path / "link/disk")]


def test_where_no_walk_looks_nothing_matters(tmp_path, mounted):
    mounted(**{str(tmp_path / ".cache" / "doc"): "fuse.portal"})
    assert mounts_below(bytes(tmp_path)) == frozenset()
    assert remote_kind(bytes(tmp_path)) == ""


@pytest.mark.parametrize(("kind", "found"), [("nfs4", "nfs4"), ("fuse.sshfs", "fuse.sshfs"), ("vfat", "")])
def test_a_network_mount_below_is_as_silent_as_one_above(tmp_path, mounted, kind, found):
    mounted(**{str(tmp_path / "music" / "nas"): kind})
    assert remote_kind(bytes(tmp_path / "music")) == found
    assert remote_kind(bytes(tmp_path / "music" / "nas" / "album")) == found
    assert remote_kind(bytes(tmp_path / "other")) == ""
