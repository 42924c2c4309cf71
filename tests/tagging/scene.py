"""A library with copies of real files, and what writes into them; for tests of writing and of taking back."""

import hashlib
import os
import shutil
from dataclasses import replace
from pathlib import Path

from musrecd.analysis.payload import survey
from musrecd.library.reader import LibraryReader
from musrecd.library.store import Library
from musrecd.tagging import files
from musrecd.tagging.files import Change, Rules
from musrecd.tagging.heard import NOTHING, Heard
from musrecd.tagging.policy import Policy
from musrecd.tagging.predict import Prediction
from musrecd.tagging.undo import Undo, undo
from musrecd.tagging.writing import How, Outcome, Wish, write_all

RULES = Rules(settle_s=0.0)
FILL = Policy("fill", 1)
ROCK = (Prediction("Rock", 0.9, 0.5),)


def among(genre: str, genres) -> bool:
    return genre in genres


def parts(heard: Heard) -> tuple[object, object]:
    return heard.bpm, heard.key


class Database(dict):
    """What beets' database would have: genres, and `heard` besides."""

    def __init__(self, *genres) -> None:
        super().__init__(*genres)
        self.heard: dict[bytes, Heard] = {}

    def genres(self, path):
        return self.get(path)

    def put(self, path, genres, was, *, heard=NOTHING, no_longer=NOTHING):
        self[path] = genres
        there = self.heard.get(path, NOTHING)
        new = Heard(there.bpm or heard.bpm, there.key or heard.key)
        self.heard[path] = Heard(*(None if a == b else a for a, b in zip(parts(new), parts(no_longer), strict=True)))


class Scene:
    """A library, and copies of real files in several formats that have no genre."""

    def __init__(self, folder: Path, sources: list[Path]) -> None:
        self.folder = folder / "music"
        self.folder.mkdir()
        self.library = Library.open(folder / "library.db")
        self.paths = [bytes(Path(shutil.copy(source, self.folder))) for source in sources]
        for path in self.paths:
            files.write(path, Change(genres=()), RULES)

    def wishes(self, **others) -> list[Wish]:
        return [replace(Wish(path, survey(path).audio_id, ROCK, "enc-1"), **others) for path in self.paths]

    def write(self, wishes: list[Wish], policy: Policy = FILL, **options) -> list[Outcome]:
        return list(write_all(self.library, wishes, How(policy, RULES, among, "test", **options)))

    def undo(self, **options) -> list[Outcome]:
        with LibraryReader.open(self.library.path) as reader:
            return list(undo(self.library, reader, reader.journal.entries(), Undo(RULES, "test", **options)))

    def entries(self):
        with LibraryReader.open(self.library.path) as reader:
            return reader.journal.entries()

    def genres(self) -> list[tuple[str, ...]]:
        return [files.read(path).genres for path in self.paths]

    def contents(self) -> list[str]:
        return [hashlib.sha256(Path(os.fsdecode(path)).read_bytes()).hexdigest() for path in self.paths]
