"""Watches folders through what the system offers; what it cannot watch is looked through often instead.

watchdog tells of changes, but not of all: the system's queue overflows, there are more folders than watches, network
mounts change without a word, a folder that is mounted again is another one. All that is found out here and told.
"""

import errno
import logging
import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from watchdog.observers.api import ObservedWatch

from musrecd.daemon.hints import Hint, Missed
from musrecd.daemon.mounts import Mount, mounts_below, remote_kind
from musrecd.daemon.observing import Observing
from musrecd.daemon.pulse import Identity, Pulse, identity
from musrecd.daemon.telling import Telling
from musrecd.ingest.vanished import is_below

_log = logging.getLogger(__name__)

Method = Literal["events", "polling", "absent"]
_LIMITS = Path("/proc/sys/fs/inotify")
_ABSENT = "there is no such folder"
_SILENT = "it does not answer"
# A folder that came up or changed a moment ago may get its watch in the next, also if one of its name was there before.
_SLOW_S = 3.0
# When watches run out, all the later folders have none: a few of them tell.
_MOST_NEW_FOLDERS = 1000
# What distributions set.
_ENOUGH = {"watches": 524_288, "instances": 1024}
# Others use watches, too, and nobody tells how many are left: it can only be tried.
_AGAIN_AFTER_S = 3600.0


@dataclass(slots=True)
class Root:
    """One watched folder: how it is watched and, if not by events, why.

    `is_silent` while its disk does not answer; `mounts` are what is mounted below it, each with whether it is watched,
    `disks` where something was mounted before;
    `made` are folders that came up in it; `made_before` those that came up before the last check. If watching it
    failed, it did so at `failed_at`, a time that only runs forwards, with these `limits` of the system.
    """

    path: bytes
    method: Method = "absent"
    why: str = _ABSENT
    identity: Identity | None = None
    is_silent: bool = False
    watch: ObservedWatch | None = None
    mounts: frozenset[tuple[Mount, bool]] = frozenset()
    disks: frozenset[bytes] = frozenset()
    made: deque[bytes] = field(default_factory=lambda: deque(maxlen=_MOST_NEW_FOLDERS))
    made_before: list[bytes] = field(default_factory=list)
    failed_at: float | None = None
    limits: tuple[int | None, ...] = ()

    def is_emptied(self) -> bool:
        """Whether it is not what it was, does not answer or holds nothing at all: then it may only be unmounted."""
        if self.is_silent:
            return True
        try:
            with os.scandir(self.path) as entries:
                return next(entries, None) is None or identity(self.path) != self.identity
        except OSError:
            return True

    def may_lack(self, path: bytes) -> bool:
        """Whether a path may be missing only because it, or all of this folder, is unmounted."""
        return self.is_emptied() or any(is_below(path, disk) for disk in self.unmounted())

    def unmounted(self) -> frozenset[bytes]:
        """Where something was mounted below it once and is not now, whoever noticed that yet."""
        disks = self.disks | {mount.path for mount, _ in self.mounts}
        return disks - {mount.path for mount in mounts_below(self.path)} if disks else frozenset()

    def forget(self) -> None:
        """Be as if it had never been watched."""
        self.method, self.why, self.identity, self.watch, self.failed_at = "absent", _ABSENT, None, None, None
        self.is_silent = False
        self.made.clear()
        self.made_before.clear()


class Watcher:
    """Watches folders and tells hints, from threads of its own, to `tell`."""

    def __init__(
        self,
        roots: Sequence[bytes],
        tell: Callable[[Hint], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.roots = [Root(path) for path in dict.fromkeys(map(os.path.abspath, roots))]
        self._tell, self._clock = tell, clock
        self._observing: Observing | None = None
        self._pulses = {root.path: Pulse(root.path) for root in self.roots}

    def check(self) -> list[Root]:
        """Begin to watch what is there and not watched yet, or not any more.

        Returns the folders in which something may have been missed. To be called now and then: mounts come and go,
        threads may die, watches run out.
        """
        if self._observing is not None and not self._observing.is_alive:
            _log.warning("the thread that watches ended; it is started again")
            self._stop_observing()
        return [root for root in self.roots if self._has_changed(root)]

    def poll(self, root: Root, why: str) -> None:
        """Watch no longer by events, which do not tell everything."""
        _log.warning("looked through often instead of being watched", extra={"path": root.path, "reason": why})
        self._unwatch(root)
        root.method, root.why = "polling", why
        root.failed_at, root.limits = self._clock(), _limits()

    def watch_again(self, root: Root, n_folders: int) -> bool:
        """Watch what failed to be watched and has `n_folders` now, if that may go well; whether it is watched.

        That is if a limit of the system was changed since, or after an hour if the folders could have watches.
        """
        if root.failed_at is None:
            return False
        limit, in_use = watch_limit(), watches_in_use()
        could_fit = limit is None or in_use is None or n_folders <= limit - in_use
        is_due = _limits() != root.limits or self._clock() - root.failed_at > _AGAIN_AFTER_S
        if not (could_fit and is_due):
            return False
        self._watch(root, root.identity)
        if root.watch is not None:
            _log.info("watched again", extra={"path": root.path})
        return root.watch is not None

    def lacks_watches(self, root: Root) -> bool:
        """Whether there is a folder in it that should have got its watch by now and has none; it is walked through."""
        folders = (os.path.join(parent, name) for parent, names, _ in os.walk(root.path) for name in names)
        return any(not self._sees(root, folder) and _is_settled(folder) for folder in folders)

    def stop(self) -> None:
        """End all threads."""
        self._stop_observing()

    def _has_changed(self, root: Root) -> bool:
        try:
            found = self._pulses[root.path].ask()
        except TimeoutError:
            self._fall_silent(root)
            return False
        if root.is_silent or self._is_lost(root, found):
            return self._watch(root, found)
        return self._outgrew(root)

    def _fall_silent(self, root: Root) -> None:
        """Leave a folder alone, whoever asks it anything would wait, too."""
        if not root.is_silent:
            _log.warning("does not answer", extra={"path": root.path})
            root.is_silent = True
            root.why = f"{root.why}, {_SILENT}" if root.why and root.method != "absent" else _SILENT

    def _is_lost(self, root: Root, found: Identity | None) -> bool:
        """Whether another folder is there than is watched, or it or what lies below was mounted or unmounted."""
        if found != root.identity or not self._sees(root):
            return True
        return found is not None and self._mounts(root) != root.mounts

    def _mounts(self, root: Root) -> frozenset[tuple[Mount, bool]]:
        # What was unmounted and mounted again before anybody looked has no watch any more.
        return frozenset((mount, self._sees(root, mount.path)) for mount in mounts_below(root.path))

    def _sees(self, root: Root, folder: bytes | None = None) -> bool:
        return root.watch is None or self._observing is None or self._observing.sees(root.watch, folder)

    def _watch(self, root: Root, found: Identity | None) -> bool:
        self._unwatch(root)
        root.forget()
        root.identity = found
        if found is None:
            return False
        self._begin(root)
        root.disks |= {mount.path for mount, _ in root.mounts}
        root.mounts = self._mounts(root)
        return True

    def _begin(self, root: Root) -> None:
        if kind := remote_kind(root.path):
            root.method, root.why = "polling", f"it lies on {kind}"
            return
        try:
            root.watch = self._started().watch(root.path, Telling(root.path, self._tell, root.made.append))
            root.method, root.why = "events", ""
        except (OSError, RuntimeError) as error:
            what = "instances" if getattr(error, "errno", None) == errno.EMFILE else "watches"
            self.poll(root, f"{getattr(error, 'strerror', None) or error}{_more(what)}")

    def _outgrew(self, root: Root) -> bool:
        """Whether new folders got no watch, of which the system says nothing; the folder is watched no more then."""
        unseen = [folder for folder in root.made_before if not self._sees(root, folder) and _is_folder(folder)]
        root.made_before = [root.made.popleft() for _ in range(len(root.made))]
        if not any(map(_is_settled, unseen)):
            root.made_before += unseen
            return False
        self.poll(root, f"there are more folders than watches{more_watches()}")
        return True

    def _unwatch(self, root: Root) -> None:
        if root.watch is not None and self._observing is not None:
            self._observing.unwatch(root.watch)
        root.watch = None

    def _started(self) -> Observing:
        if self._observing is None:
            self._observing = Observing(self._missed_everything)
        return self._observing

    def _stop_observing(self) -> None:
        if self._observing is not None:
            self._observing.stop()
        self._observing = None
        for root in self.roots:
            if root.watch is not None:
                root.forget()

    def _missed_everything(self) -> None:
        for root in self.roots:
            if root.method == "events":
                self._tell(Missed(root.path))


def _is_folder(path: bytes) -> bool:
    """Whether it is a folder and no link to one, which is not watched."""
    return os.path.isdir(path) and not os.path.islink(path)


def _is_settled(folder: bytes) -> bool:
    """Whether it is a folder, and no link to one, that did not change for a while."""
    try:
        age_s = time.time() - os.lstat(folder).st_ctime
    except OSError:
        return False
    return _is_folder(folder) and not 0 <= age_s < _SLOW_S


def watch_limit() -> int | None:
    """How many folders the system watches for one user; None where there is no such limit."""
    return _number(_LIMITS / "max_user_watches")


def _limits() -> tuple[int | None, ...]:
    """Return everything that may keep folders from being watched."""
    return tuple(_number(_LIMITS / f"max_user_{what}") for what in _ENOUGH)


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def watches_in_use() -> int | None:
    """How many folders this process watches; None where the system does not say."""
    try:
        infos = [entry.path for entry in os.scandir("/proc/self/fdinfo")]
    except OSError:
        return None
    return sum(_inotify_lines(path) for path in infos)


def _inotify_lines(path: str) -> int:
    try:
        with open(path, encoding="ascii") as info:
            return sum(line.startswith("inotify wd:") for line in info)
    except OSError:
        return 0


def more_watches() -> str:
    """How to have more folders watched, to be put after what went wrong."""
    return _more("watches")


def _more(what: str) -> str:
    name = f"max_user_{what}"
    now = _number(_LIMITS / name)
    if now is None:
        return ""
    return f" ({now} are allowed, more with `sysctl fs.inotify.{name}={max(_ENOUGH[what], 2 * now)}`)"
