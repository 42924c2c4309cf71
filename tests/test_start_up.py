"""Asking imports nothing heavy: `beet ls` must not notice the plugin, `beet similar` must not load torch."""

import os
import subprocess
import sys

import pytest

from tests.beetsplug.conftest import make_beet

_HEAVY = {
    "apscheduler",
    "av",
    "librosa",
    "matplotlib",
    "numba",
    "pebble",
    "scipy",
    "sklearn",
    "sqlite_utils",
    "torch",
    "watchdog",
}
_RUN = """
import atexit, sys
atexit.register(lambda: print("imported:", *sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr))
sys.argv[0] = "beet"
from beets.ui import main
main(sys.argv[1:])
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory, tiny_weights, rendered):
    folder = tmp_path_factory.mktemp("start-up")
    beet = make_beet(folder, tiny_weights)
    beet("import", "-A", rendered)
    assert beet("analyse").returncode == 0
    return folder


def imported_by(folder, *arguments: str) -> set[str]:
    environment = os.environ | {"BEETSDIR": str(folder)}
    command = [sys.executable, "-c", _RUN, *arguments]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
    (line,) = (line for line in result.stderr.splitlines() if line.startswith("imported:"))
    return set(line.split()[1:])


@pytest.mark.parametrize(
    "command", ["ls id:1", "similar --help", "similar id:1", "similar id:1 --json", "tagpredict id:1"]
)
def test_asking_imports_nothing_heavy(folder, command):
    assert imported_by(folder, *command.split()) & _HEAVY == set()


def test_listing_imports_nothing_of_musrec_but_the_plugin(folder):
    imported = imported_by(folder, "ls", "id:1")
    assert "beetsplug" in imported
    assert "musrecd" not in imported


def test_the_check_sees_what_analysing_imports(folder):
    """Guard the guard: the list of modules is really that of the command."""
    assert {"musrecd", "pebble", "sqlite_utils"} <= imported_by(folder, "analyse")
