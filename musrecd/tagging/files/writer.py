"""Read and write the words of one file: check, copy with the change, prove, replace."""

import errno
import fcntl
import os
import stat
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from musrecd.errors import AudioError, TagError, UnreadableFileError
from musrecd.tagging.files import proof
from musrecd.tagging.files.changes import changed_topics, edits_for, is_restored, snapshot, wanted_words
from musrecd.tagging.files.copies import Copy, copied, system_error
from musrecd.tagging.files.formats import Opened, open_tags
from musrecd.tagging.files.model import KEY, TEMPO, Change, Edit, FileTags, Rules, Written
from musrecd.types import FileState

if TYPE_CHECKING:
    from musrecd.analysis.payload import Payload

_T = TypeVar("_T")
_ANY_WRITE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH
_READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class _Original:
    """The file as it was opened. `name` is the path asked for, `target` where it leads."""

    name: bytes
    target: bytes
    fd: int
    status: os.stat_result

    def state(self, status: os.stat_result) -> FileState:
        return FileState(self.name, status.st_size, status.st_mtime_ns)

    def check_unchanged(self) -> None:
        """Raise TagError if anybody has replaced or changed the file since it was opened."""
        try:
            now = os.lstat(self.target)
        except OSError as error:
            raise TagError("it was moved or deleted meanwhile", "changed", may_pass=True) from error
        if _version(now) != _version(self.status) or _version(os.fstat(self.fd)) != _version(self.status):
            raise TagError("another program changed it meanwhile", "changed", may_pass=True)


def read(path: bytes) -> FileTags:
    """Read the words of a file; symbolic links are followed. Raises TagError."""
    path = os.path.abspath(path)
    with _opened(path, os.path.realpath(path)) as original:
        return snapshot(open_tags(original.fd, path).layout)


def write(path: bytes, change: Change, rules: Rules) -> Written:
    """Change the words of a file and nothing else; afterwards beets reads them as they were asked for.

    Raises TagError if that is not allowed or cannot be proven; the file is untouched then.
    """
    path = os.path.abspath(path)
    with _opened(path, _target(path, rules)) as original:
        _check_allowed(original, rules)
        before = open_tags(original.fd, path)
        edits = edits_for(before.layout, change)
        tags = snapshot(before.layout)
        if change.genres and not tags.genres:
            _check_no_other_genre(original)
        new = [topic for topic, words in ((TEMPO, change.tempo), (KEY, change.key)) if words]
        if new and edits:
            proof.check_beets_knows_none(original.fd, path, new)
        # Where it is known what the file holds, reading the copy is enough.
        sound = _sound(original, before, rules) if rules.audio_id is None or not edits else None
        if not edits and sound:
            original.check_unchanged()
            return Written(sound.audio_id, tags, tags, original.state(original.status), is_same=True)
        with copied(original.target) as copy, ThreadPoolExecutor(1) as beside:
            try:
                _fill(copy, original, edits, rules)
                # The disk takes its time, and so does the proof.
                on_disk = beside.submit(os.fsync, copy.fd)
                after = _prove(copy, original, before, change)
                audio_id = _prove_sound(copy, original, before, rules, sound)
                on_disk.result()
                original.check_unchanged()
                status = copy.replace(original.target)
            except OSError as error:
                raise system_error("the copy with the change cannot be written", error) from error
        return Written(audio_id, tags, after, original.state(status), is_same=False)


def _target(path: bytes, rules: Rules) -> bytes:
    """Return where a path leads. Raises TagError if that is no place to write to."""
    target = os.path.realpath(path)
    if target == path:
        return target
    if not rules.roots:
        if os.path.islink(path):
            raise TagError("it is a symbolic link, and no folder is named within which links are followed", "link")
        return target
    roots = [os.path.join(os.path.realpath(root), b"") for root in rules.roots]
    if not any(target.startswith(root) for root in roots):
        raise TagError("it is a link that leads out of the folders of the library", "link")
    return target


@contextmanager
def _opened(name: bytes, target: bytes) -> Iterator[_Original]:
    """Open a regular file, and nothing else, for reading. Raises TagError."""
    try:
        # Looked at before it is opened: opening a FIFO or a device may do something.
        is_regular = stat.S_ISREG(os.lstat(target).st_mode)
        fd = os.open(target, _READ_FLAGS) if is_regular else -1
    except (OSError, ValueError) as error:
        raise TagError(f"cannot be read: {_words(error)}", "unreadable", may_pass=True) from error
    if not is_regular:
        raise TagError("is not a regular file", "not a file")
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise TagError("is not a regular file", "not a file")
        yield _Original(name, target, fd, status)
    finally:
        os.close(fd)


def _check_allowed(original: _Original, rules: Rules) -> None:
    status, expected = original.status, rules.expected
    if not status.st_mode & _ANY_WRITE or not os.access(original.target, os.W_OK, effective_ids=True):
        raise TagError("it is write-protected", "read-only")
    if status.st_nlink > 1 and rules.hard_links != "break":
        raise TagError(f"it has {status.st_nlink} names (hard links), of which only one would change", "hard link")
    if expected is not None and (expected.size, expected.mtime_ns) != (status.st_size, status.st_mtime_ns):
        raise TagError("it is not the file any more that was listened to", "changed")
    if _age_s(status) < rules.settle_s:
        raise TagError("it was changed a moment ago, perhaps somebody still writes it", "settling", may_pass=True)
    try:
        fcntl.flock(original.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        # Some file systems lock nothing that is open for reading only.
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            raise TagError("another program has locked it", "busy", may_pass=True) from error


def _age_s(status: os.stat_result) -> float:
    """Seconds since the last change; where that lies in the future, since the last one that the system knows of."""
    now = time.time()
    return now - (status.st_mtime if status.st_mtime <= now else status.st_ctime)


def _sound(original: _Original, before: Opened, rules: Rules) -> "Payload":
    """Listen to the whole file. Raises TagError if it is not sound and whole, or not the recording meant."""
    sound = _survey(original.target)
    if sound.container not in before.format.containers:
        raise TagError(f"its tags are those of another format than its sound ({sound.container})", "unknown format")
    if sound.damage:
        raise TagError(f"its sound is damaged: {sound.damage}", "damaged")
    if rules.audio_id is not None and rules.audio_id != sound.audio_id:
        raise TagError("it holds another recording than the one listened to", "other recording")
    return sound


def _check_no_other_genre(original: _Original) -> None:
    """Raise TagError if FFmpeg reads a genre where we read none: in a tag that is not written."""
    from musrecd.analysis.payload import shown_genre

    if genre := _heard(shown_genre, original.target):
        raise TagError(f"it names the genre {ascii(genre)[:50]} in a tag that is not written", "other tag")


def _survey(path: bytes) -> "Payload":
    # Late: whoever only reads tags needs no FFmpeg.
    from musrecd.analysis.payload import survey

    return _heard(survey, path)


def _heard(ask: Callable[[bytes], _T], path: bytes) -> _T:
    """Return what FFmpeg says of a file. Raises TagError."""
    try:
        return ask(path)
    except UnreadableFileError as error:
        raise TagError(str(error), "unreadable", may_pass=True) from error
    except AudioError as error:
        raise TagError(str(error), "no audio") from error


def _fill(copy: Copy, original: _Original, edits: list[Edit], rules: Rules) -> None:
    copy.fill(original.fd, original.status.st_size, edits)
    copy.take_attributes(original.fd, original.status, keep_mtime=rules.keep_mtime)
    copy.check_filled(original.fd, original.status.st_size, edits)


def _prove(copy: Copy, original: _Original, before: Opened, change: Change) -> FileTags:
    """Return what the copy says, once it is certain that no other tag has changed. Raises TagError."""
    try:
        after = open_tags(copy.fd, original.name)
        proof.check_same_but(before, after, changed_topics(change))
        words = wanted_words(change)
        proof.check_words(after, words)
        proof.check_beets_agrees(copy.fd, original.name, words)
        if change.raw is not None and not is_restored(after.layout, change.raw, change.topics):
            raise TagError("the snapshot cannot be put back into it", "not verified")
    except (TagError, OSError):
        raise
    except Exception as error:  # over hostile files mutagen raises anything
        raise TagError(f"left as it was, because it cannot be checked: {_words(error)}", "not verified") from error
    return snapshot(after.layout)


def _prove_sound(copy: Copy, original: _Original, before: Opened, rules: Rules, sound: "Payload | None") -> str:
    """Return the `audio_id` of the copy, once it is certain that a player finds what is in the original.

    Edits lie in tags, or are sizes, offsets, numbers of pages and checksums. So where the copy's packets are those of
    the recording that is known to be in the file, their times are the original's, too, which need not be read again.
    Raises TagError.
    """
    found = _survey(copy.path)
    is_known = found.audio_id == rules.audio_id and found.container in before.format.containers
    if sound is None and is_known and found.is_sound_alone and not found.damage:
        return found.audio_id
    original.check_unchanged()
    if (sound or _sound(original, before, rules)) != found:
        raise TagError("left as it was, because its sound would change", "not verified")
    return found.audio_id


def _version(status: os.stat_result) -> tuple[int, ...]:
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_mode)


def _words(error: Exception) -> str:
    text = str(getattr(error, "strerror", None) or error).strip() or type(error).__name__
    return text.splitlines()[0][:100]
