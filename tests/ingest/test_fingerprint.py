"""What changes a fingerprint, what does not, and when there is none."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from musrecd.ingest import fingerprint as module
from musrecd.ingest.discover import find_files
from musrecd.ingest.fingerprint import fingerprint


def is_gnu(program: str | None) -> bool:
    if program is None:
        return False
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    return "GNU findutils" in said


needs_find = pytest.mark.skipif(not is_gnu(shutil.which("find")), reason="there is no GNU find")
# What root may read does not show what others may not.
needs_others = pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")


@pytest.fixture
def tree(tmp_path):
    folder = tmp_path / "tree"
    for name in ("a.mp3", "b/c.flac", "b/odd\nname \udcff.ogg", "b/.hidden/d.mp3", "empty/x", "plain", "-name.mp3"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"sound")
    (folder / "empty/x").unlink()
    return folder


def keep_times(path: Path, change: Callable[[Path], object]) -> None:
    before = path.stat()
    change(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replace(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    other.replace(path)


CHANGES: dict[str, Callable[[Path], object]] = {
    "another time": lambda tree: os.utime(tree / "a.mp3", ns=(1, 1)),
    "a nanosecond": lambda tree: os.utime(
        tree / "a.mp3", ns=((found := (tree / "a.mp3").stat()).st_atime_ns, found.st_mtime_ns + 1)
    ),
    "another size": lambda tree: keep_times(tree / "a.mp3", lambda path: path.write_bytes(b"more sound")),
    "another file of the same size and time": lambda tree: keep_times(tree / "a.mp3", replace),
    "new": lambda tree: (tree / "b/new.mp3").touch(),
    "gone": lambda tree: (tree / "a.mp3").unlink(),
    "renamed": lambda tree: (tree / "a.mp3").rename(tree / "z.mp3"),
    "moved": lambda tree: (tree / "a.mp3").rename(tree / "b/a.mp3"),
    "a folder renamed": lambda tree: (tree / "b").rename(tree / "c"),
    "a new folder": lambda tree: (tree / "b/new").mkdir(),
    "a folder gone": lambda tree: (tree / "empty").rmdir(),
    "readable by fewer": lambda tree: (tree / "plain").chmod(0o600),
    "a folder closed": lambda tree: (tree / "b").chmod(0),
    "a pipe": lambda tree: os.mkfifo(tree / "pipe.mp3"),
    "hidden, but maybe known": lambda tree: (tree / "b/.hidden/d.mp3").unlink(),
    "a link": lambda tree: (tree / "link.mp3").symlink_to("a.mp3"),
    "all gone": lambda tree: (shutil.rmtree(tree), tree.mkdir()),
    "the folder gone": lambda tree: shutil.rmtree(tree),
}


@needs_find
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_every_change_shows(tree, change):
    before = fingerprint(bytes(tree))
    assert before is not None
    assert fingerprint(bytes(tree)) == before
    change(tree)
    assert fingerprint(bytes(tree)) != before


@needs_find
def test_reading_shows_nothing(tree):
    before = fingerprint(bytes(tree))
    (tree / "a.mp3").read_bytes()
    os.listdir(tree / "b")
    assert fingerprint(bytes(tree)) == before is not None


@needs_find
def test_the_folder_may_be_a_link_or_end_in_a_slash_or_be_hidden(tree, tmp_path):
    link, hidden = tmp_path / "link", tmp_path / ".music"
    link.symlink_to(tree)
    expected = fingerprint(bytes(tree))
    assert fingerprint(bytes(link)) == fingerprint(bytes(tree) + b"/") == expected is not None
    tree.rename(hidden)
    assert fingerprint(bytes(hidden)) == expected
    assert fingerprint(bytes(link)) is None, "it leads nowhere"


@needs_find
@pytest.mark.parametrize("name", ["link.mp3", "b/.hidden/link", "empty/broken"])
def test_none_where_a_link_lies(tree, name):
    (tree / name).symlink_to("anything" if name == "empty/broken" else tree / "a.mp3")
    assert fingerprint(bytes(tree)) is None


@needs_find
def test_none_of_what_is_no_folder(tree, tmp_path):
    assert fingerprint(bytes(tree / "a.mp3")) is None
    assert fingerprint(bytes(tmp_path / "nowhere")) is None


@needs_find
@needs_others
def test_none_if_something_cannot_be_read_but_what_nobody_may_look_into(tree):
    (tree / "lost+found").mkdir(mode=0)
    assert fingerprint(bytes(tree)) is not None
    (tree / "empty").chmod(0)
    assert fingerprint(bytes(tree)) is None
    (tree / "empty").chmod(0o700)


def pretend(folder: Path, script: str) -> None:
    find = folder / "find"
    find.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    find.chmod(0o755)


@pytest.mark.parametrize(
    ("script", "vouches"),
    [
        ("echo same", True),
        ("echo same; exit 1", False),
        ("echo same; echo 'unknown predicate -fprint' >&2", False),
        ("echo same; kill -9 $$", False),
    ],
)
def test_only_a_find_that_has_nothing_to_complain_of_vouches(tmp_path, monkeypatch, script, vouches):
    pretend(tmp_path, script)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert (fingerprint(bytes(tmp_path)) is not None) is vouches


def test_none_without_find(tree, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert fingerprint(bytes(tree)) is None
    find = tmp_path / "find"
    find.write_bytes(b"\x7fELF of no machine")
    find.chmod(0o755)
    assert fingerprint(bytes(tree)) is None


@needs_find
def test_other_rules_are_another_fingerprint(tree, monkeypatch):
    before = fingerprint(bytes(tree))
    monkeypatch.setattr(module, "RULES", module.RULES + b".new")
    assert fingerprint(bytes(tree)) != before is not None


def test_each_answer_is_a_step_and_who_fails_in_one_leaves_no_process(tmp_path, monkeypatch):
    pretend(tmp_path, "for i in 1 2 3; do echo $i; sleep 0.1; done")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    steps: list[int] = []
    assert fingerprint(bytes(tmp_path), lambda: steps.append(1)) is not None
    assert len(steps) >= 2
    pretend(tmp_path, "echo 1; exec sleep 300")

    def fail() -> None:
        raise RuntimeError("in a step")

    began = time.monotonic()
    with pytest.raises(RuntimeError, match="in a step"):
        fingerprint(bytes(tmp_path), fail)
    assert time.monotonic() - began < 60
    assert [child for child in psutil.Process().children() if "sleep" in child.name()] == []


def test_find_ends_soon_after_we_were_killed(tmp_path, monkeypatch):
    """It cannot be told, but nobody reads what it says."""
    marker = tmp_path / "pid"
    pretend(tmp_path, f"echo $$ > {marker}.new; mv {marker}.new {marker}; while echo still here; do sleep 0.05; done")
    code = f"from musrecd.ingest.fingerprint import fingerprint; fingerprint({bytes(tmp_path)!r})"
    environment = os.environ | {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "PYTHONPATH": str(Path(module.__file__).parents[2]),
    }
    process = subprocess.Popen([sys.executable, "-c", code], env=environment)
    deadline = time.monotonic() + 60
    while not marker.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.kill()
    process.wait()
    find = int(marker.read_text(encoding="utf-8"))
    while psutil.pid_exists(find) and psutil.Process(find).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.02)


FOLDERS = ("", "c", "d", "c/d", ".f")
NAMES = ("a.mp3", "b.flac", "c", "d", "e.txt", ".f", "g~")
# Of several sizes: rewritten at the same size, with its time put back, what has no suffix shows no change.
CONTENTS = (b"", b"ID3 sound", b"fLaC longer sound", b"no music at all")
ACTIONS = ("write", "write", "write", "remove", "rename", "folder", "link")


@needs_find
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_the_same_fingerprint_is_the_same_walk(tmp_path_factory, data):
    """Whatever is done to a tree: if the walk finds something else, the fingerprint is another."""
    tree = tmp_path_factory.mktemp("tree")
    seen: dict[str, list[object]] = {}
    for _ in range(data.draw(st.integers(2, 6))):
        change_something(tree, data)
        mark = fingerprint(bytes(tree))
        found = sorted(find_files([bytes(tree)], lambda *a: None))
        if mark is not None:
            assert seen.setdefault(mark, found) == found


def change_something(tree: Path, data: st.DataObject) -> None:
    """Write, remove, rename, link or make something, with times that recur; nothing where that cannot be done."""

    def one_of(choices):
        return data.draw(st.sampled_from(choices))

    path = tree / one_of(FOLDERS) / one_of(NAMES)
    with suppress(OSError):
        match one_of(ACTIONS):
            case "write":
                path.write_bytes(one_of(CONTENTS))
                os.utime(path, ns=(1, one_of((1, 2))))
            case "remove":
                path.unlink() if path.is_symlink() or path.is_file() else shutil.rmtree(path)
            case "rename":
                path.rename(tree / one_of(FOLDERS) / one_of(NAMES))
            case "link":
                path.symlink_to(one_of(NAMES))
            case "folder":
                path.mkdir()
