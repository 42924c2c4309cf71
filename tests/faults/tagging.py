"""Genres written into files, under every fault: not one file may be harmed.

    python -m tests.faults.tagging PATH …

writes a genre into each file at or below the paths, as a command for tools that inject faults; see `tag-faults`.
"""

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import tests.faults
from musrecd.errors import TagError
from musrecd.tagging.files import Change, Rules, read, sweep, write
from tests.faults.place import Place
from tests.faults.scenario import scenario
from tests.faults.sounds import write_sounds

GENRE = "Test Genre"
_SEED = 7
_LEAST_SHARE = 0.95
# Among the generated files these show that a writer knows what it does; the others have a reason to be refused.
_VALID = ("valid", "hostile", "names")
_MODES = "kill,EIO,ENOSPC,EDQUOT,short"


def write_all(paths: list[Path]) -> Counter[str]:
    """Write the genre into all files at or below the paths; how many were written, and refused for which reason."""
    files = [path for top in paths for path in ([top] if not top.is_dir() else sorted(top.rglob("*")))]
    roots = tuple(bytes(top if top.is_dir() else top.parent) for top in paths)
    sweep(roots)
    outcomes: Counter[str] = Counter()
    for path in (path for path in files if path.is_symlink() or not path.is_dir()):
        try:
            write(bytes(path), Change(genres=(GENRE,)), Rules(roots=roots, settle_s=0))
            outcomes["written"] += 1
        except TagError as error:
            outcomes[error.reason] += 1
    return outcomes


@scenario(quick=True)
def tag_kills(place: Place) -> str:
    """kill -9 at random moments while genres are written: each file is the old one or the new one, whole."""
    n_kills, n_files = (200, 500) if place.big else (6, 40)
    files = write_sounds(place.music, n_files)
    before = {path: path.read_bytes() for path in files}
    kept = {path: read(bytes(path)).raw for path in files}
    rng, n_killed, n_swept = random.Random(_SEED), 0, 0
    for _ in range(n_kills):
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.tagging", place.music], stdout=subprocess.DEVNULL
        )
        time.sleep(rng.uniform(0.2, 2.0))
        n_killed += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
        n_swept += sweep([bytes(place.music)])
        _check_old_or_new(before)
    subprocess.run([sys.executable, "-m", "tests.faults.tagging", place.music], check=True, capture_output=True)
    assert all(read(bytes(path)).genres == (GENRE,) for path in files)
    for path in files:
        write(bytes(path), Change(raw=kept[path]), Rules(settle_s=0))
    assert {path: path.read_bytes() for path in files} == before
    assert sorted(path for path in place.music.rglob("*") if path.is_file()) == sorted(files)
    return f"{n_killed} kills while {n_files} files were written, {n_swept} copies swept; undone byte for byte"


@scenario()
def tag_hostile_media(place: Place) -> str:
    """Every odd and hostile file gets a genre or is refused; an independent tool finds none of them damaged."""
    original = place.folder / "original"
    _tool("make_hostile_media.py", original / "made")
    shutil.copytree(_shared() / "hostile", original / "public", copy_function=shutil.copy)
    for path in (original / "public").rglob("*"):
        path.chmod(path.stat().st_mode | 0o200)
    shutil.rmtree(place.music)
    subprocess.run(["cp", "-a", original, place.music], check=True)
    outcomes = write_all([place.music])
    verdict = _tool("check_tag_preservation.py", original, place.music).splitlines()[-1]
    wanted = [path for group in _VALID for path in (place.music / "made" / group).iterdir()]
    n_written = sum(read(bytes(path)).genres == (GENRE,) for path in wanted)
    assert n_written >= _LEAST_SHARE * len(wanted), f"{n_written} of {len(wanted)} valid files"
    return f"{verdict}; {n_written} of {len(wanted)} valid files; {dict(outcomes)}"


@scenario()
def tag_faults(place: Place) -> str:
    """A kill or an error of the disk at every system call of a write, for a file of each format."""
    made = place.folder / "made"
    _tool("make_hostile_media.py", made)
    originals, verdicts = place.folder / "originals", []
    for source in sorted((made / "valid").iterdir()):
        shutil.rmtree(originals, ignore_errors=True)
        originals.mkdir()
        shutil.copy(source, originals)
        verdict = _fault_at_every_call(place, originals, source.name)
        verdicts.append(verdict)
        if not place.big:
            break
    counts = [int(verdict.split()[0]) for verdict in verdicts]
    return f"{sum(counts)} faults in {len(verdicts)} files: 0 damaged"


def _fault_at_every_call(place: Place, originals: Path, name: str) -> str:
    check = f"{sys.executable} {_shared()}/tools/check_tag_preservation.py -j1 --ignore-extra '.musrec-*.tmp'"
    return _tool(
        "faultrun.py",
        *("--dir", place.music, "--modes", _MODES, "--max", "1000"),
        *("--setup", f"rm -rf '{place.music}'; cp -a '{originals}' '{place.music}'"),
        *("--cmd", f"{sys.executable} -m tests.faults.tagging '{place.music / name}'"),
        *("--check", f"{check} '{originals}' '{place.music}'"),
    ).splitlines()[-1]


def _check_old_or_new(before: dict[Path, bytes]) -> None:
    for path, old in before.items():
        new = path.read_bytes()
        if new != old:
            assert read(bytes(path)).genres == (GENRE,), path
            # All but the size in the head, and with the tag behind the sound.
            assert hashlib.blake2b(new[8 : len(old)]).digest() == hashlib.blake2b(old[8:]).digest(), path


def _shared() -> Path:
    return Path(os.environ.get("MUSREC_SHARED") or Path(tests.faults.__file__).parents[3] / "shared")


def _tool(name: str, *arguments: object) -> str:
    """Run a tool of the shared folder; returns what it printed. Fails if it does."""
    command = [sys.executable, _shared() / "tools" / name, *arguments]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{name}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


if __name__ == "__main__":
    print(dict(write_all([Path(argument) for argument in sys.argv[1:]])))
