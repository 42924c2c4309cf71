"""A copy beside the original that becomes the original in one step, or vanishes.

Whatever happens, the name of the file leads to the old file or to the new one, each whole. What is left behind by a
kill is a copy with a name of our own, which `sweep` removes.
"""

import errno
import fcntl
import logging
import os
import re
import secrets
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress

from musrecd.errors import TagError
from musrecd.tagging.files.model import Edit

_log = logging.getLogger(__name__)
_NAME = re.compile(rb"\.musrec-[0-9a-f]{16}\.tmp")
_BLOCK = 1 << 20
# The file system has no such thing, or the two files lie on different ones.
_NO_SUCH_CALL = (errno.ENOSYS, errno.EXDEV, errno.EOPNOTSUPP, errno.EINVAL, errno.EPERM, errno.EBADF)


class Copy:
    """A copy under a hidden name in the same folder; made by `copied`."""

    def __init__(self, original: bytes) -> None:
        folder = os.path.dirname(original) or b"."
        self.path = os.path.join(folder, b".musrec-%s.tmp" % secrets.token_hex(8).encode())
        self._folder = folder
        self.fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)

    def fill(self, source: int, size: int, edits: Sequence[Edit]) -> None:
        """Write the original with the edits, which are in order and do not overlap."""
        at = 0
        for edit in edits:
            self._transfer(source, at, edit.offset - at)
            _write(self.fd, edit.data)
            at = edit.offset + edit.length
        self._transfer(source, at, size - at)

    def check_filled(self, source: int, size: int, edits: Sequence[Edit]) -> None:
        """Read back what was written: system calls may lie. Raises TagError."""
        os.lseek(self.fd, 0, os.SEEK_SET)
        at, is_same = 0, True
        for edit in [*edits, Edit(size, 0, b"")]:
            is_same = is_same and self._is_same(source, at, edit.offset - at) and self._reads(edit.data)
            at = edit.offset + edit.length
        if not is_same or os.read(self.fd, 1):
            raise TagError("what was written cannot be read back; the disk may be failing", "not verified")

    def take_attributes(self, source: int, status: os.stat_result, *, keep_mtime: bool) -> None:
        """Take over owner, mode, extended attributes with ACLs, and times. Raises TagError if that fails."""
        try:
            own = os.fstat(self.fd)
            if (own.st_uid, own.st_gid) != (status.st_uid, status.st_gid):
                os.fchown(self.fd, status.st_uid, status.st_gid)
            os.fchmod(self.fd, stat.S_IMODE(status.st_mode))
            _copy_xattrs(source, self.fd)
            if keep_mtime:
                os.utime(self.fd, ns=(status.st_atime_ns, status.st_mtime_ns))
            own = os.fstat(self.fd)
        except OSError as error:
            raise system_error("its owner, permissions or attributes cannot be kept", error) from error
        kept = (own.st_uid, own.st_gid, own.st_mode) == (status.st_uid, status.st_gid, status.st_mode)
        kept = kept and (not keep_mtime or own.st_mtime_ns == status.st_mtime_ns)
        if not kept or _xattrs(self.fd) != _xattrs(source):
            raise TagError("its owner, permissions or attributes cannot be kept", "attributes")

    def replace(self, original: bytes) -> os.stat_result:
        """Become the original; the copy must be on the disk by then. Returns the status of the file."""
        os.replace(self.path, original)
        try:
            folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            # The file is whole either way; after a power cut it might be the old one.
            _log.warning("the folder of a tagged file could not be synced: %s", error.strerror)
        return os.fstat(self.fd)

    def _transfer(self, source: int, at: int, size: int) -> None:
        while size > 0:
            try:
                n = os.copy_file_range(source, self.fd, size, offset_src=at)
            except (AttributeError, OSError) as error:
                if isinstance(error, OSError) and error.errno not in _NO_SUCH_CALL:
                    raise
                self._pump(source, at, size)
                return
            if n == 0:
                raise TagError("it became shorter while it was copied", "changed", may_pass=True)
            at, size = at + n, size - n

    def _pump(self, source: int, at: int, size: int) -> None:
        while size > 0:
            data = os.pread(source, min(_BLOCK, size), at)
            if not data:
                raise TagError("it became shorter while it was copied", "changed", may_pass=True)
            _write(self.fd, data)
            at, size = at + len(data), size - len(data)

    def _is_same(self, source: int, at: int, size: int) -> bool:
        while size > 0:
            data = os.pread(source, min(_BLOCK, size), at)
            if not data or not self._reads(data):
                return False
            at, size = at + len(data), size - len(data)
        return True

    def _reads(self, expected: bytes) -> bool:
        at = 0
        while at < len(expected):
            data = os.read(self.fd, min(_BLOCK, len(expected) - at))
            # As bytes: of memoryviews Python compares one byte after the other.
            if not data or data != expected[at : at + len(data)]:
                return False
            at += len(data)
        return True


@contextmanager
def copied(original: bytes) -> Iterator[Copy]:
    """Make an empty copy that is removed in the end, unless it has become the original. Raises TagError."""
    try:
        copy = Copy(original)
    except OSError as error:
        raise system_error("no copy can be made beside it", error) from error
    try:
        # Whoever sweeps sees that somebody is at work here.
        with suppress(OSError):
            fcntl.flock(copy.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield copy
    finally:
        try:
            if _is_ours(copy.path, os.fstat(copy.fd)):
                os.unlink(copy.path)
        except OSError as error:
            _log.warning("a copy was left behind, which the next start removes: %s", error.strerror)
        finally:
            os.close(copy.fd)


def sweep(paths: Iterable[bytes]) -> int:
    """Remove copies that a kill left behind, in and below folders and beside files; returns how many.

    Only regular files of this user with a name of ours that nobody is writing are removed. Never raises.
    """
    return sum(_sweep_one(path) for folder in paths for path in _leftovers(folder))


def system_error(what: str, error: OSError) -> TagError:
    """Return the error for a call that the system refused: it may pass."""
    reason = "disk full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "system"
    return TagError(f"{what}: {error.strerror or error}", reason, may_pass=True)


def _leftovers(path: bytes) -> Iterator[bytes]:
    if not os.path.isdir(path):
        folder = os.path.dirname(path) or b"."
        with suppress(OSError):
            yield from [os.path.join(folder, name) for name in os.listdir(folder) if _NAME.fullmatch(name)]
        return
    for folder, _, names in os.walk(path):
        yield from (os.path.join(folder, name) for name in names if _NAME.fullmatch(name))


def _sweep_one(path: bytes) -> int:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid() or status.st_nlink != 1:
            return 0
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.unlink(path)
    except OSError:
        return 0
    else:
        return 1
    finally:
        os.close(fd)


def _is_ours(path: bytes, status: os.stat_result) -> bool:
    """Whether a name still leads to this file: after it has become the original it does not."""
    try:
        return os.path.samestat(os.lstat(path), status)
    except FileNotFoundError:
        return False


def _write(fd: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(fd, left) :]


def _xattrs(fd: int) -> dict[str, bytes]:
    if not hasattr(os, "listxattr"):
        return {}
    try:
        return {name: os.getxattr(fd, name) for name in os.listxattr(fd)}
    except OSError as error:
        if error.errno in (errno.ENOTSUP, errno.ENOSYS):
            return {}
        raise


def _copy_xattrs(source: int, target: int) -> None:
    wanted, present = _xattrs(source), _xattrs(target)
    # A folder may hand its files an ACL that the original does not have.
    for name in present.keys() - wanted.keys():
        os.removexattr(target, name)
    for name, value in wanted.items():
        if present.get(name) != value:
            os.setxattr(target, name, value)
