"""What is mounted at and below a folder, as the system lists it: no disk is asked, which may not answer."""

import os
from dataclasses import dataclass

import psutil

from musrecd.ingest.discover import could_be_music

# Other machines change what lies on these, and the system here hears nothing of it.
_REMOTE = ("nfs", "cifs", "smb", "9p", "afp", "webdav", "davfs", "fuse", "ceph", "glusterfs", "lustre", "virtiofs")


@dataclass(frozen=True, slots=True)
class Mount:
    """Something that is mounted at `path`, which begins like the folder that was asked for."""

    path: bytes
    device: str
    kind: str


def mounts_below(folder: bytes) -> frozenset[Mount]:
    """Return what is mounted below a folder, where a walk looks for music."""
    real = os.path.realpath(os.fsdecode(folder))
    found: set[Mount] = set()
    for part in psutil.disk_partitions(all=True):
        if part.mountpoint != real and _is_below(part.mountpoint, real):
            path = os.path.join(folder, os.fsencode(os.path.relpath(part.mountpoint, real)))
            if could_be_music(os.path.join(path, b"x.mp3"), below=folder):
                found.add(Mount(path, part.device, part.fstype))
    return frozenset(found)


def remote_kind(folder: bytes) -> str:
    """Kind of the file system of a folder, or of one mounted below, if others change it unheard, else ''."""
    kinds = [_kind_of(folder), *sorted(mount.kind for mount in mounts_below(folder))]
    return next((kind for kind in kinds if kind.startswith(_REMOTE)), "")


def _kind_of(folder: bytes) -> str:
    real = os.path.realpath(os.fsdecode(folder))
    mounts = [part for part in psutil.disk_partitions(all=True) if _is_below(real, part.mountpoint)]
    # Of several at one place, as after an automounter, the last lies on top.
    return max(reversed(mounts), key=lambda part: len(part.mountpoint)).fstype if mounts else ""


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")
