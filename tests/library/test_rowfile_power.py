"""The power fails: of what was written and not flushed, anything may be on the disk, and every answer is right."""

import os
import random
import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musrecd.library import rowfile
from musrecd.library.rowfile import HEADER_BYTES, RowFile
from musrecd.library.store import Library
from musrecd.types import Tags
from tests.library.checks import check_consistent


class Disk:
    """What of each file is on the disk for sure, and what was written since."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.flushed: dict[Path, bytes] = {}
        self.written: dict[Path, list[tuple[int, bytes]]] = {}
        self._write, self._flush, self._anew = rowfile._write_at, rowfile._fdatasync, RowFile.anew
        patch.setattr(rowfile, "_write_at", self.write)
        patch.setattr(rowfile, "_fdatasync", self.flush)
        patch.setattr(RowFile, "anew", lambda file, **options: self.anew(file, **options))

    def write(self, file, offset: int, data: bytes) -> None:
        self._write(file, offset, data)
        self.written[Path(file.name)].append((offset, data))

    def flush(self, descriptor: int) -> None:
        self._flush(descriptor)
        self._settle(Path(os.readlink(f"/proc/self/fd/{descriptor}")))

    @contextmanager
    def anew(self, file: RowFile, **options) -> Iterator[BinaryIO]:
        with self._anew(file, **options) as stream:
            yield stream
        self._settle(file.path)

    def _settle(self, path: Path) -> None:
        self.flushed[path], self.written[path] = path.read_bytes(), []

    def fail(self, rng: random.Random) -> None:
        """Leave of each file what was flushed, and some of what was written since, whole or, but for headers, torn."""
        for path, content in self.flushed.items():
            data = bytearray(content)
            for offset, piece in self.written[path]:
                kept = piece[: rng.choice([0, len(piece), len(piece) // 2 if offset >= HEADER_BYTES else 0])]
                data.extend(bytes(max(0, offset + len(kept) - len(data))))
                data[offset : offset + len(kept)] = kept
            path.write_bytes(data)
            self._settle(path)


class _UndoneError(Exception):
    pass


numbers = st.integers(1, 6)
heard = st.tuples(numbers, st.integers(1, 50))
steps = st.one_of(
    st.tuples(st.just("add"), st.lists(heard, min_size=1, max_size=1)),
    st.tuples(st.just("add"), st.lists(heard, min_size=2, max_size=8)),
    st.tuples(st.just("undo"), st.lists(heard, min_size=1, max_size=8)),
    st.tuples(st.sampled_from(["reopen", "fail"])),
)


class Scene:
    """A library on such a disk."""

    def __init__(self, make, disk: Disk, path: Path) -> None:
        self.make, self.disk, self.path = make, disk, path
        self.library = Library.open(path)
        self.library.register_encoder(make.encoder())

    def add(self, heard: list[tuple[int, int]]) -> None:
        with self.library.at_once():
            for number, seed in heard:
                self.library.add(self.make.file(b"/%d" % number), self.make.analysis(number, seed), Tags())

    def undo(self, heard: list[tuple[int, int]]) -> None:
        with suppress(_UndoneError), self.library.at_once():
            self.add(heard)
            raise _UndoneError

    def reopen(self) -> None:
        self.library.close()
        self.library = Library.open(self.path)

    def fail(self, rng: random.Random) -> None:
        self.library.close()
        self.disk.fail(rng)
        check_consistent(self.path)
        self.library = Library.open(self.path)


@settings(max_examples=100, deadline=None)
@given(st.lists(steps, max_size=14), st.randoms(use_true_random=False))
def test_no_power_failure_brings_a_wrong_answer(make, fast_folder, sequence, rng):
    with tempfile.TemporaryDirectory(dir=fast_folder) as folder, pytest.MonkeyPatch.context() as patch:
        # So few can be named as unproven that there are soon too many.
        patch.setattr(rowfile, "_MOST_LISTED", 2)
        patch.setattr(rowfile, "_FIELDS", struct.Struct("<8sII16sIq2q"))
        # Of so few rows these would find everything.
        patch.setattr(rowfile, "_SPOT_CHECKS", 0)
        scene = Scene(make, Disk(patch), Path(folder) / "library.db")
        for name, *arguments in [*sequence, ("fail",), ("add", [(1, 77)])]:
            getattr(scene, name)(*([rng] if name == "fail" else arguments))
            check_consistent(scene.path)
        scene.library.close()


def test_the_disk_above_loses_what_was_not_flushed(make, path):
    with pytest.MonkeyPatch.context() as patch:
        disk = Disk(patch)
        with Library.open(path) as library:
            library.register_encoder(make.encoder())
            library.add(make.file(b"/1"), make.analysis(1), Tags())
        [vectors] = path.parent.glob("*.vectors")
        assert make.unit(1).tobytes() in vectors.read_bytes()
        found = set()
        for seed in range(20):
            written = {path: list(each) for path, each in disk.written.items()}
            flushed = dict(disk.flushed)
            disk.fail(random.Random(seed))
            found.add(vectors.stat().st_size)
            check_consistent(path)
            disk.written, disk.flushed = written, flushed
        assert len(found) == 3
