"""From files to rows: once each, whatever happens in between."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import mutagen
import pytest

from musrecd.ingest.discover import find_files
from musrecd.ingest.ingest import Listener, ingest, task_for
from musrecd.ingest.work import Task
from musrecd.library.reader import LibraryReader


@pytest.fixture
def music(tmp_path, rendered_files) -> Path:
    folder = tmp_path / "music"
    folder.mkdir()
    for path in rendered_files[:5]:
        shutil.copy(path, folder)
    return folder


def tasks_below(folder: Path) -> list[Task]:
    return [Task(file) for file in find_files([os.fsencode(folder)], lambda *a: None)]


def test_what_is_new_is_analysed_once_and_then_known(config, music):
    first = ingest(config, tasks_below(music))
    second = ingest(config, tasks_below(music))
    assert (first.analysed, first.known, first.failed) == (5, 0, 0)
    assert (second.analysed, second.known, second.failed) == (0, 5, 0)


def test_moved_copied_and_retagged_files_are_recognised_by_their_sound(config, music):
    ingest(config, tasks_below(music))
    files = sorted(music.iterdir())
    files[0].rename(music / f"moved{files[0].suffix}")
    shutil.copy(files[1], music / f"copied{files[1].suffix}")
    tagged = next(path for path in files[2:] if path.suffix in {".mp3", ".flac", ".ogg", ".opus", ".m4a"})
    tags = mutagen.File(tagged, easy=True)
    tags["title"] = ["Another title"]
    tags.save()
    report = ingest(config, tasks_below(music))
    assert (report.analysed, report.recognised, report.known) == (0, 3, 3)
    with LibraryReader.open(config.library) as reader:
        assert [track.tags.title for track in reader.find("another title")] == ["Another title"]


def test_force_analyses_again_without_a_second_row(config, music):
    ingest(config, tasks_below(music))
    report = ingest(config, tasks_below(music), force=True)
    assert (report.analysed, report.recognised) == (5, 0)
    with LibraryReader.open(config.library) as reader:
        assert reader.vectors("tiny-1").shape == (5, 32)


def test_what_was_heard_by_worse_ears_is_heard_again_once(config, music):
    ingest(config, tasks_below(music))
    with sqlite3.connect(config.library) as connection:
        connection.execute("UPDATE analyses SET hearing = 0, bpm = 1 WHERE recording_id <= 2")
    connection.close()
    report = ingest(config, tasks_below(music))
    assert (report.analysed, report.recognised, report.known) == (2, 0, 3)
    assert ingest(config, tasks_below(music)).known == 5
    with LibraryReader.open(config.library) as reader:
        assert reader.vectors("tiny-1").shape == (5, 32)
        assert not (reader.features("tiny-1").bpm == 1).any()


def test_failures_are_counted_named_and_not_tried_again_unless_asked(config, music):
    (music / "broken.mp3").write_bytes(b"no music at all" * 100)
    heard = []
    first = ingest(config, tasks_below(music), listener=Listener(on_outcome=heard.append))
    second = ingest(config, tasks_below(music))
    third = ingest(config, tasks_below(music), retry_failed=True)
    assert (first.analysed, first.failed) == (5, 1)
    assert [path for path, _ in first.failures] == [os.fsencode(music / "broken.mp3")]
    assert (second.failed, second.skipped, second.known) == (0, 1, 5)
    assert (third.failed, third.skipped) == (1, 0)
    assert len(heard) == 6


def test_a_changed_file_is_tried_again(config, music, rendered_files):
    broken = music / "broken.wav"
    broken.write_bytes(b"no music at all")
    assert ingest(config, tasks_below(music)).failed == 1
    shutil.copy(rendered_files[6], broken)
    assert ingest(config, tasks_below(music)).analysed == 1
    with LibraryReader.open(config.library) as reader:
        assert reader.failures() == []


def test_a_file_that_vanished_is_a_failure_and_not_the_end(config, music):
    tasks = tasks_below(music)
    sorted(music.iterdir())[0].unlink()
    report = ingest(config, [*tasks, task_for(b"/nowhere/at/all.mp3")])
    assert (report.analysed, report.failed) == (4, 2)


def test_another_coverage_analyses_anew_and_says_so(config, music):
    """A library of minutes and whole tracks side by side must not come about unseen."""
    ingest(config, tasks_below(music))
    report = ingest(config._replace(coverage="full"), tasks_below(music))
    assert (report.analysed, report.known) == (5, 0)
    with LibraryReader.open(config.library) as reader:
        assert reader.encoder().version.endswith("+full")
    assert ingest(config._replace(coverage="full"), tasks_below(music)).known == 5


def test_another_encoder_analyses_anew_and_the_old_one_answers_until_it_is_through(config, music, make_weights):
    ingest(config, tasks_below(music))
    weights = make_weights(music.parent / "other.safetensors", version="tiny-2", seed=1)
    newer = config._replace(encoder=weights)
    assert ingest(newer, tasks_below(music)[:2]).analysed == 2
    with LibraryReader.open(config.library) as reader:
        assert reader.encoder().version == "tiny-1"
    assert ingest(newer, tasks_below(music)).analysed == 3
    with LibraryReader.open(config.library) as reader:
        assert reader.encoder().version == "tiny-2"


_SCAN = "import sys; from musrecd.cli import main; main(sys.argv[1:])"


def _start_scan(config, music, *options) -> subprocess.Popen:
    settings = music.parent / "settings.yaml"
    settings.write_text(f"musrec: {{library: {config.library}, encoder: {config.encoder}, threads: 1}}\n")
    command = [sys.executable, "-c", _SCAN, "--config", settings, "scan", music, *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _n_analysed(library: Path) -> int:
    try:
        with sqlite3.connect(f"file:{library}?mode=ro", uri=True, timeout=5) as connection:
            return connection.execute("SELECT count(*) FROM analyses").fetchone()[0]
    except sqlite3.Error:
        return 0


@pytest.mark.parametrize(("how", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGKILL, -9)])
def test_a_stopped_scan_is_taken_up_where_it_was(config, music, rendered_files, how, status):
    for path in rendered_files[5:]:
        shutil.copy(path, music)
    scan = _start_scan(config, music)
    deadline = time.monotonic() + 60
    while _n_analysed(config.library) < 2 and time.monotonic() < deadline and scan.poll() is None:
        time.sleep(0.005)
    scan.send_signal(how)
    _, said = scan.communicate(timeout=30)
    done = _n_analysed(config.library)
    if scan.returncode == 0:
        pytest.skip("the scan was through before it could be stopped")
    assert scan.returncode == status
    assert "Traceback" not in said
    report = ingest(config, tasks_below(music))
    assert report.known == done >= 2
    assert report.analysed == len(rendered_files) - done
    with LibraryReader.open(config.library) as reader:
        assert reader.vectors("tiny-1").shape[0] == len(rendered_files)
