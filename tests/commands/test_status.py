"""`musrecd status`: a page for people, JSON for programs."""

import json
import shutil

import numpy as np

from musrecd.daemon import client
from musrecd.library.store import Library
from musrecd.types import Analysis, EncoderInfo, FileState, Priority, Tags


def test_counts_files_failures_and_encoders(musrecd, rendered, rendered_files, tmp_path):
    (tmp_path / "bad.mp3").write_bytes(b"no music")
    musrecd("scan", rendered, tmp_path)
    state = json.loads(musrecd("status", "--json").output)
    assert state["files"] == state["recordings"] == len(rendered_files)
    assert state["analysed"] == {"tiny-1": len(rendered_files)}
    assert state["answering_encoder"] == state["encoder"] == "tiny-1"
    assert state["failures_by_reason"] == {"not audio": 1}
    assert state["failures"][0]["path"] == str(tmp_path / "bad.mp3")
    page = musrecd("status").output
    assert "12 by tiny-1 (in use)" in page
    assert "1 not audio" in page
    assert str(tmp_path / "bad.mp3") in page


def test_what_is_written_and_what_was_learnt_is_said(musrecd, rendered, tmp_path):
    def page() -> str:
        return " ".join(musrecd("status").output.split())

    musrecd("scan", rendered)
    assert "nothing is written by itself; 0 written so far" in page()
    with Library.open(tmp_path / "library.db") as library:
        library.tag_queue.put([b"/music/1.mp3"], 0.0)
        library.keep_head("tiny-1", b"learnt")
    assert "1 file to come; your own words" in page()
    assert json.loads(musrecd("status", "--json").output)["genres"] == {
        "write": "no", "written": 0, "waiting": 1, "learnt_with": ["tiny-1"],
    }  # fmt: skip
    with Library.open(tmp_path / "library.db") as library:
        library.register_encoder(EncoderInfo("enc-2", 4, ()))
        library.forget_head()
        library.keep_head("enc-2", b"learnt")
    assert "learnt with another encoder" in page()


def test_without_a_library_it_says_how_to_make_one(musrecd):
    result = musrecd("status")
    assert result.exit_code == 1
    assert "musrecd scan FOLDER" in result.stderr


def test_a_daemon_says_what_it_watches_and_what_waits(musrecd, rendered, tmp_path, monkeypatch):
    musrecd("scan", rendered)
    with Library.open(tmp_path / "library.db") as library:
        library.enqueue([b"/music/1.mp3", b"/music/2.mp3"], Priority.NEW)
        library.enqueue([b"/music/3.mp3"], Priority.AGAIN)
    folder = {
        "path": "/music",
        "watched": "polling",
        "why": "it lies on nfs4",
        "looked_through_at": "2026-01-02T03:04:05",
        "files": 7,
    }
    daemon = {
        "started_at": "2026-01-02T03:04:05",
        "looking": ["/music"],
        "under_way": ["/music/1.mp3"],
        "per_second": 0.5,
        "folders": [folder | {"emptied": True}],
        "watches": 3,
        "watch_limit": 100,
    }
    monkeypatch.setattr(client, "ask", lambda *_args, **_options: daemon)
    state = json.loads(musrecd("status", "--json").output)
    assert state["waiting"] == {"new": 2, "again": 1}
    assert state["daemon"] == daemon
    page = " ".join(musrecd("status").output.split())
    assert "2 new, 1 to be heard again, about 0:06 left" in page
    assert "hears /music/1.mp3 and looks through /music" in page
    assert "/music now and then (it lies on nfs4), 7 files at 2026-01-02 03:04; holds nothing any more" in page
    assert "3 of 100" in page
    assert "sysctl" not in page


def test_limits_that_are_near_are_said(musrecd, rendered, monkeypatch):
    musrecd("scan", rendered)
    assert "nearly full" not in musrecd("status").output
    daemon = {
        "started_at": "2026-01-02T03:04:05",
        "looking": [],
        "under_way": [],
        "per_second": 0.0,
        "folders": [],
        "watches": 90,
        "watch_limit": 100,
    }
    monkeypatch.setattr(client, "ask", lambda *_args, **_options: daemon)
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=12_000_000))
    page = " ".join(musrecd("status").output.split())
    assert "nearly full: 12 MB free" in page
    assert "90 of 100; raise the limit: `sysctl fs.inotify.max_user_watches=524288`" in page


def test_while_another_encoder_takes_over_its_share_is_shown(musrecd, rendered, rendered_files, tmp_path):
    musrecd("scan", rendered)
    with Library.open(tmp_path / "library.db") as library:
        library.register_encoder(EncoderInfo("newer-1", 4, ()))
        unit = np.array([1, 0, 0, 0], np.float32)
        analysis = Analysis("0" * 40, "newer-1", unit, np.zeros(0, np.float32), 1.0)
        library.add(FileState(b"/music/1.mp3", 1, 1), analysis, Tags())
    page = musrecd("status").output
    assert "12 by tiny-1, 92% of all (in use)" in page
    assert "1 by newer-1, 8% of all" in page
