"""Everything that people and programs do to a folder of music, all at once, for half an hour."""

import os
import random
import shutil
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mutagen.id3 import TIT2
from mutagen.wave import WAVE

from tests.faults.place import Daemon, Place, until
from tests.faults.scenario import scenario
from tests.faults.sounds import write_sound

_SEED = 11
_MOST_FILES = 400
_SAMPLE_S = 2.0


class Person:
    """Does random things to the files of a folder; `outside` is another one on the same disk."""

    def __init__(self, music: Path, outside: Path, seed: int) -> None:
        self._music, self._outside = music, outside
        self._rng = random.Random(seed)
        self._number = 0
        outside.mkdir()
        self._deeds: list[tuple[Callable[[], None], int]] = [
            (self._create, 10),
            (self._create_slowly, 2),
            (self._copy, 3),
            (self._move, 5),
            (self._replace, 1),
            (self._swap, 1),
            (self._move_folder, 1),
            (self._move_out, 2),
            (self._move_in, 2),
            (self._retag, 5),
            (self._touch, 2),
            (self._delete, 4),
            (self._delete_folder, 1),
        ]

    def act(self) -> None:
        """Do something."""
        if len(self._files()) > _MOST_FILES:
            self._delete_folder()
            return
        deeds, weights = zip(*self._deeds, strict=True)
        self._rng.choices(deeds, weights)[0]()

    def _files(self) -> list[Path]:
        return sorted(self._music.rglob("*.wav"))

    def _some(self) -> Path | None:
        files = self._files()
        return self._rng.choice(files) if files else None

    def _new_path(self) -> Path:
        self._number += 1
        path = self._music / f"album {self._rng.randrange(30):02d}" / f"{self._number:06d}.wav"
        path.parent.mkdir(exist_ok=True)
        return path

    def _create(self) -> None:
        path = self._new_path()
        write_sound(path, self._number)

    def _create_slowly(self) -> None:
        path = self._new_path()
        write_sound(path, self._number)
        data = path.read_bytes()
        with path.open("wb") as file:
            for start in range(0, len(data), 4000):
                file.write(data[start : start + 4000])
                file.flush()
                time.sleep(0.1)

    def _copy(self) -> None:
        if (source := self._some()) is not None:
            shutil.copy2(source, self._new_path())

    def _move(self) -> None:
        if (source := self._some()) is not None:
            source.rename(self._new_path())

    def _replace(self) -> None:
        source, target = self._some(), self._some()
        if source and target and source != target:
            source.replace(target)

    def _swap(self) -> None:
        one, other = self._some(), self._some()
        if one and other and one != other:
            aside = one.with_name(".aside")
            one.rename(aside)
            other.rename(one)
            aside.rename(other)

    def _move_folder(self) -> None:
        if (file := self._some()) is not None:
            self._number += 1
            file.parent.rename(self._music / f"moved {self._number:06d}")

    def _move_out(self) -> None:
        if (file := self._some()) is not None:
            file.rename(self._outside / file.name)

    def _move_in(self) -> None:
        if files := sorted(self._outside.glob("*.wav")):
            self._rng.choice(files).rename(self._new_path())

    def _retag(self) -> None:
        if (file := self._some()) is not None:
            wave = WAVE(file)
            if wave.tags is None:
                wave.add_tags()
            wave.tags.add(TIT2(text=[f"Title {self._rng.randrange(10**6)}"]))
            wave.save()

    def _touch(self) -> None:
        if (file := self._some()) is not None:
            os.utime(file)

    def _delete(self) -> None:
        if (file := self._some()) is not None:
            file.unlink()

    def _delete_folder(self) -> None:
        if (file := self._some()) is not None:
            shutil.rmtree(file.parent)


@scenario(quick=True)
def soak(place: Place) -> str:
    """Random creates, moves, retags and deletes; then the library has to equal a fresh scan of what is left."""
    seconds = 1800.0 if place.big else 8.0
    rng = random.Random(_SEED)
    person = Person(place.music, place.folder / "outside", _SEED)
    memory: list[float] = []
    handles: list[int] = []
    n_deeds = 0
    with place.daemon() as daemon:
        began = sampled = time.monotonic()
        while time.monotonic() - began < seconds:
            person.act()
            n_deeds += 1
            # Bursts, and moments of peace in which files settle.
            time.sleep(rng.choice([0.0, 0.0, 0.02, 0.1, 0.6]))
            if time.monotonic() - sampled > _SAMPLE_S:
                sampled = time.monotonic()
                memory.append(daemon.rss_mb())
                handles.append(daemon.n_handles())
        daemon.wait_idle(300)
        n_files = _compare(place, daemon)
    place.check_sound()
    if place.big:
        _check_growth("MB", memory, 1.05)
        _check_growth("handles", handles, 1.05)
    return (
        f"{n_deeds} deeds in {seconds / 60:.0f} minutes, {n_files} files in the end, as a fresh scan has them; "
        f"{max(memory):.0f} MB and {max(handles)} handles at most"
    )


def _compare(place: Place, daemon: Daemon) -> int:
    """Compare with a fresh scan; returns the number of files. Events may be late, so there is a moment's grace."""
    fresh = place.folder / "fresh.db"
    place.musrecd("--library", str(fresh), "scan", str(place.music), timeout_s=1200)
    expected = _content(place, fresh)
    until(lambda: daemon.is_idle() and _content(place, place.library) == expected, 30, "the library to equal a scan")
    return len(expected)


def _content(place: Place, library: Path) -> dict[bytes, tuple[Any, ...]]:
    rows = place.sql(
        "SELECT f.path, r.audio_id, f.title, f.size, f.mtime_ns FROM files f JOIN recordings r ON r.id = f.recording_id"
        " WHERE f.missing_since IS NULL",
        library,
    )
    return {path: tuple(rest) for path, *rest in rows}


def _check_growth(unit: str, samples: list[float] | list[int], most: float) -> None:
    """Compare the last fifth with the second: in the first everything is loaded and filled."""
    fifth = len(samples) // 5
    early, late = statistics.median(samples[fifth : 2 * fifth]), statistics.median(samples[-fifth:])
    assert late <= early * most + 1, f"from {early:.0f} {unit} to {late:.0f}"
