"""That a scan without anything new does not walk twice, and that whatever could be new lets it."""

import os
import shutil

import numpy as np
import pytest
from click.testing import CliRunner

from musrecd.analysis.card import read_card
from musrecd.analysis.hearing import HEARING
from musrecd.cli import main
from musrecd.commands import scan, unchanged
from musrecd.config import read_config
from musrecd.daemon.looking import Look, look_through
from musrecd.ingest.fingerprint import fingerprint
from musrecd.library.store import Library
from musrecd.types import Analysis, FileState, Tags

INFO = read_card().info
SILENT_LINE = "Analysed 0 tracks in 0:00; 3 known before; 0 failed.\n"


class Place:
    """A folder of three known files, and how often it was walked through."""

    def __init__(self, folder, monkeypatch):
        self.music, self.library = folder / "music", folder / "library.db"
        self.n_walks = 0
        self._find_files = scan.find_files
        monkeypatch.setattr(scan, "find_files", self._walk)
        for number in range(3):
            self.add(number)

    def _walk(self, *arguments):
        self.n_walks += 1
        return self._find_files(*arguments)

    def add(self, number):
        path = self.music / f"album {number}" / f"{number}.mp3"
        path.parent.mkdir(parents=True)
        path.write_bytes(b"\xff\xfb")
        with Library.open(self.library) as library:
            library.register_encoder(INFO, HEARING)
            library.add(self.state(path), self.analysis(number), Tags("artist", str(number)))
        return path

    @staticmethod
    def state(path):
        return FileState(os.fsencode(path), path.stat().st_size, path.stat().st_mtime_ns)

    @staticmethod
    def analysis(number):
        embedding = np.eye(1, INFO.dim, number, np.float32)[0]
        return Analysis(
            f"{number:040x}", INFO.version, embedding, np.zeros(len(INFO.labels), np.float32), 1.0, hearing=HEARING
        )

    def scan(self, *folders):
        arguments = ["--library", self.library, "scan", *(folders or [self.music])]
        return CliRunner().invoke(main, list(map(str, arguments)), catch_exceptions=False)

    def has_walked(self, *folders):
        before = self.n_walks
        self.scan(*folders)
        return self.n_walks > before


@pytest.fixture
def place(tmp_path, monkeypatch):
    (tmp_path / "music").mkdir()
    if fingerprint(os.fsencode(tmp_path / "music")) is None:
        pytest.skip("without GNU find every scan walks")
    return Place(tmp_path, monkeypatch)


def test_the_second_scan_that_finds_nothing_to_do_does_not_walk_and_says_the_same(place):
    lines = [place.scan().output for _ in range(3)]
    assert lines == [SILENT_LINE] * 3
    assert place.n_walks == 1


def _new_file(place):
    shutil.copy(place.music / "album 1" / "1.mp3", place.music / "new.mp3")


def _changed_file(place):
    (place.music / "album 2" / "2.mp3").write_bytes(b"\xff\xfb longer")


def _lost_file(place):
    (place.music / "album 2" / "2.mp3").unlink()


def _damaged_analysis(place):
    with Library.open(place.library) as library, library.at_once():
        library._db.execute("UPDATE analyses SET damaged = 1 WHERE recording_id = 1")


def _lost_library(place):
    place.library.unlink()


@pytest.mark.parametrize("happen", [_new_file, _changed_file, _lost_file, _damaged_analysis, _lost_library])
def test_a_scan_walks_when_there_could_be_something_to_do(place, monkeypatch, happen):
    # What is found is not music, and need not be heard for this.
    monkeypatch.setattr(scan, "ingest", lambda config, tasks, **_: scan.Report(known=len(tasks)))
    place.scan()
    assert not place.has_walked()
    happen(place)
    assert place.has_walked()


def test_a_hearing_that_is_better_lets_it_walk(place, monkeypatch):
    place.scan()
    monkeypatch.setattr(unchanged, "full_version", lambda version: f"{version}, hearing {HEARING + 1}")
    assert place.has_walked()


@pytest.mark.parametrize("option", ["--force", "--retry"])
def test_who_asks_for_more_than_what_is_new_gets_a_walk(place, monkeypatch, option):
    monkeypatch.setattr(scan, "ingest", lambda config, tasks, **_: scan.Report(known=len(tasks)))
    place.scan()
    assert place.has_walked(option, place.music)


def test_what_failed_before_is_told_again(place):
    _new_file(place)
    with Library.open(place.library) as library:
        library.add_failure(place.state(place.music / "new.mp3"), INFO.version, "not audio", "no music")
    lines = [place.scan().output for _ in range(2)]
    assert lines == [SILENT_LINE.replace("; 0 failed", "; 1 left out (failed before); 0 failed")] * 2
    assert place.n_walks == 2


def test_a_folder_that_looks_unmounted_is_told_again(place):
    place.scan()
    shutil.rmtree(place.music)
    place.music.mkdir()
    assert all("holds no music any more" in place.scan().output for _ in range(2))


def test_several_folders_count_together_and_folders_within_each_other_once(place):
    apart = [place.music / "album 0", place.music / "album 1"]
    within = [place.music, place.music / "album 0"]
    for folders, n_known in ((apart, 2), (within, 3)):
        lines = [place.scan(*folders).output for _ in range(3)]
        assert lines == [SILENT_LINE.replace("3 known", f"{n_known} known")] * 3
    assert place.n_walks == 1 + 3


def test_an_unchanged_folder_imports_nothing_that_hears_or_writes(place):
    import subprocess
    import sys

    place.scan()
    code = (
        "import sys; from musrecd.cli import main\n"
        f"try: main(['--library', {str(place.library)!r}, 'scan', {str(place.music)!r}])\n"
        "except SystemExit as end: assert not end.code\n"
        "print(sorted({'torch', 'av', 'scipy', 'sqlite_utils', 'pebble', 'rich'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert (ran.stdout, ran.stderr) == ("[]\n", SILENT_LINE)


def test_that_nothing_was_to_do_need_not_be_noted(place, monkeypatch):
    from musrecd.errors import LibraryUnavailableError

    def fail(*_):
        raise LibraryUnavailableError("the disk is full")

    monkeypatch.setattr(Library, "note_look", fail)
    assert [place.scan().output for _ in range(2)] == [SILENT_LINE] * 2
    assert place.n_walks == 2


def test_a_configuration_may_name_the_folders(place, tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text(f"musrec: {{library: {place.library}, folders: [{place.music}]}}\n")
    assert read_config(config).folders
    for _ in range(2):
        assert CliRunner().invoke(main, ["--config", str(config), "scan"]).output == SILENT_LINE
    assert place.n_walks == 1


def test_scans_and_the_looks_of_the_daemon_believe_only_their_own_notes_and_leave_the_others_be(place):
    look = Look(place.library, INFO.version, (os.fsencode(place.music),))
    for _ in range(2):
        assert look_through(look).n_files == 3
        assert place.scan().output == SILENT_LINE
    assert place.n_walks == 1
