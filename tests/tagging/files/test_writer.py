"""What may be written where, what stays as it was, and what happens when the world interferes."""

import errno
import fcntl
import os
import socket
import stat
import time
from pathlib import Path

import av
import numpy as np
import pytest

from musrecd.analysis import payload
from musrecd.analysis.payload import survey
from musrecd.errors import MusrecError, TagError
from musrecd.tagging.files import Change, Rules, copies, proof, read, sweep, write, writer
from musrecd.types import FileState

ROCK = Change(genres=("Rock",))
NAME = "comment.flac"


@pytest.fixture
def file(music) -> Path:
    return music(NAME)


def refusal(path: Path, **rules) -> TagError:
    """The error of a write that must be refused; fails if it leaves a trace."""
    before, names = content(path), sorted(os.listdir(path.parent))
    with pytest.raises(TagError) as caught:
        write(bytes(path), ROCK, Rules(**{"settle_s": 0, **rules}))
    assert content(path) == before
    assert sorted(os.listdir(path.parent)) == names
    assert "\n" not in str(caught.value)
    return caught.value


def content(path: Path) -> object:
    return path.read_bytes() if path.is_file() else None


def test_mode_owner_and_attributes_stay(file):
    os.chmod(file, 0o640)
    os.setxattr(file, "user.rating", b"5")
    if os.geteuid() == 0:
        os.chown(file, 1234, 2345)
    os.utime(file, (1e9, 1e9))
    before = os.stat(file)
    write(bytes(file), ROCK, Rules(settle_s=0))
    after = os.stat(file)
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert os.getxattr(file, "user.rating") == b"5"
    assert after.st_mtime_ns > before.st_mtime_ns


# Version 2; the owner, user 1234, the group, the mask and others, with their rights.
_ACL = bytes.fromhex("02000000 01000600ffffffff 02000600d2040000 04000400ffffffff 10000600ffffffff 20000000ffffffff")


def test_access_lists_stay_and_that_of_the_folder_is_not_taken(file):
    try:
        os.setxattr(file, "system.posix_acl_access", _ACL)
        other = file.with_name("without.flac")
        other.write_bytes(file.read_bytes())
        os.setxattr(file.parent, "system.posix_acl_default", _ACL)
    except OSError:
        pytest.skip("this file system has no access lists")
    for path in (file, other):
        write(bytes(path), ROCK, Rules(settle_s=0))
    assert os.getxattr(file, "system.posix_acl_access") == _ACL
    assert "system.posix_acl_access" not in os.listxattr(other)


def test_the_time_stays_where_that_is_asked_for(file):
    os.utime(file, ns=(10**18 + 7, 10**18 + 12_345))
    written = write(bytes(file), ROCK, Rules(keep_mtime=True))
    assert os.stat(file).st_mtime_ns == written.state.mtime_ns == 10**18 + 12_345


def test_a_protected_file_is_refused_even_to_root(file):
    os.chmod(file, 0o444)
    assert refusal(file).reason == "read-only"


def test_a_protected_folder_is_refused(file, monkeypatch):
    def no_entry(path, flags, *arguments, **more):
        if flags & os.O_CREAT:
            raise PermissionError(errno.EACCES, "Permission denied")
        return opened(path, flags, *arguments, **more)

    opened = os.open
    monkeypatch.setattr(copies.os, "open", no_entry)
    error = refusal(file)
    assert error.may_pass
    assert "Permission denied" in str(error)


def test_hard_links_are_refused_or_broken(file):
    other = file.with_name("other.flac")
    os.link(file, other)
    assert refusal(file).reason == "hard link"
    old = other.read_bytes()
    write(bytes(file), ROCK, Rules(settle_s=0, hard_links="break"))
    assert other.read_bytes() == old
    assert read(bytes(file)).genres == ("Rock",)
    assert os.stat(other).st_nlink == 1


def test_links_are_followed_within_the_roots_and_stay_links(file):
    folder = file.parent / "library"
    folder.mkdir()
    (folder / "real").mkdir()
    real = file.rename(folder / "real" / NAME)
    inside, outside = folder / "link.flac", folder.parent / "outside.flac"
    inside.symlink_to(real)
    assert refusal(inside).reason == "link"
    root = (bytes(folder),)
    written = write(bytes(inside), ROCK, Rules(roots=root, settle_s=0))
    assert inside.is_symlink()
    assert written.state.path == bytes(inside)
    assert read(bytes(real)).genres == ("Rock",)
    outside.write_bytes(real.read_bytes())
    inside.unlink()
    inside.symlink_to(outside)
    assert refusal(inside, roots=root).reason == "link"
    # A folder is a way out, too.
    (folder / "way").symlink_to(folder.parent)
    assert refusal(folder / "way" / "outside.flac", roots=root).reason == "link"


def test_only_regular_files_are_opened(tmp_path):
    os.mkfifo(tmp_path / "fifo.mp3")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s.mp3"))
        for name in ("fifo.mp3", "s.mp3", "."):
            with pytest.raises(TagError, match="not a regular file"):
                write(bytes(tmp_path / name), ROCK, Rules(settle_s=0))
    with pytest.raises(TagError) as caught:
        read(bytes(tmp_path / "gone.mp3"))
    assert caught.value.reason == "unreadable"


def test_a_file_that_just_changed_waits(file):
    os.utime(file, (time.time() - 3, time.time() - 3))
    error = refusal(file, settle_s=5)
    assert error.may_pass
    assert error.reason == "settling"
    write(bytes(file), ROCK, Rules(settle_s=2))


def test_a_time_in_the_future_is_no_reason_to_wait_for_ever(file):
    os.utime(file, (4e9, 4e9))
    time.sleep(0.2)
    write(bytes(file), ROCK, Rules(settle_s=0.1))


def test_another_file_than_predicted_is_refused(file):
    status = os.stat(file)
    state = FileState(bytes(file), status.st_size, status.st_mtime_ns)
    assert refusal(file, expected=state._replace(mtime_ns=1)).reason == "changed"
    assert refusal(file, expected=state._replace(size=1)).reason == "changed"
    assert refusal(file, audio_id="0" * 40).reason == "other recording"
    write(bytes(file), ROCK, Rules(settle_s=0, expected=state))


def _append(file: Path) -> None:
    with file.open("ab") as stream:
        stream.write(b"edit")


def _replace(file: Path) -> None:
    other = file.with_name("editor")
    other.write_bytes(file.read_bytes() + b"edit")
    os.utime(other, (1, 1))
    other.rename(file)


@pytest.mark.parametrize("edit", [_append, _replace, lambda file: os.utime(file, (1, 1)), lambda file: file.unlink()])
def test_an_edit_of_another_program_meanwhile_is_never_lost(file, monkeypatch, edit):
    edited = []

    def check(*arguments):
        edit(file)
        edited.append(content(file))
        return checked(*arguments)

    checked = proof.check_beets_agrees
    monkeypatch.setattr(proof, "check_beets_agrees", check)
    with pytest.raises(TagError) as caught:
        write(bytes(file), ROCK, Rules(settle_s=0))
    assert caught.value.reason == "changed"
    assert caught.value.may_pass
    assert [content(file)] == edited
    assert not list(file.parent.glob(".*"))


def test_two_writers_do_not_meet(file):
    with file.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert refusal(file).reason == "busy"


@pytest.mark.parametrize(
    ("call", "number", "reason"),
    [
        ("write", errno.ENOSPC, "disk full"),
        ("write", errno.EDQUOT, "disk full"),
        ("copy_file_range", errno.EIO, "system"),
        ("fsync", errno.EIO, "system"),
        ("replace", errno.EROFS, "system"),
        ("fchmod", errno.EPERM, "system"),
        ("setxattr", errno.ENOSPC, "disk full"),
    ],
)
def test_what_the_system_refuses_leaves_the_file_and_may_pass(file, monkeypatch, call, number, reason):
    os.setxattr(file, "user.rating", b"5")

    def fail(*arguments, **more):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(copies.os, call, fail)
    error = refusal(file)
    assert error.reason == reason
    assert error.may_pass


def test_a_copy_that_was_not_written_as_it_should_be_is_noticed(file, monkeypatch):
    """Disks and system calls may lie."""
    monkeypatch.setattr(copies.os, "write", lambda fd, data: len(data))
    assert refusal(file).reason == "not verified"


def test_a_tag_lost_on_the_copy_is_noticed(file, monkeypatch):
    def edits_for(layout, change):
        return layout.tags[0].rebuild([b"GENRE=Rock"], None)

    monkeypatch.setattr(writer, "edits_for", edits_for)
    assert refusal(file).reason == "not verified"


@pytest.mark.parametrize("is_known", [False, True])
def test_sound_that_changed_on_the_copy_is_noticed(music, monkeypatch, is_known):
    path = music("bare.wav")
    rules = {"audio_id": survey(bytes(path)).audio_id} if is_known else {}

    def edits_for(layout, change):
        size = path.stat().st_size
        edits = layout.tags[0].rebuild(layout.tags[0].words.make("genre", ["Rock"], []), None)
        return [edits[0], writer.Edit(size // 2, 2, b"\1\2"), *edits[1:]]

    monkeypatch.setattr(writer, "edits_for", edits_for)
    assert "sound" in str(refusal(path, **rules))


@pytest.mark.parametrize(
    "name", ["v24.mp3", "comment.flac", "vorbis.ogg", "opus.opus", "aac.m4a", "wma.wma", "pcm.wav"]
)
def test_where_the_recording_is_known_the_copy_alone_is_read_again(music, monkeypatch, name):
    path = music(name)
    before, read_again = survey(bytes(path)), []
    monkeypatch.setattr(payload, "survey", lambda path: read_again.append(path) or survey(path))
    rules = Rules(settle_s=0, audio_id=before.audio_id)
    # Longer than any room in the tag, so that offsets and numbers of pages move.
    for genre in ("Rock", "Rock" * 20_000 if name != "wma.wma" else "Rock" * 5000):
        write(bytes(path), Change(genres=(genre,)), rules)
        assert survey(bytes(path)) == before
    assert len(read_again) == 2
    assert bytes(path) not in read_again


def test_damage_is_refused_also_where_the_recording_is_known(music, tmp_path):
    path = music("v24.mp3")
    content = bytearray(path.read_bytes())
    content[-6000:-3000] = bytes(3000)
    path.write_bytes(content)
    assert refusal(path, audio_id=survey(bytes(path)).audio_id).reason == "damaged"


def test_a_second_stream_is_compared_in_full(tmp_path, monkeypatch):
    """Of a video next to the sound the recording says nothing."""
    path = tmp_path / "two.m4a"
    with av.open(str(path), "w", format="mp4") as container:
        sound, video = container.add_stream("aac", 48_000), container.add_stream("mpeg4", 25)
        video.width = video.height = 32
        for i in range(25):
            frame = av.VideoFrame(32, 32, "yuv420p")
            frame.pts = i
            container.mux(video.encode(frame))
            samples = av.AudioFrame.from_ndarray(np.zeros((1, 1920), np.float32), "fltp", "mono")
            samples.sample_rate, samples.pts = 48_000, i * 1920
            container.mux(sound.encode(samples))
        container.mux([*video.encode(None), *sound.encode(None)])
    before, read_again = survey(bytes(path)), []
    assert not before.is_sound_alone
    monkeypatch.setattr(payload, "survey", lambda path: read_again.append(path) or survey(path))
    write(bytes(path), ROCK, Rules(settle_s=0, audio_id=before.audio_id))
    assert len(read_again) == 2
    assert survey(bytes(path)) == before


def test_a_file_system_that_copies_nothing_by_itself(music, monkeypatch):
    def no_such_call(*arguments, **more):
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(copies.os, "copy_file_range", no_such_call)
    for name in ("v23.mp3", "aac.m4a", "vorbis.ogg"):
        path = music(name)
        write(bytes(path), ROCK, Rules(settle_s=0))
        assert read(bytes(path)).genres == ("Rock",)


def test_the_copy_is_on_the_disk_before_it_takes_the_name(file, monkeypatch):
    calls = []

    def noting(name, call):
        def run(*arguments, **more):
            is_folder = name == "fsync" and stat.S_ISDIR(os.fstat(arguments[0]).st_mode)
            calls.append("folder" if is_folder else name)
            return call(*arguments, **more)

        return run

    for name in ("fsync", "replace", "fchmod", "write"):
        monkeypatch.setattr(copies.os, name, noting(name, getattr(os, name)))
    write(bytes(file), ROCK, Rules(settle_s=0))
    assert calls[-3:] == ["fsync", "replace", "folder"]


def test_leftovers_are_swept_and_nothing_else(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    leftover = tmp_path / "a" / "b" / ".musrec-0123456789abcdef.tmp"
    kept = [tmp_path / name for name in (".musrec-0123.tmp", "musrec-0123456789abcdef.tmp", ".x.tmp", "song.mp3")]
    for path in (leftover, *kept):
        path.write_bytes(b"x")
    (tmp_path / ".musrec-00000000000000ff.tmp").mkdir()
    (tmp_path / ".musrec-00000000000000fe.tmp").symlink_to(kept[0])
    os.mkfifo(tmp_path / ".musrec-00000000000000fd.tmp")
    busy = tmp_path / ".musrec-00000000000000fc.tmp"
    with busy.open("wb") as writing:
        fcntl.flock(writing, fcntl.LOCK_EX)
        assert sweep([bytes(tmp_path)]) == 1
        assert busy.exists()
    assert not leftover.exists()
    assert all(path.exists() for path in kept)
    assert sweep([bytes(tmp_path / "song.mp3"), bytes(tmp_path / "gone" / "x")]) == 1
    assert len(os.listdir(tmp_path)) == 8


def test_errors_survive_the_way_between_processes():
    import pickle

    error = pickle.loads(pickle.dumps(TagError("why", "reason", may_pass=True)))
    assert (str(error), error.reason, error.may_pass) == ("why", "reason", True)
    assert isinstance(error, MusrecError)
