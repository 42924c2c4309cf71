"""Files that are written while the daemon watches, in every way in which programs write files."""

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from musrecd.analysis.analyse import analyse
from musrecd.analysis.encoder import Encoder, load_encoder
from musrecd.library.reader import LibraryReader
from tests.faults.place import Place, until
from tests.faults.scenario import scenario
from tests.faults.sounds import write_sound

_SETTLE_S = 2.0
_SHORT_STALL_S = 1.2
_LONG_STALL_S = 5.0
_CHUNK = 10_000
_BYTES_PER_S = 100_000
# 16 kB are a second of sound.
_SHORT_FILE_S, _LONG_FILE_S = 12.0, 120.0


def _pour(content: bytes, file: Path, stall_s: float, *, into: bool = False) -> None:
    """Write at 100 kB/s, with two stalls on the way; `into` a file that has its whole length already."""
    stalls_at = {len(content) // 3 // _CHUNK, 2 * len(content) // 3 // _CHUNK}
    with file.open("r+b" if into else "wb") as stream:
        for number, begin in enumerate(range(0, len(content), _CHUNK)):
            if number in stalls_at:
                time.sleep(stall_s)
            stream.write(content[begin : begin + _CHUNK])
            stream.flush()
            time.sleep(_CHUNK / _BYTES_PER_S)


def _copy(content: bytes, file: Path) -> None:
    _pour(content, file, _SHORT_STALL_S)


def _copy_with_long_stalls(content: bytes, file: Path) -> None:
    _pour(content, file, _LONG_STALL_S)


def _copy_with_its_old_time(content: bytes, file: Path) -> None:
    """Like `cp -p`: the time is set back at the end."""
    _pour(content, file, _SHORT_STALL_S)
    os.utime(file, (1e9, 1e9))


def _like_rsync(content: bytes, file: Path) -> None:
    hidden = file.with_name(f".{file.name}.Xa3f9Q")
    _pour(content, hidden, _LONG_STALL_S)
    os.utime(hidden, (1e9, 1e9))
    hidden.rename(file)


def _like_a_browser(content: bytes, file: Path) -> None:
    part = file.with_name(f"{file.name}.part")
    _pour(content, part, _LONG_STALL_S)
    part.rename(file)


def _into_its_full_length(content: bytes, file: Path) -> None:
    with file.open("wb") as stream:
        os.posix_fallocate(stream.fileno(), 0, len(content))
    _pour(content, file, _SHORT_STALL_S, into=True)


def _into_its_full_length_with_long_stalls(content: bytes, file: Path) -> None:
    """What stands there between two stalls has the size of the finished file."""
    with file.open("wb") as stream:
        os.posix_fallocate(stream.fileno(), 0, len(content))
    _pour(content, file, _LONG_STALL_S, into=True)


def _over_another_one(content: bytes, file: Path) -> None:
    """Like an editor that saves: the new file replaces one that was heard already."""
    write_sound(file, 999, 1.0)
    time.sleep(_LONG_STALL_S)
    _copy(content, file.with_suffix(".tmp"))
    file.with_suffix(".tmp").replace(file)


# How often the file may be heard at most: a stall that is longer than the file has to stand still looks like its end.
_WAYS: dict[Callable[[bytes, Path], None], int] = {
    _copy: 1,
    _copy_with_long_stalls: 3,
    _copy_with_its_old_time: 1,
    _like_rsync: 1,
    _like_a_browser: 1,
    _into_its_full_length: 1,
    _into_its_full_length_with_long_stalls: 3,
    _over_another_one: 2,
}


def _check_same(place: Place, encoder: Encoder, file: Path, original: Path) -> None:
    """Fail unless the library holds for a file what is heard in the finished one."""
    finished = analyse(bytes(original), encoder)
    with LibraryReader.open(place.library) as reader:
        track = reader.tracks_at([bytes(file)], place.version)[bytes(file)]
        assert [track.recording_id] == reader.recordings_of([finished.audio_id]), f"{file} was heard unfinished"
        [embedding] = reader.embeddings([track.recording_id], place.version)
    assert np.abs(embedding - finished.embedding).max() < 1e-5


def _n_heard(place: Place, file: Path) -> int:
    heard = [line for line in place.log_text().splitlines() if "msg=heard" in line or "msg=recognised" in line]
    return sum(f"{file.name}" in line for line in heard)


@scenario()
def growing_files(place: Place) -> str:
    """Files that grow at 100 kB/s with stalls, in eight ways: heard at their end, once where that can be known."""
    place.configure(settle=_SETTLE_S)
    seconds = _LONG_FILE_S if place.big else _SHORT_FILE_S
    originals, files = {}, {}
    for number, way in enumerate(_WAYS):
        originals[way] = place.folder / "originals" / f"{number}.wav"
        write_sound(originals[way], number, seconds)
        files[way] = place.music / f"{way.__name__.strip('_')}.wav"
    with place.daemon() as daemon, ThreadPoolExecutor(len(_WAYS)) as writers:
        daemon.wait_idle()
        list(writers.map(lambda way: way(originals[way].read_bytes(), files[way]), _WAYS))
        ended = time.monotonic()
        encoder = load_encoder(place.weights)
        until(lambda: set(files.values()) <= place.found(), 60, "all of them to be heard")
        daemon.wait_idle()
        heard_s = time.monotonic() - ended
    for way, most in _WAYS.items():
        _check_same(place, encoder, files[way], originals[way])
        n_heard = _n_heard(place, files[way])
        assert n_heard <= most, f"{files[way].name} was heard {n_heard} times"
    assert place.found() == set(files.values())
    assert not place.failures()
    place.check_sound()
    n_heard = sum(_n_heard(place, file) for file in files.values())
    return f"{len(_WAYS)} files of {seconds:.0f} s heard {n_heard} times, the last {heard_s:.1f} s after all ended"


@scenario(quick=True)
def growing_file(place: Place) -> str:
    """A file is copied slowly, by itself: heard once, when it is whole."""
    place.configure(settle=1.0)
    original, file = place.folder / "original.wav", place.music / "a.wav"
    write_sound(original, 1, 4.0)
    with place.daemon() as daemon:
        daemon.wait_idle()
        _pour(original.read_bytes(), file, 0.6)
        ended = time.monotonic()
        until(lambda: place.n_found() == 1, 30, "the file to be heard")
        seconds = time.monotonic() - ended
        daemon.wait_idle()
    _check_same(place, load_encoder(place.weights), file, original)
    assert _n_heard(place, file) == 1
    place.check_sound()
    return f"heard once, {seconds:.1f} s after its end"


def _retag(file: Path, title: str) -> None:
    """Write tags as beets and other programs do, in the file as it lies there."""
    from mutagen.wave import WAVE

    tags = WAVE(str(file))
    if tags.tags is None:
        tags.add_tags()
    from mutagen.id3 import TIT2, TPE1

    tags.tags.setall("TIT2", [TIT2(encoding=3, text=[title])])
    tags.tags.setall("TPE1", [TPE1(encoding=3, text=["Somebody"])])
    tags.save()


@scenario(quick=True)
def retags(place: Place) -> str:
    """Tags of analysed files are rewritten: the library knows the new ones, nothing is analysed again."""
    n_files = 500 if place.big else 10
    files = [place.music / f"{number:03d}.wav" for number in range(n_files)]
    for number, file in enumerate(files):
        write_sound(file, number)
    with place.daemon() as daemon:
        daemon.wait_idle(600)
        assert place.n_logged("heard") == n_files
        for number, file in enumerate(files):
            _retag(file, f"Title {number}")
        until(lambda: _titles(place) == {f"Title {number}" for number in range(n_files)}, 300, "the new titles")
        daemon.wait_idle(300)
    # Nothing was heard again, and the daemon's own reading wakes nobody.
    assert place.n_logged("heard") == n_files
    assert n_files <= place.n_logged("recognised") <= 2 * n_files
    [[n_analyses]] = place.sql("SELECT count(*) FROM analyses")
    assert n_analyses == n_files
    place.check_sound()
    return f"{n_files} files retagged: recognised {place.n_logged('recognised')} times, analysed anew 0 times"


def _titles(place: Place) -> set[str]:
    return {title for (title,) in place.sql("SELECT title FROM files WHERE missing_since IS NULL")}
