"""What `beet tagpredict` does with genres: into beets' database, into files, and back.

No plugin of its own: beets loads what it is told to load, and that is `musrec`.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from beets import config as beets_config
from beets import ui
from beets.dbcore.pathutils import normalize_path_for_db
from beets.dbcore.query import InQuery
from beets.ui import UserError  # type: ignore[attr-defined]

from beetsplug._musrec_items import safe, to_dict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from beets.importer import ImportTask
    from beets.library import Item, Library

    from musrecd.config import Config, VocabularyConfig
    from musrecd.library.journal import Entry, Plan
    from musrecd.library.reader import LibraryReader
    from musrecd.tagging.files import Rules
    from musrecd.tagging.genres import Genres
    from musrecd.tagging.outcome import Outcome
    from musrecd.tagging.policy import Manner, Policy
    from musrecd.tagging.wishes import Wish
    from musrecd.types import EncoderInfo

_ASK_FROM = 20
_GROUPS = {"musrec_moods": "mood", "musrec_voice": "voice", "musrec_instruments": "instrument"}


@dataclass(slots=True)
class Report:
    """How many tracks got genres, were left as they are, and could not be written."""

    written: int = 0
    left: int = 0
    problems: list[Outcome] = field(default_factory=list)

    def note(self, outcome: Outcome) -> None:
        """Count one."""
        self.written += outcome.result == "written"
        self.left += outcome.result == "left"
        if outcome.result in ("refused", "failed"):
            self.problems.append(outcome)


def words_of(config: Config) -> VocabularyConfig:
    """Return the settings for words: with lastgenre's where that plugin is used, so that both speak alike."""
    from musrecd.tagging.lastgenre import from_lastgenre, lastgenre_folder

    own = config.tagging.vocabulary
    if "lastgenre" not in beets_config["plugins"].as_str_seq():
        return own
    return from_lastgenre(beets_config["lastgenre"], lastgenre_folder(), own)


def genres_of(config: Config, reader: LibraryReader, info: EncoderInfo) -> Genres:
    """Return who predicts."""
    from musrecd.tagging.genres import Genres

    return Genres.of(reader, info, config.tagging, words_of(config))


def wishes(reader: LibraryReader, info: EncoderInfo, genres: Genres, items: Sequence[Item]) -> list[Wish]:
    """Return what each analysed item sounds like, and what is known of its genres."""
    from musrecd.tagging.wishes import wishes_for

    in_beets = {item.path: tuple(item.genres) for item in items}
    return wishes_for(reader, info, [item.path for item in items], genres, in_beets)


def show(items: Sequence[Item], found: Sequence[Wish], genres: Genres, policy: Policy, *, shown: int, as_json: bool,
         n_missing: int) -> int:  # fmt: skip
    """Print what tracks sound like and what would happen, by beets' database; returns how many would change."""
    from musrecd.commands.proposals import Proposal, lines
    from musrecd.commands.proposals import to_dict as described
    from musrecd.tagging.wishes import decide_for

    by_path = {item.path: item for item in items}
    proposals = [
        Proposal(
            format(by_path[wish.path], ""),
            wish.in_beets or (),
            wish.predicted,
            decide_for(wish, (), policy, genres.vocabulary.among),
        )
        for wish in found
    ]
    if as_json:
        rows = [to_dict(by_path[wish.path]) | described(each) for wish, each in zip(found, proposals, strict=True)]
        ui.print_(json.dumps({"results": rows, "unanalysed": n_missing}, indent=1))
    else:
        for line in lines(proposals, shown=shown):
            ui.print_(safe(line))
    return sum(each.decision.genres is not None for each in proposals)


def rules_of(config: Config, lib: Library) -> Rules:
    """Return the rules of the configuration; links are followed within beets' directory and the watched folders."""
    from musrecd.tagging.files import Rules

    tagging = config.tagging
    return Rules(
        roots=(lib.directory, *map(os.fsencode, config.folders)),
        hard_links=tagging.hard_links,
        # Whoever types the command has finished with the file.
        settle_s=0.0,
        keep_mtime=tagging.keep_mtime,
    )


def write(
    lib: Library,
    config: Config,
    found: Sequence[Wish],
    policy: Policy,
    genres: Genres,
    *,
    into_files: bool,
    run: int | None = None,
) -> Report:
    """Write genres into beets' database and, `into_files`, into the files with them, as a run of their own or `run`."""
    from musrecd.library.store import Library as MusrecLibrary
    from musrecd.tagging.writing import only_writer, write_all

    report = Report()
    with MusrecLibrary.open(config.library) as library, only_writer(config.library):
        finish(lib, library)
        keeper = _Keeper(lib)
        rules, among = rules_of(config, lib), genres.vocabulary.among
        outcomes = write_all(library, found, policy, rules, among, apply=keeper.keep, into_files=into_files, run=run)
        for outcome in outcomes:
            report.note(outcome)
    return report


def finish(lib: Library, library: Any) -> None:  # noqa: ANN401
    """End what was interrupted: what came into files comes into beets' database, too."""
    from musrecd.tagging.writing import finish_interrupted

    keeper = _Keeper(lib)
    for entry in finish_interrupted(library, keeper.genres):
        keeper.set(entry.plan)


def take_back(lib: Library, config: Config, entries: Sequence[Entry], *, force: bool) -> Report:
    """Take writes back, in files and in beets' database."""
    from musrecd.library.reader import LibraryReader
    from musrecd.library.store import Library as MusrecLibrary
    from musrecd.tagging.undo import Undo, undo
    from musrecd.tagging.writing import only_writer

    report = Report()
    with MusrecLibrary.open(config.library) as library, only_writer(config.library):
        finish(lib, library)
        keeper = _Keeper(lib)
        how = Undo(rules_of(config, lib), keeper.keep, keeper.genres, force)
        with LibraryReader.open(config.library) as reader:
            for outcome in undo(library, reader, entries, how):
                report.note(outcome)
    return report


class _Keeper:
    """Keeps beets' database in line with what was written."""

    def __init__(self, lib: Library) -> None:
        self._lib = lib

    def genres(self, path: bytes) -> tuple[str, ...] | None:
        """Return the genres that the database has for a file, None if it has no such file."""
        item = self._item(path)
        return None if item is None else tuple(item.genres)

    def keep(self, plan: Plan, _outcome: Outcome) -> None:
        """Take over what was just written."""
        self.set(plan)

    def set(self, plan: Plan) -> None:
        """Put the genres of a write into the database; the file counts as known as it is now."""
        item = self._item(plan.path)
        if item is None or plan.beets_after is None:
            return
        item.genres = list(plan.beets_after)
        if plan.file_before is not None:
            item.mtime = item.current_mtime()
        item.store()

    def _item(self, path: bytes) -> Item | None:
        return self._lib.items(InQuery("path", [normalize_path_for_db(path)])).get()


def set_fields(reader: LibraryReader, info: EncoderInfo, items: Iterable[Item]) -> None:
    """Store moods, voice and instruments as flexible fields of analysed items."""
    from musrecd.tagging.predict import certain

    items = list(items)
    tracks = reader.tracks_at([item.path for item in items], info.version)
    heard = reader.probabilities([track.recording_id for track in tracks.values()], info.version)
    for item in items:
        track = tracks.get(item.path)
        if track is None or track.recording_id not in heard:
            continue
        for name, group in _GROUPS.items():
            words = [each.name for each in certain(heard[track.recording_id], info.labels, group)]
            value = "; ".join(words) if group == "voice" else words
            if item.get(name) != value and (words or name in item):
                item[name] = value
        item.store()


class Imported:
    """Gives genres to what is imported, journalled.

    Files that beets is about to write with all their tags get theirs with those; files that it leaves as they are
    are written by us, once they are where they belong.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._begun: dict[int, list[int]] = {}
        # One import is one run, however many albums it brings: taken back at once.
        self._run = 0

    def before_files(self, reader: LibraryReader, info: EncoderInfo, task: ImportTask) -> None:
        """Put genres where beets writes them itself; to be called in an import stage."""
        from musrecd.errors import TagError
        from musrecd.library.store import Library as MusrecLibrary
        from musrecd.tagging import files
        from musrecd.tagging.wishes import decide_for
        from musrecd.tagging.writing import plan_of

        if not _is_written_by_beets(task):
            return
        items = {item.path: item for item in task.imported_items()}
        genres = genres_of(self._config, reader, info)
        plans = []
        for wish in wishes(reader, info, genres, list(items.values())):
            try:
                tags = files.read(wish.path)
            except TagError:
                # What cannot be read could not be put back.
                continue
            decision = decide_for(wish, tags.genres, self._policy(), genres.vocabulary.among)
            if decision.genres is not None:
                plans.append(plan_of(wish, tags, decision, into_files=True))
        with MusrecLibrary.open(self._config.library) as library:
            self._run = self._run or library.journal.next_run()
            self._begun[id(task)] = library.journal.begin(self._run, plans)
        for plan in plans:
            items[plan.path].genres = list(plan.genres_after)
            items[plan.path].store()

    def after_files(self, lib: Library, reader: LibraryReader, info: EncoderInfo, task: ImportTask) -> Report:
        """Note what beets wrote, and write what it did not; to be called when the files are where they belong."""
        from musrecd.library.store import Library as MusrecLibrary

        if (numbers := self._begun.pop(id(task), None)) is not None:
            with MusrecLibrary.open(self._config.library) as library:
                library.journal.finish([(number, None) for number in numbers])
            return Report()
        items = task.imported_items()
        with MusrecLibrary.open(self._config.library) as library:
            self._run = self._run or library.journal.next_run()
            library.move_all((old, item.path) for old, item in zip(task.old_paths, items, strict=True))
        genres = genres_of(self._config, reader, info)
        found = wishes(reader, info, genres, items)
        report = write(lib, self._config, found, self._policy(), genres, into_files=ui.should_write(), run=self._run)
        for item in items:
            item.load()
        return report

    def _policy(self) -> Policy:
        from musrecd.tagging.policy import Policy

        manner: Manner = "extend" if self._config.tagging.write == "extend" else "fill"
        return Policy(manner, words_of(self._config).count)


def _is_written_by_beets(task: ImportTask) -> bool:
    from beets.importer import Action

    return ui.should_write() and (task.apply or task.choice_flag == Action.RETAG)


def confirm(question: str, n: int, *, yes: bool) -> bool:
    """Ask before a large change."""
    if yes or n < _ASK_FROM:
        return True
    if not sys.stdin.isatty():
        raise UserError(f"{question} Nobody is there to answer: say -y")
    return ui.input_yn(question, require=True)
