"""The daemon as a process: signals, one for each library, what survives a kill."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from musrecd.daemon import client
from musrecd.daemon.address import socket_path
from musrecd.errors import LibraryError
from musrecd.library.reader import LibraryReader
from musrecd.library.store import Library

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def file(tmp_path, music, tiny_weights, runtime) -> Path:
    """A configuration file."""
    file = tmp_path / "config.yaml"
    file.write_text(
        f"musrec: {{library: {tmp_path / 'library.db'}, encoder: {tiny_weights}, folders: [{music}], threads: 1,"
        " daemon: {settle: 0.3}}\n",
        encoding="utf-8",
    )
    return file


@pytest.fixture
def library(tmp_path) -> Path:
    return tmp_path / "library.db"


@pytest.fixture
def musrecd(file) -> Iterator[Start]:
    """Start `musrecd` commands that are killed in the end."""
    processes: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "musrecd.cli", "--config", str(file), *arguments]
        processes.append(subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture
def running(musrecd, library, until) -> "subprocess.Popen[str]":
    """A daemon that answers."""
    process = musrecd("run")
    until(lambda: client.ask(library, {"do": "status"}) or process.poll() is not None)
    assert process.poll() is None, process.communicate()[1]
    return process


def findable(library: Path) -> int:
    with LibraryReader.open(library) as reader:
        return len(reader.analysed_paths("tiny-1"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_a_signal_ends_it_cleanly(running, library, number):
    began = time.monotonic()
    running.send_signal(number)
    _, log = running.communicate(timeout=15)
    assert time.monotonic() - began < 5
    assert running.returncode == 0, log
    assert "Traceback" not in log
    assert not socket_path(library).exists()


def test_a_second_one_refuses(running, musrecd):
    second = musrecd("run")
    _, errors = second.communicate(timeout=30)
    assert second.returncode == 1
    assert errors.startswith("musrecd: another musrecd serves this library")
    assert running.poll() is None


def test_it_reads_its_configuration_again(running, library, file, tmp_path, rendered_files, until):
    more = tmp_path / "more"
    more.mkdir()
    shutil.copy(rendered_files[0], more)
    file.write_text(file.read_text(encoding="utf-8").replace("folders: [", f"folders: [{more}, "), encoding="utf-8")
    running.send_signal(signal.SIGHUP)
    until(lambda: findable(library) == 1)
    assert running.poll() is None


def test_a_bad_configuration_is_said_and_the_old_one_stays(running, library, file, music, rendered_files, until):
    file.write_text("musrec: {treads: 2}\n", encoding="utf-8")
    running.send_signal(signal.SIGHUP)
    time.sleep(1)
    shutil.copy(rendered_files[0], music)
    until(lambda: findable(library) == 1)
    running.terminate()
    _, log = running.communicate(timeout=15)
    assert "treads" in log


def test_a_configuration_that_cannot_be_served_gives_way_to_the_old_one(
    running, library, file, music, rendered_files, until
):
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("encoder: ", "encoder: /nowhere"), encoding="utf-8")
    running.send_signal(signal.SIGHUP)
    time.sleep(1)
    shutil.copy(rendered_files[0], music)
    until(lambda: findable(library) == 1)
    running.terminate()
    _, log = running.communicate(timeout=15)
    assert running.returncode == 0, log
    assert "nowhere" in log
    assert "from before is taken again" in log


def test_signals_that_come_while_it_begins_anew_are_not_lost(running):
    """Between two services there is nobody to tell."""
    for _ in range(20):
        running.send_signal(signal.SIGHUP)
        time.sleep(0.05)
    running.send_signal(signal.SIGTERM)
    _, log = running.communicate(timeout=30)
    assert running.returncode == 0, log
    assert "Traceback" not in log


def test_it_waits_for_a_library_that_is_locked(musrecd, library, until):
    Library.open(library).close()
    with closing(sqlite3.connect(library, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        process = musrecd("run")
        assert "waits for the library" in process.stderr.readline()
        other.execute("ROLLBACK")
        until(lambda: client.ask(library, {"do": "status"}))
    process.terminate()
    _, log = process.communicate(timeout=15)
    assert process.returncode == 0, log


def test_it_is_asked_again_where_its_socket_was_taken_away(running, library, until):
    shutil.rmtree(socket_path(library).parent)
    until(lambda: client.ask(library, {"do": "status"}))


def test_at_rest_it_holds_nothing_that_only_hearing_needs():
    code = "import sys, musrecd.cli, musrecd.daemon.run; print(*{name.partition('.')[0] for name in sys.modules})"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert {"watchdog", "apscheduler", "musrecd"} <= set(result.stdout.split())
    assert set(result.stdout.split()) & {"torch", "av", "scipy", "librosa", "soxr", "mutagen"} == set()


def test_after_a_kill_it_goes_on_where_it_was(running, musrecd, library, music, rendered_files, until):
    for path in rendered_files:
        shutil.copy(path, music)
    until(lambda: findable(library) >= 2)
    running.kill()
    running.wait()
    assert socket_path(library).exists(), "nobody took it away"
    musrecd("run")
    until(lambda: findable(library) == len(rendered_files))
    with closing(sqlite3.connect(library)) as connection:
        # A name that was told again while it was heard waits once more, for a look that finds nothing to do.
        until(lambda: connection.execute("SELECT count(*) FROM jobs").fetchone() == (0,))
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT count(*) FROM analyses").fetchone() == (len(rendered_files),)


def test_start_and_stop(musrecd, library, monkeypatch, tmp_path, until):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    began = musrecd("start")
    out, errors = began.communicate(timeout=60)
    assert began.returncode == 0, errors
    assert "musrecd runs" in out
    try:
        again = musrecd("start")
        assert "running already" in again.communicate(timeout=30)[1]
    finally:
        ended = musrecd("stop")
        assert ended.communicate(timeout=30) == ("musrecd has ended\n", "")
    assert client.ask(library, {"do": "status"}) is None
    (log,) = (tmp_path / "state").rglob("musrecd.log")
    assert log.read_text(encoding="utf-8").startswith("ts="), "no journal adds the time"
    assert "not running" in musrecd("stop").communicate(timeout=30)[1]


def test_no_folders_is_said(musrecd, file):
    text = file.read_text(encoding="utf-8")
    file.write_text(text[: text.index("folders")] + "threads: 1}\n", encoding="utf-8")
    process = musrecd("run")
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 2
    assert "folders" in errors
    assert os.linesep.join(errors.splitlines()[1:]) == ""


def findable_if_whole(library: Path) -> int:
    try:
        return findable(library)
    except LibraryError:
        return -1


@pytest.mark.parametrize("when", ["before it starts", "while it runs"])
def test_a_damaged_library_is_set_aside_and_everything_is_found_again(
    musrecd, library, music, rendered_files, until, when
):
    for file in rendered_files[:3]:
        shutil.copy(file, music)
    process = musrecd("run")
    until(lambda: library.exists() and findable_if_whole(library) == 3)
    if when == "before it starts":
        process.terminate()
        process.communicate(timeout=15)
    os.truncate(library, 5000)
    shutil.copy(rendered_files[3], music)
    if when == "before it starts":
        process = musrecd("run")
    until(lambda: findable_if_whole(library) == 4)
    assert process.poll() is None
    process.terminate()
    _, log = process.communicate(timeout=15)
    assert "Traceback" not in log
    assert log.count('msg="the library is damaged"') == 1
    assert log.count('msg="the damaged library is set aside"') == 1
    (aside,) = (each for each in library.parent.glob("library.db.damaged-*") if not each.name.endswith("-journal"))
    assert aside.stat().st_size == 5000


def test_a_file_that_is_no_library_is_left_alone(musrecd, library):
    library.write_text("these are my notes " * 100)
    process = musrecd("run")
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "is not a database" in errors.splitlines()[-1]
    assert library.read_text().startswith("these are my notes")
    assert not list(library.parent.glob("library.db.*damaged*"))
