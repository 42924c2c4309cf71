"""How `beet similar` is answered: by the daemon if it runs, or else from the library here.

No plugin of its own: beets loads what it is told to load, and that is `musrec`.
"""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from beets.ui import UserError  # type: ignore[attr-defined]

from beetsplug._musrec_items import answering, beets_items, named, parsed, quoted

# Who waits longer is quicker alone.
_ANSWER_S = 10.0
# More numbers than fit into a message: whoever asks about so many can wait.
_MOST_ITEMS = 5000

if TYPE_CHECKING:
    import optparse
    from collections.abc import Callable, Iterable, Sequence

    import numpy as np
    from beets.dbcore.query import Query
    from beets.library import Item, Library

    from musrecd.asking.ask import Answered
    from musrecd.asking.question import Question
    from musrecd.asking.shown import Shown
    from musrecd.config import Config
    from musrecd.library.items import BeetsItems
    from musrecd.library.reader import LibraryReader
    from musrecd.recommend.asking import Seed
    from musrecd.types import EncoderInfo


class Sought(NamedTuple):
    """Items that a query found, and how much results should be like them, below 0 for unlike."""

    words: list[str]
    items: list[Item]
    weight: float = 1.0


class Found(NamedTuple):
    """What was asked about, and what was found: `results` name items by their numbers."""

    names: list[str]
    seeds: list[Item]
    results: Sequence[Shown]
    notes: Sequence[str]
    n_unheard: int


def sought(lib: Library, arguments: Sequence[str] | str, weight: float = 1.0) -> Sought:
    """Find items by a query. Raises UserError if there are none."""
    items = list(lib.items(arguments))
    words = [arguments] if isinstance(arguments, str) else list(arguments)
    if not items:
        raise UserError(f"no track matches {quoted(words)}")
    return Sought(words, items, weight)


def from_daemon(lib: Library, config: Config, about: Sequence[Sought], said: dict[str, Any]) -> Found | None:
    """Let the daemon answer what the options `said` ask; None if there is none, or it cannot answer that.

    Raises MusrecError if what was asked makes no sense.
    """
    from musrecd.asking.shown import Shown
    from musrecd.daemon.calling import call

    if sum(len(each.items) for each in about) > _MOST_ITEMS:
        return None
    request = {
        "do": "similar",
        "beets": {"database": os.fsdecode(lib.path), "folder": lib.directory.hex()},
        "items": [[[item.id for item in each.items], each.weight] for each in about],
        "said": said,
        "config": {name: getattr(config, name) for name in ("number", "min_score", "preset", "weights")},
    }
    answer = call(config.library, request, timeout_s=_ANSWER_S)
    if answer is None or "results" not in answer:
        return None
    by_number = {item.id: item for each in about for item in each.items}
    seeds = [by_number[number] for number in answer["seeds"]]
    results = [Shown(*each) for each in answer["results"]]
    return Found([named([item]) for item in seeds], seeds, results, answer["notes"], answer["unheard"])


def from_library(
    lib: Library,
    config: Config,
    about: Sequence[Sought],
    options: optparse.Values,
    said: dict[str, Any],
    hear_now: Callable[[Config, EncoderInfo, list[Item]], bool],
) -> tuple[Found, Callable[[], None]]:
    """Answer from the library; returns also what is to be done when everything was shown.

    Raises MusrecError, UserError.
    """
    from musrecd.asking.options import question
    from musrecd.library.reader import LibraryReader

    asked = question(said, config)
    with LibraryReader.open(config.library) as reader:
        info = answering(reader)
        items = beets_items(lib, reader, info)
        asking = _Asking(lib, config, reader, info, items, lambda these: hear_now(config, info, these))
        found = asking.answer(about, options, asked)
        if asked.choice.fresh:
            _note_suggested(config, reader, items, found)
    return found, partial(items.note, even_if_large=False)


class _Asking(NamedTuple):
    """One question, with all that is needed to answer it. `hear_now` analyses what was asked about too early."""

    lib: Library
    config: Config
    reader: LibraryReader
    info: EncoderInfo
    items: BeetsItems
    hear_now: Callable[[list[Item]], bool]

    def answer(self, about: Sequence[Sought], options: optparse.Values, asked: Question) -> Found:
        """Answer from the library. Raises MusrecError, UserError."""
        from musrecd.asking.beets import BeetsCatalogue
        from musrecd.asking.shown import shown

        catalogue = BeetsCatalogue(self.items)
        pool = self._pool(options.inside) if options.inside else None
        groups = [self._seeds(each) for each in about]
        likes = [group for group, each in zip(groups, about, strict=True) if each.weight > 0]
        seeds = [seed for found, _ in groups for seed in found]
        items = [item for _, found in likes for item in found]
        names = [named([item]) for item in items]
        for name in options.file or ():
            seeds += self._file(name)
            names.append(name)
        answered: Answered
        if options.to:
            from musrecd.asking.way import way

            end, ends = self._seeds(sought(self.lib, options.to))
            names += [named([item]) for item in ends]
            answered = way(self.reader, self.info, (seeds, end), asked, catalogue, pool)
        else:
            from musrecd.asking.ask import ask

            answered = ask(self.reader, self.info, seeds, asked, catalogue, pool)
        results = [shown(told, catalogue.numbers) for told in answered.told]
        return Found(names, items, results, answered.notes, self.items.count_unheard())

    def _seeds(self, about: Sought) -> tuple[list[Seed], list[Item]]:
        """Make seeds of items that are analysed. Raises UserError if none is."""
        from musrecd.asking.beets import seeds_of_items

        by_number = {int(item["id"]): item for item in about.items}
        found, heard = seeds_of_items(self.reader, self.info, self.items, list(by_number), about.weight)
        if not found and self.hear_now(about.items):
            found, heard = seeds_of_items(self.reader, self.info, self.items, list(by_number), about.weight)
        if not found:
            raise UserError(_why_unheard(about.items, about.words))
        return found, [by_number[number] for number in heard]

    def _file(self, name: str) -> list[Seed]:
        """Hear a file, or take it from the library. Raises MusrecError."""
        from musrecd.asking.ask import seeds_of
        from musrecd.commands.outside import seeds_of_file

        inside = self.reader.tracks_at([os.path.abspath(os.fsencode(name))], self.info.version)
        if inside:
            return seeds_of(self.reader, self.info, list(inside.values()))
        return seeds_of_file(self.config, self.info, name)

    def _pool(self, arguments: Sequence[str]) -> np.ndarray:
        """Rows of the tracks that match a query of beets. Raises UserError if there are none."""
        if not (rows := self._rows_matching(parsed(arguments))).size:
            raise UserError(f"--in: no analysed track matches {quoted(list(arguments))}")
        return rows

    def _rows_matching(self, query: Query) -> np.ndarray:
        import numpy as np

        from musrecd.errors import LibraryError

        clause, values = query.clause()
        if clause:
            try:
                return self.items.rows(clause, values)
            except LibraryError:
                pass  # it names an album's field, or a function of beets
        tracks = self.reader.tracks_at([item.path for item in self.lib.items(query)], self.info.version)
        rows = self.reader.rows_of({track.recording_id for track in tracks.values()}, self.info.version)
        return np.fromiter(rows.values(), np.int64, len(rows))


def _note_suggested(config: Config, reader: LibraryReader, items: BeetsItems, found: Found) -> None:
    """Remember what is shown, for those who want something new next time."""
    from musrecd.library.suggestions import note_suggested

    paths = items.at([shown.number for shown in found.results])
    tracks = reader.tracks_at(list(paths), answering(reader).version)
    note_suggested(config.library, [track.recording_id for track in tracks.values()])


def _why_unheard(items: Sequence[Item], words: Iterable[str]) -> str:
    """Say why none of the items can be asked about, and what helps."""
    if not any(item.filepath.exists() for item in items):
        return f"{named(items)}: the file is missing; run `beet update`"
    return f"{named(items)} not analysed yet; run `beet analyse {quoted(list(words))}` first"
