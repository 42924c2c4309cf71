"""Workers that hang, crash or want too much memory, again and again over the same files."""

import os
import resource
import signal
import time
import wave
from collections.abc import Callable
from pathlib import Path

import psutil

from tests.faults.place import Place, until
from tests.faults.scenario import scenario
from tests.faults.sounds import write_sound, write_sounds

_TIMEOUT_S = 60  # the encoder is loaded within that, on a machine that has much to do
_SR = 8000


@scenario()
def workers_fail(place: Place) -> str:
    """Workers are stopped, killed, crash and run out of memory over the same files, while others are heard."""
    place.configure(threads=2, timeout=_TIMEOUT_S)
    n_files = 40 if place.big else 4
    victims = {place.music / f"victim {name}.wav": do for name, do in _FAULTS.items()}
    n_struck = dict.fromkeys(victims, 0)
    with place.daemon() as daemon:
        for victim in victims:
            _write_long(victim)
        write_sounds(place.music, n_files)
        struck: set[tuple[int, Path]] = set()

        def are_set_aside() -> bool:
            for worker in daemon.workers():
                for victim in _heard_by(worker, victims):
                    if (worker.pid, victim) not in struck:
                        struck.add((worker.pid, victim))
                        victims[victim](worker.pid)
                        n_struck[victim] += 1
            assert daemon.ask() is not None
            return set(place.failures()) >= set(victims) and place.n_waiting() == 0

        seconds = until(are_set_aside, 900, "all to be set aside")
        said = place.failures()
        assert set(said) == set(victims), "innocent files failed"
        assert place.n_found() == n_files, "others were not heard meanwhile"
        tried = dict(n_struck)
        # Neither a look nor time brings them back; and who comes next is heard.
        daemon.end()
    with place.daemon() as daemon:
        place.check_alive(place.music / "after.wav")
        daemon.wait_idle()
        assert set(place.failures()) == set(victims)
        daemon.end()
    # PyAV tells of the memory that was not there at some length.
    assert place.sql("PRAGMA integrity_check") == [("ok",)]
    assert all(n == 2 for n in tried.values()), tried
    printed = place.musrecd("failures")
    assert all(str(victim) in printed for victim in victims)
    reasons = "; ".join(f"{victim.stem[7:]}: {said[victim][:60]}" for victim in victims)
    return f"all set aside after 2 tries within {seconds:.0f} s ({reasons})"


@scenario()
def workers_stopped(place: Place) -> str:
    """All workers are stopped with SIGSTOP while they have nothing to do, and files come."""
    place.configure(threads=2, timeout=_TIMEOUT_S)
    write_sound(place.music / "first.wav", 1)
    with place.daemon() as daemon:
        daemon.wait_idle()
        assert len(daemon.workers()) == 2
        for worker in daemon.workers():
            worker.suspend()
        write_sounds(place.music, 5)
        seconds = until(lambda: place.n_found() == 6, 600, "the files to be heard by other workers")
        assert daemon.is_running
        daemon.end()
    place.check_sound()
    return f"others took over within {seconds:.0f} s"


@scenario()
def workers_killed_idle(place: Place) -> str:
    """Workers are killed while they have nothing to do, and while the encoder is loaded."""
    n_kills = 20 if place.big else 3
    place.configure(threads=1)
    with place.daemon() as daemon:
        for number in range(n_kills):
            write_sound(place.music / f"{number}.wav", number)
            if number % 2:
                until(lambda: daemon.workers(), 30, "a worker to begin")
            else:
                until(lambda number=number: place.n_found() > number, 60, "a file to be heard")
            for worker in daemon.workers():
                worker.kill()
            until(lambda number=number: place.n_found() > number, 120, "the file to be heard all the same")
        assert daemon.is_running
        daemon.end()
    place.check_sound()
    assert not place.failures()
    return f"{n_kills} kills, all heard"


def _heard_by(worker: psutil.Process, victims: dict[Path, Callable[[int], None]]) -> list[Path]:
    try:
        return [Path(file.path) for file in worker.open_files() if Path(file.path) in victims]
    except psutil.Error:
        return []


def _write_long(path: Path) -> None:
    """Write some hours, most of it a hole: it takes a worker seconds to name it and the disk nothing."""
    n_bytes = 2**31
    write_sound(path, time.time_ns() % 1_000_000_000)
    with wave.open(str(path), "rb") as file:
        samples = file.readframes(_SR)
    with path.open("wb") as raw, wave.open(raw, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_SR)
        file.setnframes(n_bytes // 2)
        file.writeframesraw(samples)
    os.truncate(path, n_bytes)


def _stop(pid: int) -> None:
    os.kill(pid, signal.SIGSTOP)


def _kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def _crash(pid: int) -> None:
    os.kill(pid, signal.SIGSEGV)


def _take_memory(pid: int) -> None:
    # What a hostile file would have to make the decoders take is less sure than what is left to take.
    resource.prlimit(pid, resource.RLIMIT_DATA, (1 << 20, 1 << 20))


_FAULTS = {"stopped": _stop, "killed": _kill, "crashed": _crash, "out of memory": _take_memory}
